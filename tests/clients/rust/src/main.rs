//! Clients of the Rust SDK. It reads commands, one JSON object a line, and writes what happened, one JSON object a
//! line. Each has the `client` that it is about; a client is one connection.

mod module;

use std::collections::HashMap;
use std::io::{stdin, BufRead};

use module::DbConnection;
use serde_json::{json, Value};
use spacetimedb_sdk::DbContext;

fn happened(client: u64, event: &str, text: impl ToString) {
    println!("{}", json!({"client": client, "event": event, "text": text.to_string()}));
}

fn connect(client: u64, told: &Value) -> Option<DbConnection> {
    let text = |name: &str| told[name].as_str().map(str::to_owned);
    let built = DbConnection::builder()
        .with_uri(text("uri").unwrap())
        .with_database_name(text("database").unwrap())
        .with_token(text("token"))
        .on_connect(move |_, identity, token| {
            let identity = identity.to_hex().to_string();
            println!("{}", json!({"client": client, "event": "connected", "identity": identity, "token": token}));
        })
        .on_connect_error(move |_, error| happened(client, "connect error", error))
        .on_disconnect(move |_, error| {
            happened(client, "disconnected", error.map(|error| error.to_string()).unwrap_or_default())
        })
        .build();
    match built {
        Ok(connection) => {
            connection.run_threaded();
            Some(connection)
        }
        Err(error) => {
            happened(client, "connect error", error);
            None
        }
    }
}

fn main() {
    let mut connections = HashMap::new();
    for line in stdin().lock().lines() {
        let told: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let client = told["client"].as_u64().unwrap();
        if told["command"] == "connect" {
            connections.extend(connect(client, &told).map(|connection| (client, connection)));
            continue;
        }
        let connection = &connections[&client];
        match told["command"].as_str().unwrap() {
            "subscribe" => {
                connection
                    .subscription_builder()
                    .on_applied(move |_| happened(client, "applied", ""))
                    .on_error(move |_, error| happened(client, "subscription error", error))
                    .subscribe(told["query"].as_str().unwrap().to_owned());
            }
            "call" => connection
                .send(told["argument"].as_str().unwrap().to_owned(), move |result| match result {
                    Ok(()) => happened(client, "called", ""),
                    Err(error) => happened(client, "call failed", error),
                })
                .unwrap(),
            "disconnect" => connection.disconnect().unwrap(),
            unknown => panic!("no such command: {unknown}"),
        }
    }
}
