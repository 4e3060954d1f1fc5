//! An emulator for one test: a world of its own, at a URL of its own, which ends with the test. Cargo runs the tests of a
//! file side by side, in one process, which starts an emulator for all of them; with `identity-emulator exec -- cargo test`
//! all files share one.

use std::env;
use std::io::{BufRead, BufReader, ErrorKind};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::thread;

use serde_json::{Value, json};

const NOT_THERE: &str = "identity-emulator is not on the PATH: \
    install it with `pipx install PATH-OF-ITS-CLONE`, or see its docs/install.md";

static SERVER: LazyLock<String> = LazyLock::new(|| env::var("IDENTITY_EMULATOR_URL").unwrap_or_else(|_| started()));

pub struct Emulator {
    pub url: String,
    /// What clients need: `INTUITION_API_KEY`, and of each actor of the scenario, like `alice`, `ALICE_TOKEN` and others.
    pub env: Value,
    id: String,
}

impl Emulator {
    /// The settings are the keys of docs/worlds.md: `json!({"seed": 7, "scenario": "two_friends"})`.
    pub async fn open(mut settings: Value) -> Self {
        // What is killed closes nothing: the world is closed when nobody has used it for ten minutes.
        settings["idle_exit"] = json!(600);
        let answer = asked(&SERVER, "POST", "/worlds", settings).await;
        let mut world: Value = serde_json::from_str(&answer).unwrap();
        let env = world["env"].take();
        let text = |key: &str| world[key].as_str().unwrap().to_owned();
        Emulator { url: text("url"), env, id: text("id") }
    }

    /// Uses a control route; the body is JSON, or null for none. Returns the text of the answer.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> String {
        asked(&self.url, method, path, body).await
    }
}

impl Drop for Emulator {
    /// A test that fails prints its exchanges, with the reason for each refused request.
    fn drop(&mut self) {
        let (url, close, failed) = (self.url.clone(), format!("/worlds/{}", self.id), thread::panicking());
        // Within the test's own runtime no other can be started, nor this one be waited for.
        let closed = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let report = if failed { asked(&url, "GET", "/report", Value::Null).await } else { String::new() };
                asked(&url, "DELETE", &close, Value::Null).await;
                report
            })
        });
        eprint!("{}", closed.join().unwrap_or_else(|_| "the emulator gives no report\n".to_owned()));
    }
}

/// Starts a process. Its URL is in the first line that it prints: then it is ready for requests.
fn started() -> String {
    let started = Command::new("identity-emulator")
        // What is killed drops nothing: the emulator ends with the process that started it.
        .args(["serve", "--port", "0", "--exit-with-parent"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null()) // the log is dropped: a pipe that nobody reads would fill up
        .spawn();
    let mut process = match started {
        Ok(process) => process,
        Err(error) if error.kind() == ErrorKind::NotFound => panic!("{NOT_THERE}"),
        Err(error) => panic!("identity-emulator: {error}"),
    };
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line.is_empty() {
        panic!("identity-emulator ended before it was ready: {}", process.wait().unwrap());
    }
    let ready: Value = serde_json::from_str(&line).unwrap();
    ready["url"].as_str().unwrap().to_owned()
}

async fn asked(url: &str, method: &str, path: &str, body: Value) -> String {
    let request = reqwest::Client::new().request(method.parse().unwrap(), format!("{url}/_emulator{path}"));
    let request = if body.is_null() { request } else { request.json(&body) };
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{method} {path}: {text}");
    text
}
