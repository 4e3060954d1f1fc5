"""Messages as the journal shows them."""

import json
from typing import Any

import pytest

from tests.unit.services.spacetimedb.websocket.sessions import CONNECTION_ID, IDENTITY, message_of, new_session
from tests.unit.services.spacetimedb.websocket.test_subscriptions import multi, number, subscribe, unsubscribe, v1, v2


@pytest.mark.parametrize(
    ("protocol", "message", "words"),
    [
        ("v2.bsatn", subscribe(0), "Subscribe request 1, set 0: SELECT * FROM person"),
        ("v2.bsatn", subscribe(0, "a", "b", "c", "d"), "Subscribe request 1, set 0: a; b; c; and 1 more"),
        ("v2.bsatn", unsubscribe(7), "Unsubscribe request 1, set 7"),
        ("v2.bsatn", unsubscribe(7, "SendDroppedRows"), "Unsubscribe request 1, set 7, flags SendDroppedRows"),
        ("v2.bsatn", v2("OneOffQuery", request_id=3, query_string="SELECT 1"), "OneOffQuery request 3: SELECT 1"),
        (
            "v2.bsatn",
            v2("CallReducer", request_id=5, flags=0, reducer="send", args=b"\1"),
            "CallReducer request 5, reducer send",
        ),
        (
            "v2.bsatn",
            v2("SubscribeBatch", request_id=7, query_sets=[{"query_set_id": number(9), "query_strings": ("a", "b")}]),
            "SubscribeBatch request 7: set 9: a; b",
        ),
        (
            "v3.bsatn",
            subscribe(0, "a") + subscribe(1, "b"),
            "Subscribe request 1, set 0: a; Subscribe request 1, set 1: b",
        ),
        ("v3.bsatn", unsubscribe(7) * 5, "; ".join(["Unsubscribe request 1, set 7"] * 3) + "; and 2 more messages"),
        ("v1.bsatn", multi(7), "SubscribeMulti request 1, set 7: SELECT * FROM person"),
        ("v1.bsatn", v1("OneOffQuery", message_id=b"\1\xff", query_string="a"), "OneOffQuery message 01ff: a"),
        (
            "v1.bsatn",
            v1("CallReducer", reducer="send", args=b"", request_id=5, flags=1),
            "CallReducer request 5, reducer send, flags 1",
        ),
        ("v1.json", '{"Subscribe":{"query_strings":["a"],"request_id":1}}', "Subscribe request 1: a"),
        ("v1.json", "junk", "text: junk"),
        ("v1.json", "", "an empty text"),
        ("v2.bsatn", b"", "no bytes"),
        ("v2.bsatn", b"\x09", "1 bytes: 09"),
        ("v2.bsatn", b"\xff" * 40, f"40 bytes: {'ff' * 32}…"),
    ],
)  # fmt: skip
def test_a_message_of_the_client(protocol: str, message: Any, words: str) -> None:
    assert new_session(protocol, "v2.14").text_of(message, by_client=True) == words


def answer(protocol: str, message: Any) -> str:
    session = new_session(protocol, is_stubbed=lambda name: name == "send")
    return session.text_of(message_of(session.received(message)), by_client=False)


@pytest.mark.parametrize(
    ("protocol", "message", "words"),
    [
        ("v2.bsatn", subscribe(0), "SubscribeApplied request 1, set 0"),
        ("v2.bsatn", subscribe(0, "junk"), "SubscriptionError request 1, set 0: sql parser error: Expected an SQL"),
        ("v2.bsatn", v2("CallReducer", request_id=5, flags=0, reducer="x", args=b""),
         "ReducerResult request 5: InternalError no such reducer"),
        ("v2.bsatn", v2("CallReducer", request_id=5, flags=0, reducer="send", args=b""), "ReducerResult request 5: Ok"),
        ("v1.bsatn", v1("CallReducer", request_id=5, flags=0, reducer="x", args=b""),
         "TransactionUpdate reducer x: Failed no such reducer"),
        ("v1.json", '{"CallReducer":{"reducer":"send","args":"[]","request_id":5,"flags":0}}',
         "TransactionUpdate reducer send: Committed"),
        ("v1.json", '{"Unsubscribe":{"request_id":1,"query_id":{"id":7}}}',
         "SubscriptionError request 1, set 7: Client not found"),
    ],
)  # fmt: skip
def test_a_message_of_the_server(protocol: str, message: Any, words: str) -> None:
    assert answer(protocol, message).startswith(words)


@pytest.mark.parametrize("protocol", ["v1.bsatn", "v1.json", "v2.bsatn", "v3.bsatn"])
@pytest.mark.parametrize("compression", ["Gzip", "Brotli"])
def test_the_first_message_is_shown_without_its_token(protocol: str, compression: str) -> None:
    session = new_session(protocol, token="secret" * 200, compression=compression)

    words = session.text_of(message_of(session.opened()), by_client=False)

    assert f"connection {CONNECTION_ID}, identity" in words
    assert IDENTITY in words
    assert "secret" not in words


def test_one_line_is_shown_of_a_query_of_many() -> None:
    words = new_session("v2.bsatn").text_of(subscribe(0, "SELECT *\n\x1b[31mFROM t"), by_client=True)

    assert words == r"Subscribe request 1, set 0: SELECT *\n\x1b[31mFROM t"


def test_a_long_message_is_not_read_for_it() -> None:
    text = json.dumps({"Subscribe": {"query_strings": ["x" * 100_000], "request_id": 1}})

    words = new_session("v1.json").text_of(text, by_client=True)

    assert words.startswith('text: {"Subscribe"')
    assert len(words) <= 501
