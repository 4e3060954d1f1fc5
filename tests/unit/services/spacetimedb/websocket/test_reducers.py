"""Reducers and procedures: unknown, or stubbed."""

import json
from typing import Any

import pytest

from emulator.http.upgrade import Close
from tests.unit.services.spacetimedb.websocket.sessions import CONNECTION_ID, IDENTITY, message_of, new_session
from tests.unit.services.spacetimedb.websocket.test_subscriptions import hex_of, of_v1, of_v2, v1, v2

NOW = 1_700_000_000_123_456


def is_send(reducer: str) -> bool:
    return reducer == "send"


def call_v1(reducer: str, flags: int = 0, args: bytes = b"\1\2") -> bytes:
    return v1("CallReducer", reducer=reducer, args=args, request_id=5, flags=flags)


def call_v2(reducer: str) -> bytes:
    return v2("CallReducer", request_id=5, flags=0, reducer=reducer, args=b"")


def in_json(session: Any, message: Any) -> Any:
    return json.loads(message_of(session.received(json.dumps(message))))


# --- unknown ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["v2.bsatn", "v3.bsatn"])
def test_a_reducer_is_unknown(protocol: str) -> None:
    session = new_session(protocol, micros=lambda: NOW)

    name, content = of_v2(session.received(call_v2("send")))

    assert (name, content["request_id"], content["result"]) == (
        "ReducerResult", 5, ("InternalError", "no such reducer"),
    )  # fmt: skip
    assert content["timestamp"] == {"__timestamp_micros_since_unix_epoch__": NOW}


def test_v1_tells_of_it_as_of_a_reducer_without_number_and_request() -> None:
    session = new_session("v1.bsatn", micros=lambda: NOW)

    name, content = of_v1(session.received(call_v1("nope")))

    assert (name, content["status"]) == ("TransactionUpdate", ("Failed", "no such reducer"))
    assert content["reducer_call"] == {"reducer_name": "nope", "reducer_id": 0xFFFFFFFF, "args": b"", "request_id": 0}
    assert content["caller_identity"] == {"__identity__": int(IDENTITY, 16)}
    assert content["caller_connection_id"] == {"__connection_id__": int(CONNECTION_ID, 16)}


def test_so_it_does_in_json() -> None:
    call = {"reducer": "nope", "args": "[1]", "request_id": 5, "flags": 0}

    content = in_json(new_session("v1.json"), {"CallReducer": call})["TransactionUpdate"]

    assert content["status"] == {"Failed": "no such reducer"}
    assert content["reducer_call"] == {
        "reducer_name": "nope", "reducer_id": 4294967295, "args": "[]", "request_id": 0,
    }  # fmt: skip


@pytest.mark.parametrize(("profile", "named"), [("v1", "not a name"), ("v2.8", "")])
def test_releases_2_do_not_name_what_is_no_identifier(profile: str, named: str) -> None:
    _, content = of_v1(new_session("v1.bsatn", profile).received(call_v1("not a name")))

    assert content["reducer_call"]["reducer_name"] == named


def test_a_failure_is_told_even_if_success_should_not_be() -> None:
    assert of_v1(new_session("v1.bsatn").received(call_v1("nope", flags=1)))[0] == "TransactionUpdate"


def test_a_procedure_is_unknown() -> None:
    asked = v2("CallProcedure", request_id=1, flags=0, procedure="nope", args=b"")

    answer = hex_of(new_session("v2.bsatn", micros=lambda: NOW).received(asked))

    assert answer == "0007" + "01" + "11000000" + b"No such procedure".hex() + "00" * 16 + "01000000"


def test_a_procedure_is_unknown_in_json() -> None:
    call = {"procedure": "nope", "args": "[]", "request_id": 1, "flags": 0}

    assert in_json(new_session("v1.json"), {"CallProcedure": call}) == {
        "ProcedureResult": {
            "status": {"InternalError": "No such procedure"},
            "timestamp": {"__timestamp_micros_since_unix_epoch__": 0},
            "total_host_execution_duration": {"__time_duration_micros__": 0},
            "request_id": 1,
        }
    }


# --- stubbed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["v2.bsatn", "v3.bsatn"])
def test_a_stubbed_reducer_succeeds_without_a_change(protocol: str) -> None:
    session = new_session(protocol, micros=lambda: 1, is_stubbed=is_send)

    assert hex_of(session.received(call_v2("send"))) == "0006" + "05000000" + "01" + "00" * 7 + "00" + "00" * 8


def test_v1_sends_the_arguments_back() -> None:
    session = new_session("v1.bsatn", micros=lambda: NOW, is_stubbed=is_send)

    name, content = of_v1(session.received(call_v1("send")))

    assert (name, content["status"]) == ("TransactionUpdate", ("Committed", {"tables": []}))
    assert content["reducer_call"] == {"reducer_name": "send", "reducer_id": 0, "args": b"\1\2", "request_id": 5}


def test_json_sends_the_arguments_back_as_they_are() -> None:
    call = {"reducer": "send", "args": '["é", 1]', "request_id": 5, "flags": 0}

    content = in_json(new_session("v1.json", is_stubbed=is_send), {"CallReducer": call})["TransactionUpdate"]

    assert content["status"] == {"Committed": {"tables": []}}
    assert content["reducer_call"]["args"] == '["é", 1]'


def test_v1_is_silent_if_the_client_wants_it_so() -> None:
    assert list(new_session("v1.bsatn", is_stubbed=is_send).received(call_v1("send", flags=1))) == []


def test_a_reducer_stubbed_later_counts() -> None:
    stubs: set[str] = set()
    session = new_session("v2.bsatn", is_stubbed=stubs.__contains__)

    before = of_v2(session.received(call_v2("send")))[1]["result"][0]
    stubs.add("send")
    after = of_v2(session.received(call_v2("send")))[1]["result"][0]

    assert (before, after) == ("InternalError", "Ok")


def test_arguments_of_the_other_format_are_left_out() -> None:
    text = json.dumps({"CallReducer": {"reducer": "send", "args": "[1]", "request_id": 5, "flags": 0}})

    in_bsatn = of_v1(new_session("v1.bsatn", is_stubbed=is_send).received(text))[1]
    as_json = json.loads(message_of(new_session("v1.json", is_stubbed=is_send).received(call_v1("send"))))

    assert in_bsatn["reducer_call"]["args"] == b""
    assert as_json["TransactionUpdate"]["reducer_call"]["args"] == "[]"


# --- time, ends and errors --------------------------------------------------------------------------------------------


def test_durations_are_what_passes_on_the_clock() -> None:
    times = iter([100, 100, 130])
    session = new_session("v1.bsatn", micros=lambda: next(times), is_stubbed=is_send)

    _, content = of_v1(session.received(call_v1("send")))

    assert content["total_host_execution_duration"] == {"__time_duration_micros__": 0}
    assert content["timestamp"] == {"__timestamp_micros_since_unix_epoch__": 130}


def test_a_clock_that_is_set_back_makes_no_negative_duration() -> None:
    times = iter([100, 30])
    session = new_session("v1.bsatn", micros=lambda: next(times))

    _, content = of_v1(session.received(v1("OneOffQuery", message_id=b"", query_string="SELECT 1")))

    assert content["total_host_execution_duration"] == {"__time_duration_micros__": 0}


@pytest.mark.parametrize(
    ("protocol", "message", "reason"),
    [
        ("v2.bsatn", "{}", "v2 websocket does not support text messages"),
        ("v3.bsatn", "", "v3 websocket does not support text messages"),
        ("v3.bsatn", b"", "v3 websocket binary payload must contain at least one v2 client message"),
        ("v1.json", b"\x63", "unknown tag 0x63 for sum type ClientMessage"),
        ("v1.bsatn", "hello", "expected value at line 1 column 1"),
    ],
)
def test_a_message_of_the_wrong_kind_is_judged_by_its_kind(protocol: str, message: Any, reason: str) -> None:
    assert new_session(protocol).received(message) == [Close(1011, reason)]


def test_a_long_reason_is_sent_whole() -> None:
    (close,) = new_session("v1.json").received('{"Foo":{}}')

    assert isinstance(close, Close)
    assert len(close.reason.encode()) == 188


def test_a_very_long_reason_is_cut() -> None:
    (close,) = new_session("v1.json").received(json.dumps({"Subscribe": "x" * 100_000}))

    assert isinstance(close, Close)
    assert len(close.reason) == 1000


def test_nothing_is_answered_after_a_close() -> None:
    session = new_session("v2.bsatn")
    session.received(b"")

    assert list(session.received(call_v2("send"))) == []


@pytest.mark.parametrize("protocol", ["v2.bsatn", "v3.bsatn"])
def test_an_error_in_the_middle_of_a_session_is_of_no_request(protocol: str) -> None:
    name, content = of_v2(new_session(protocol).failed("the database is gone"))

    assert (name, content) == (
        "SubscriptionError", {"request_id": None, "query_set_id": {"id": 0}, "error": "the database is gone"},
    )  # fmt: skip


def test_so_it_is_in_v1() -> None:
    name, content = of_v1(new_session("v1.bsatn").failed("gone"))

    assert (name, content["request_id"], content["query_id"], content["error"]) == (
        "SubscriptionError", None, None, "gone",
    )  # fmt: skip
