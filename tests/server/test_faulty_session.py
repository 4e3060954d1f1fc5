"""What a fault makes of a session, without a socket."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator.faults.kinds import WebSocketFault
from emulator.http.upgrade import Close, Cut, Output, Send, Session, Upgrade
from emulator.server.faulty_session import with_fault
from tests.server.sessions import ME, Echo

HELLO = Send(f"hello {ME}")
OTHER = "c3" * 32


def faulty(other: str = "", **fault: Any) -> Session:
    return with_fault(Upgrade(Echo()), WebSocketFault(**fault), other).session


def said(session: Session, *messages: str) -> list[Output]:
    return [*session.opened(), *(output for message in messages for output in session.received(message))]


@pytest.mark.parametrize(
    ("session", "outputs"),
    [
        (lambda: faulty(first_message=False), [Send("a"), Send("b")]),
        (lambda: faulty(OTHER, identity=True), [Send(f"hello {OTHER}"), Send("a"), Send("b")]),
        (lambda: faulty(error="oh"), [HELLO, Send("error: oh"), Send("a"), Send("b")]),
        (
            lambda: faulty(error=True, after_messages=1),
            [HELLO, Send("a"), Send("error: an error in the middle of the session"), Send("b")],
        ),
        (lambda: faulty(close=4000, reason="why", after_messages=2), [HELLO, Send("a"), Send("b"), Close(4000, "why")]),
        (lambda: faulty(cut=True, after_messages=1), [HELLO, Send("a"), Cut(), Send("b")]),
        (
            lambda: faulty(first_message=False, error="oh", close=1011, after_messages=2),
            [Send("a"), Send("b"), Send("error: oh"), Close(1011)],
        ),
    ],
    ids=["no first message", "other identity", "error", "later error", "close", "cut", "all"],
)
def test_what_is_said(session: Callable[[], Session], outputs: list[Output]) -> None:
    assert said(session(), "a", "b") == outputs


def test_something_at_a_time_is_not_said_before() -> None:
    upgrade = with_fault(Upgrade(Echo()), WebSocketFault(close=4000, after_seconds=2), "")

    assert said(upgrade.session, "a") == [HELLO, Send("a")]
    assert upgrade.later is not None
    assert upgrade.later.seconds == 2
    assert list(upgrade.later.outputs()) == [Close(4000)]


def test_it_is_the_same_connection() -> None:
    session = faulty(OTHER, identity=True)

    assert (session.identity, session.connection_id) == (ME, Echo.connection_id)
    assert session.text_of(b"123", by_client=True) == "3 bytes"
