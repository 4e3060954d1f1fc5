mod support;

use identity_emulator_example::{Error, Session};
use serde_json::{Value, json};
use support::Emulator;

async fn opened() -> (Emulator, Session) {
    let emulator = Emulator::open(json!({"seed": 7, "scenario": "two_friends"})).await;
    let session = Session::new(&emulator.url);
    (emulator, session)
}

#[tokio::test]
async fn a_token_belongs_to_the_identity_that_it_was_issued_for() {
    let (_emulator, session) = opened().await;
    let made = session.create_identity().await.unwrap();

    assert_eq!(session.identity_of(&made.token).await.unwrap(), made.identity);
}

#[tokio::test]
async fn a_short_token_is_good_for_a_minute_and_a_minute_of_leeway() {
    let (emulator, session) = opened().await;
    let made = session.create_identity().await.unwrap();
    let short = session.websocket_token(&made.token).await.unwrap();

    emulator.control("POST", "/clock", json!({"advance": 122})).await;

    assert!(matches!(session.websocket_token(&short).await, Err(Error::Unauthorized)));
}

#[tokio::test]
async fn a_server_that_is_starting_is_asked_twice() {
    let (emulator, session) = opened().await;
    let fault = json!({"request": "POST /v1/identity", "times": 1, "do": {"status": 503}});
    emulator.control("POST", "/faults", fault).await;

    assert!(session.create_identity().await.unwrap().identity.starts_with("c200"));
}

#[tokio::test]
async fn a_bad_token_is_refused_and_the_journal_says_why() {
    let (emulator, session) = opened().await;
    assert!(matches!(session.websocket_token("nonsense").await, Err(Error::Unauthorized)));

    let journal: Value = serde_json::from_str(&emulator.control("GET", "/journal?status=401", Value::Null).await).unwrap();

    assert_eq!(journal["exchanges"][0]["why"], "segments: a token has three parts separated by dots, this has 1");
}

/// The key that is replaced here is that of this test's world only: the others, which run beside it, keep theirs.
#[tokio::test]
async fn a_server_with_a_new_key_refuses_the_tokens_of_before() {
    let (emulator, session) = opened().await;
    let token = emulator.env["ALICE_TOKEN"].as_str().unwrap();
    session.websocket_token(token).await.unwrap();

    emulator.control("POST", "/spacetime/rotate-key", Value::Null).await;

    assert!(matches!(session.websocket_token(token).await, Err(Error::Unauthorized)));
}
