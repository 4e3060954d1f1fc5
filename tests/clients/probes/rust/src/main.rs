//! Reads tasks, one JSON object a line, and writes what came of each: tests/clients/probes.py.

use std::collections::HashSet;
use std::error::Error;
use std::io::stdin;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(default, rename_all = "lowercase")]
#[derive(Default)]
struct Task {
    by: String,
    method: String,
    url: String,
    before: String,
    seconds: f64,
    token: String,
    pem: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for line in stdin().lines() {
        let task: Task = serde_json::from_str(&line.unwrap()).unwrap();
        let outcome = match task.by.as_str() {
            "reqwest" => send(&task).await,
            _ => verify(&task),
        };
        println!("{}", match outcome {
            Ok(text) => json!({"seen": text}),
            Err(error) => json!({"error": deepest(error.as_ref())}),
        });
    }
}

/// Addresses and ports are in the texts of the outer ones.
fn deepest(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), deepest)
}

async fn send(task: &Task) -> Result<String, Box<dyn Error>> {
    let client = Client::builder().no_proxy().build()?;
    if !task.before.is_empty() {
        client.get(&task.before).send().await?.bytes().await?;
        // The connection is back in the pool a moment after the answer.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let request = client.request(task.method.parse()?, &task.url);
    let answer = request.timeout(Duration::from_secs_f64(task.seconds)).send().await?;
    let status = answer.status();
    if status == 200 {
        answer.json::<Value>().await?;
    }
    Ok(status.as_u16().to_string())
}

/// `jsonwebtoken` as it is by default, which demands an `exp`, or without that demand.
fn verify(task: &Task) -> Result<String, Box<dyn Error>> {
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["spacetimedb"]);
    validation.set_issuer(&["localhost"]);
    if task.by != "jsonwebtoken" {
        validation.required_spec_claims = HashSet::new();
    }
    decode::<Value>(&task.token, &DecodingKey::from_ec_pem(task.pem.as_bytes())?, &validation)?;
    Ok("good".to_owned())
}
