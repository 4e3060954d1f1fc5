"""Subscriptions and queries: nothing is there, and what the server says of sets that can't be made or ended."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from emulator.http.upgrade import Close, Output
from emulator.services.spacetimedb.websocket import bsatn, messages, sats
from emulator.services.spacetimedb.websocket.query_sets import MOST_SETS
from emulator.services.spacetimedb.websocket.session import Session
from tests.unit.services.spacetimedb.websocket.sessions import CLIENT, VECTORS, message_of, new_session

V1_CLIENT = messages.v1_client(sats.BYTES, "QueryId")
SELECT = "SELECT * FROM person"
OVERLOADED = [Close(1013, "too many requests")]


def v1(name: str, **content: Any) -> bytes:
    return bsatn.encode(V1_CLIENT, (name, content))


def v2(name: str, **content: Any) -> bytes:
    return bsatn.encode(messages.V2_CLIENT_WITH_BATCHES, (name, content))


def number(value: int) -> dict[str, int]:
    return {"id": value}


def subscribe(set_id: int, *queries: str, request: int = 1) -> bytes:
    return v2("Subscribe", request_id=request, query_set_id=number(set_id), query_strings=queries or (SELECT,))


def unsubscribe(set_id: int, flag: str = "Default") -> bytes:
    return v2("Unsubscribe", request_id=1, query_set_id=number(set_id), flags=(flag, {}))


def multi(query_id: int, *queries: str, request: int = 1) -> bytes:
    return v1("SubscribeMulti", query_strings=queries or (SELECT,), request_id=request, query_id=number(query_id))


def single(query_id: int, query: str = SELECT) -> bytes:
    return v1("SubscribeSingle", query=query, request_id=1, query_id=number(query_id))


def end(name: str, query_id: int) -> bytes:
    return v1(name, request_id=1, query_id=number(query_id))


def said(outputs: Iterable[Output], of: sats.Sum) -> tuple[str, Any]:
    message = message_of(outputs)
    assert isinstance(message, bytes)
    answer: tuple[str, Any] = bsatn.decode(of, bsatn.Reader(message[1:]))
    return answer


def of_v1(outputs: Iterable[Output]) -> tuple[str, Any]:
    return said(outputs, messages.V1_SERVER_BSATN)


def of_v2(outputs: Iterable[Output]) -> tuple[str, Any]:
    return said(outputs, messages.V2_SERVER)


def hex_of(outputs: Iterable[Output]) -> str:
    message = message_of(outputs)
    assert isinstance(message, bytes)
    return message.hex()


# --- v2 and v3 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["v2.bsatn", "v3.bsatn"])
def test_a_set_finds_nothing_and_ends(protocol: str) -> None:
    session = new_session(protocol)

    answers = [hex_of(session.received(each)) for each in (subscribe(7), unsubscribe(7))]

    assert answers == ["0001010000000700000000000000", "0002010000000700000001"]


def test_dropped_rows_are_none_too_if_they_are_asked_for() -> None:
    session = new_session("v2.bsatn")
    session.received(subscribe(7))

    assert hex_of(session.received(unsubscribe(7, "SendDroppedRows"))) == "000201000000070000000000000000"


def test_a_set_can_be_made_again_after_it_has_ended() -> None:
    session = new_session("v2.bsatn")

    names = [of_v2(session.received(each))[0] for each in (subscribe(7), unsubscribe(7), subscribe(7))]

    assert names == ["SubscribeApplied", "UnsubscribeApplied", "SubscribeApplied"]


def error_of(session: Session, message: bytes) -> str:
    name, content = of_v2(session.received(message))
    assert name == "SubscriptionError"
    return str(content["error"])


def test_a_set_can_not_be_made_twice() -> None:
    session = new_session("v2.bsatn")
    session.received(subscribe(7))

    error = f"Subscription with id QuerySetId {{ id: 7 }} already exists for client: {CLIENT}"
    assert error_of(session, subscribe(7)) == error


def test_a_client_that_never_subscribed_is_not_known() -> None:
    assert error_of(new_session("v2.bsatn"), unsubscribe(7)) == f"Client not found: {CLIENT}"


def test_a_set_that_is_not_there_can_not_end() -> None:
    session = new_session("v2.bsatn")
    session.received(subscribe(1))

    assert error_of(session, unsubscribe(7)) == f"Subscription not found: ({CLIENT}, QuerySetId {{ id: 7 }})"


def test_a_query_that_is_wrong_makes_no_set() -> None:
    session = new_session("v2.bsatn")

    error = error_of(session, subscribe(7, SELECT, "junk"))

    found = "sql parser error: Expected an SQL statement, found: junk at Line: 1, Column 1"
    assert error == f"{found}, executing: `junk`"
    assert error_of(session, unsubscribe(7)) == f"Client not found: {CLIENT}"


def test_a_batch_makes_each_set_that_can_be_made() -> None:
    session = new_session("v2.bsatn", "v2.14")
    sets = [{"query_set_id": number(each), "query_strings": (SELECT,)} for each in (9, 9)]

    _, content = of_v2(session.received(v2("SubscribeBatch", request_id=7, query_sets=sets)))

    taken = f"Subscription with id QuerySetId {{ id: 9 }} already exists for client: {CLIENT}"
    assert [each["result"] for each in content["query_sets"]] == [("ok", {"tables": []}), ("err", taken)]


def test_a_batch_has_the_released_layout() -> None:
    """Run with the crate of 2.14.0."""
    asked = bytes.fromhex("05070000000100000009000000010000001200000053454c454354202a2046524f4d2075736572")

    assert hex_of(new_session("v2.bsatn", "v2.14").received(asked)) == "00080700000001000000090000000000000000"


def test_a_batch_of_no_sets_is_answered_with_none() -> None:
    asked = bytes.fromhex("050700000000000000")

    assert hex_of(new_session("v3.bsatn", "documented").received(asked)) == "00080700000000000000"


def test_releases_before_2_10_2_know_no_batch() -> None:
    asked = bytes.fromhex("050700000000000000")

    assert new_session("v2.bsatn").received(asked) == [Close(1011, "unknown tag 0x5 for sum type ClientMessage")]


def test_a_frame_of_v3_with_several_messages_is_answered_in_one() -> None:
    asked = bytes.fromhex(VECTORS["client_frames"]["v3 two Subscribe in one frame (2.10.1)"])

    answer = hex_of(new_session("v3.bsatn").received(asked))

    assert answer == VECTORS["server_frames"]["v3 two SubscribeApplied in one frame"]


def test_a_frame_of_v3_that_ends_badly_is_not_answered_at_all() -> None:
    close = Close(1011, "data too short for u32: Expected 4, given 0")

    assert new_session("v3.bsatn").received(subscribe(7) + b"\0") == [close]


def test_v2_ignores_what_follows_a_message() -> None:
    assert of_v2(new_session("v2.bsatn").received(subscribe(7) + subscribe(8)))[1]["query_set_id"] == number(7)


# --- v1 ---------------------------------------------------------------------------------------------------------------


def test_a_legacy_subscription_finds_nothing() -> None:
    asked = v1("Subscribe", query_strings=(SELECT,), request_id=7)

    assert hex_of(new_session("v1.bsatn").received(asked)) == "000000000000070000000000000000000000"


def test_several_queries_find_nothing() -> None:
    session = new_session("v1.bsatn")

    answers = [hex_of(session.received(each)) for each in (multi(7), end("UnsubscribeMulti", 7))]

    assert answers == [f"00{tag}0100000000000000000000000700000000000000" for tag in ("08", "09")]


@pytest.mark.parametrize(
    ("asked", "answer"), [("SubscribeSingle", "SubscribeApplied"), ("Unsubscribe", "UnsubscribeApplied")]
)
def test_a_single_query_has_a_table_without_rows(asked: str, answer: str) -> None:
    session = new_session("v1.bsatn")
    outputs = session.received(single(7))
    if asked == "Unsubscribe":
        outputs = session.received(end("Unsubscribe", 7))

    name, content = of_v1(outputs)

    no_list: Any = {"size_hint": ("RowOffsets", []), "rows_data": b""}
    updates = [("Uncompressed", {"deletes": no_list, "inserts": no_list})]
    named = {"table_id": 4096, "table_name": "person"}
    assert name == answer
    assert content["rows"] == named | {"table_rows": named | {"num_rows": 0, "updates": updates}}


def test_so_it_is_in_json() -> None:
    asked = {"SubscribeSingle": {"query": SELECT, "request_id": 1, "query_id": {"id": 7}}}

    (content,) = json.loads(message_of(new_session("v1.json").received(json.dumps(asked)))).values()

    assert content["rows"]["table_rows"] == {
        "table_id": 4096, "table_name": "person", "num_rows": 0, "updates": [{"deletes": [], "inserts": []}],
    }  # fmt: skip


@pytest.mark.parametrize("queries", [(SELECT, "SELECT * FROM other"), ()])
def test_a_single_query_ends_only_a_set_of_one(queries: tuple[str, ...]) -> None:
    session = new_session("v1.bsatn")
    session.received(v1("SubscribeMulti", query_strings=queries, request_id=1, query_id=number(7)))

    name, content = of_v1(session.received(end("Unsubscribe", 7)))

    assert (name, content["error"]) == ("SubscriptionError", "Internal error")


@pytest.mark.parametrize(("profile", "type_name"), [("v1", "QueryId"), ("v2.8", "QuerySetId")])
@pytest.mark.parametrize("name", ["Unsubscribe", "UnsubscribeMulti"])
def test_what_ends_no_set_is_an_error(profile: str, type_name: str, name: str) -> None:
    session = new_session("v1.bsatn", profile)

    first = of_v1(session.received(end(name, 7)))[1]
    session.received(multi(1))
    second = of_v1(session.received(end(name, 7)))[1]

    assert (first["request_id"], first["query_id"], first["table_id"]) == (1, 7, None)
    assert first["error"] == f"Client not found: {CLIENT}"
    assert second["error"] == f"Subscription not found: ({CLIENT}, {type_name} {{ id: 7 }})"


def test_a_legacy_subscription_makes_a_client_known() -> None:
    session = new_session("v1.bsatn")
    session.received(v1("Subscribe", query_strings=(), request_id=7))

    assert of_v1(session.received(end("Unsubscribe", 7)))[1]["error"].startswith("Subscription not found")


def test_releases_1_tell_of_a_set_made_twice_as_of_a_reducer_that_failed() -> None:
    session = new_session("v1.bsatn", "v1")
    session.received(multi(100))

    name, content = of_v1(session.received(multi(100, request=12)))

    text = f"Subscription with id QueryId {{ id: 100 }} already exists for client: {CLIENT}"
    assert (name, content["status"]) == ("TransactionUpdate", ("Failed", text))
    assert content["reducer_call"] == {"reducer_name": "<none>", "reducer_id": 0xFFFFFFFF, "args": b"", "request_id": 0}


def test_releases_2_tell_of_it_as_of_a_subscription() -> None:
    session = new_session("v1.bsatn", "v2.8")
    session.received(single(7))

    name, content = of_v1(session.received(multi(7, request=12)))

    text = f"Subscription with id QuerySetId {{ id: 7 }} already exists for client: {CLIENT}"
    assert (name, content["request_id"], content["query_id"], content["error"]) == ("SubscriptionError", 12, 7, text)


def test_releases_1_tell_all_causes_of_a_wrong_legacy_subscription() -> None:
    asked = v1("Subscribe", query_strings=(" ",), request_id=7)

    _, content = of_v1(new_session("v1.bsatn", "v1").received(asked))

    outer = "SubscriptionError: Empty string"
    assert content["status"] == ("Failed", f"{outer}, executing: ` `: {outer}: Empty string")


def test_releases_2_tell_of_it_without_a_set() -> None:
    asked = v1("Subscribe", query_strings=("junk",), request_id=7)

    _, content = of_v1(new_session("v1.bsatn").received(asked))

    assert (content["request_id"], content["query_id"]) == (7, None)


# --- one-off queries --------------------------------------------------------------------------------------------------


def test_a_one_off_query_finds_nothing() -> None:
    asked = v2("OneOffQuery", request_id=3, query_string=SELECT)

    assert hex_of(new_session("v2.bsatn").received(asked)) == "0005030000000000000000"


def test_one_of_v1_too() -> None:
    asked = v1("OneOffQuery", message_id=b"id", query_string=SELECT)

    assert hex_of(new_session("v1.bsatn").received(asked)) == "0004020000006964" + "01" + "00000000" + "00" * 8


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", "Empty SQL query"),
        ("\n  junk x", "sql parser error: Expected an SQL statement, found: junk at Line: 2, Column 3"),
        ("x" * 50_001, f'SQL query exceeds maximum allowed length: "{"x" * 120}..."'),
    ],
)
def test_one_that_is_wrong_in_itself_is_refused(query: str, error: str) -> None:
    asked = v2("OneOffQuery", request_id=3, query_string=query)

    assert of_v2(new_session("v2.bsatn").received(asked))[1]["result"] == ("err", error)


# --- limits -----------------------------------------------------------------------------------------------------------


def test_one_set_more_than_is_kept_ends_the_connection() -> None:
    session = new_session("v2.bsatn")
    for each in range(MOST_SETS):
        session.received(subscribe(each))

    assert session.received(subscribe(MOST_SETS)) == OVERLOADED


def test_a_frame_with_more_messages_than_are_read_ends_the_connection() -> None:
    one_off = v2("OneOffQuery", request_id=3, query_string="")

    assert new_session("v3.bsatn").received(one_off * 30_000) == OVERLOADED
