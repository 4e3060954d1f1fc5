//! An emulator for one test: a process of its own, which ends with the test.

use std::io::{BufRead, BufReader, ErrorKind};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

const NOT_THERE: &str = "identity-emulator is not on the PATH: \
    install it with `pipx install PATH-OF-ITS-CLONE`, or see its docs/install.md";

pub struct Emulator {
    pub url: String,
    process: Child,
}

impl Emulator {
    /// Runs the command and waits for the line that it prints when it is ready for requests.
    pub fn start(options: &[&str]) -> Self {
        let started = Command::new("identity-emulator")
            // What is killed drops nothing: the emulator ends with the process that started it.
            .args(["serve", "--port", "0", "--exit-with-parent"])
            .args(options)
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
        Emulator { url: ready["url"].as_str().unwrap().to_owned(), process }
    }

    /// Uses a control route; the body is JSON, or null for none. Returns the text of the answer.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> String {
        asked(&self.url, method, path, body).await
    }
}

impl Drop for Emulator {
    /// A test that fails prints its exchanges, with the reason for each refused request.
    fn drop(&mut self) {
        if thread::panicking() {
            let url = self.url.clone();
            // Within the test's own runtime no other can be started, nor this one be waited for.
            let report = thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(asked(&url, "GET", "/report", Value::Null))
            });
            eprintln!("{}", report.join().unwrap_or_else(|_| "the emulator gives no report".to_owned()));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
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
