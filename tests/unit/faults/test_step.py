"""A step that can never happen is refused with its mistakes."""

import re
from typing import Any

import pytest

from emulator.faults.kinds import Do
from emulator.faults.step import Step, made_step, step_of


def _socket(**fault: Any) -> dict[str, Any]:
    return {"request": "GET /v1/database/*/subscribe", "do": {"websocket": fault}}


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ({"do": {}, "request": "POST /identity"}, "do: no action given; add one of status, body"),
        ({"do": {"stauts": 503}}, "do.stauts: unknown key, did you mean 'status'?"),
        ({"do": {"status": 503}, "requst": "POST /x"}, "requst: unknown key, did you mean 'request'?"),
        ({"do": {"status": "503"}, "request": "POST /x"}, "do.status: expected a whole number, got '503'"),
        ({"do": {"status": 99}, "request": "POST /x"}, "do.status: 99 is not a valid status"),
        ({"do": {"status": 503, "hang": True}, "request": "POST /x"}, "do.hang: either status or hang, not both"),
        ({"do": {"body": "x", "drop": "after"}, "request": "POST /x"}, "do.drop: either status or drop, not both"),
        ({"do": {"on_clock": True, "hang": True}, "request": "POST /x"}, "do.on_clock: it needs `delay`"),
        ({"do": {"delay": [2, 1]}, "request": "POST /x"}, "is too small"),
        ({"do": {"delay": -1}, "request": "POST /x"}, "is too small"),
        (
            {"do": {"status": 200, "headers": {"a b": "c"}}, "request": "POST /x"},
            "do.headers: invalid header 'a b': 'c'",
        ),
        ({"do": {"status": 200, "headers": {"a": "b\r\nc"}}, "request": "POST /x"}, "invalid header"),
        (
            {"do": {"status": 200, "headers": {"Content-Length": "5"}}, "request": "POST /x"},
            "do.headers: 'Content-Length' is written by the server itself",
        ),
        (
            {"do": {"rate_limit": {"requests": 1, "seconds": 0}}, "request": "POST /x"},
            "do.rate_limit.seconds: 0 is too small; the minimum is 0.001",
        ),
        (_socket(), "do.websocket: no action given; add one of first_message, identity, error, close"),
        (_socket(close=999), "do.websocket.close: 999 is not a valid code; it must be 1000 to 1003, 1007"),
        (_socket(close=5000), "do.websocket.close: 5000 is not a valid code"),
        (_socket(close=4000, reason="é" * 62), "do.websocket.reason: it has 124 bytes; at most 123 fit"),
        (_socket(reason="why", cut=True), "do.websocket.reason: it needs `close`"),
        (_socket(close=4000, cut=True), "do.websocket.cut: either close or cut, not both"),
        (_socket(identity="0xc2"), "do.websocket.identity: it must be 64 hex digits in lower case"),
        (_socket(identity=True, first_message=False), "do.websocket.identity: it is in the first message"),
        (_socket(after_messages=1), "do.websocket.after_messages: it needs `error`, `close` or `cut`"),
        (_socket(after_seconds=1), "do.websocket.after_seconds: it needs `error`, `close` or `cut`"),
        (_socket(cut=True, after_messages=0), "do.websocket.after_messages: 0 is too small; the minimum is 1"),
        (_socket(cut=True, after_seconds=-1), "do.websocket.after_seconds: -1 is too small; the minimum is 0"),
        (_socket(cut=True, after_messages=1, after_seconds=1), "either after_messages or after_seconds, not both"),
        ({**_socket(cut=True), "request": None, "at": 5}, "do.websocket: it needs a request; add `request`"),
        ({"do": {"websocket": {"cut": True}, "hang": True}, "request": "GET /x"}, "either hang or websocket, not both"),
        ({"do": {"status": 503}}, "it needs `request` or `at`"),
        ({"do": {"status": 503}, "at": 5}, "do.status: it needs a request"),
        ({"do": {"rotate_key": True}, "at": 5, "nth": 2}, "nth: it needs a request"),
        ({"do": {"rotate_key": True}, "at": float("inf")}, "at: expected a finite number, got inf"),
        ({"do": {"delay": float("nan")}, "request": "POST /x"}, "do.delay: expected a finite number, got nan"),
        ({"do": {"delay": [1, float("nan")]}, "request": "POST /x"}, "do.delay[1]: expected a finite number, got nan"),
        ({"do": {"advance": -1e12}, "request": "POST /x"}, "do.advance: it must be a number"),
        ({"do": {"rate_limit": {"seconds": float("inf")}}, "request": "POST /x"}, "rate_limit.seconds"),
        ({"do": {"rotate_key": True}, "at": -5}, "at: -5 is too small; the minimum is 0"),
        ({"do": {"hang": True}, "request": "POST /x", "nth": 0}, "nth: 0 is too small; the minimum is 1"),
        ({"do": {"hang": True}, "request": "POST /x", "nth": 2, "times": 3}, "nth: it can't be combined with"),
        ({"do": {"hang": True}, "request": "POST /x", "probability": 2}, "probability: 2.0 is not between 0 and 1"),
        ({"do": {"hang": True}, "request": "POST /x", "at": 5, "until": 5}, "until: it must be later than `at`"),
    ],
)
def test_the_mistake_is_named(step: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        made_step(step)


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(ValueError, match=r"nth: .*; do.hang: .*; do.status: |do.hang: .*; do.status: .*; nth: "):
        made_step({"request": "POST /x", "nth": 0, "do": {"status": 99, "hang": True}})


def test_a_step_as_text_has_its_conditions_and_actions() -> None:
    step = made_step({"request": "POST /identity", "nth": 2, "do": {"delay": [1, 2], "status": 503}})

    assert str(step) == "POST /identity (nth 2): status: 503, delay: (1.0, 2.0)"


def test_a_step_as_text_has_neither_keys_nor_bodies() -> None:
    step = made_step(step_of("POST /identity", {"revoke": "a-secret-key", "status": 503, "body": "secret"}))

    assert str(step) == "POST /identity: status: 503, body, revoke"


def test_keywords_that_are_not_conditions_are_actions() -> None:
    made = made_step(step_of("POST /identity", {"nth": 2, "drop": "after"}))

    assert made == Step(request="POST /identity", nth=2, do=Do(drop="after"))


def test_a_body_without_a_status_is_an_answer_of_200() -> None:
    assert made_step(step_of("POST /identity", {"body": {"ok": 1}})).do.answer == "status"
