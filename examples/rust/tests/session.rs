mod support;

use identity_emulator_example::{Error, Session};
use serde_json::{Value, json};
use support::Emulator;

fn started() -> (Emulator, Session) {
    let emulator = Emulator::start(&["--seed", "7"]);
    let session = Session::new(&emulator.url);
    (emulator, session)
}

#[tokio::test]
async fn a_token_belongs_to_the_identity_that_it_was_issued_for() {
    let (_emulator, session) = started();
    let made = session.create_identity().await.unwrap();

    assert_eq!(session.identity_of(&made.token).await.unwrap(), made.identity);
}

#[tokio::test]
async fn a_short_token_is_good_for_a_minute_and_a_minute_of_leeway() {
    let (emulator, session) = started();
    let made = session.create_identity().await.unwrap();
    let short = session.websocket_token(&made.token).await.unwrap();

    emulator.control("POST", "/clock", json!({"advance": 122})).await;

    assert!(matches!(session.websocket_token(&short).await, Err(Error::Unauthorized)));
}

#[tokio::test]
async fn a_server_that_is_starting_is_asked_twice() {
    let (emulator, session) = started();
    let fault = json!({"request": "POST /v1/identity", "times": 1, "do": {"status": 503}});
    emulator.control("POST", "/faults", fault).await;

    assert!(session.create_identity().await.unwrap().identity.starts_with("c200"));
}

#[tokio::test]
async fn a_bad_token_is_refused_and_the_journal_says_why() {
    let (emulator, session) = started();
    assert!(matches!(session.websocket_token("nonsense").await, Err(Error::Unauthorized)));

    let journal: Value = serde_json::from_str(&emulator.control("GET", "/journal?status=401", Value::Null).await).unwrap();

    assert_eq!(journal["exchanges"][0]["why"], "segments: a token has three parts separated by dots, this has 1");
}
