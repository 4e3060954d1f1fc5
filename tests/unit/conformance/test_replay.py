"""What the replayer sees of a connection, from servers that say what they are told to."""

import socket
from datetime import UTC, datetime, timedelta

import pytest

from emulator.conformance.cases import Case, Step
from emulator.conformance.replay import filled, send
from tests.replaying import replay
from tests.unit.conformance.servers import OK, REQUEST, always, saying, serving


def case(response: bytes = OK, *, closed: bool | None = False, steps: tuple[Step, ...] = ()) -> Case:
    return Case("a case", steps or (Step("send", REQUEST),), response, closed)


def test_a_case_holds_when_response_and_connection_are_as_recorded() -> None:
    with serving(always) as target:
        assert send(target, case()).difference is None


def test_a_connection_that_ends_is_told_from_one_that_stays() -> None:
    with serving(saying(OK)) as target:
        assert str(send(target, case()).difference) == "b'the connection ends', not b'the connection stays open'"
        assert send(target, case(closed=True)).difference is None


def test_a_connection_that_stays_is_told_from_one_that_ends() -> None:
    with serving(saying(OK, until_the_client_ends=True)) as target:
        outcome = send(target, case(closed=True), patience=0.1)

    assert str(outcome.difference) == "b'the connection stays open', not b'the connection ends'"


def test_a_response_that_nobody_asked_for_is_a_difference() -> None:
    with serving(saying(OK + OK)) as target:
        assert send(target, case(closed=True)).difference


def test_no_response_can_be_what_was_recorded() -> None:
    with serving(saying(b"", until_the_client_ends=True)) as target:
        assert send(target, case(b"")).difference is None
        assert send(target, case(), patience=0.1).difference


def test_the_second_part_waits_for_the_response_to_the_first() -> None:
    steps = (Step("send", REQUEST), Step("wait", 1), Step("send", REQUEST))
    with serving(always) as target:
        assert send(target, case(OK + OK, steps=steps)).difference is None


def test_a_response_to_head_has_no_body() -> None:
    head = OK.removesuffix(b"ok")
    with serving(saying(head)) as target:
        steps = (Step("send", b"HEAD / HTTP/1.1\r\n\r\n"),)

        assert send(target, case(head, closed=True, steps=steps)).difference is None


def test_a_case_is_sent_at_its_second_and_if_it_differs_in_the_next() -> None:
    moment, clock = datetime(2026, 11, 26, 20, 11, 49, tzinfo=UTC), list[datetime]()

    def serve(connection: socket.socket) -> None:
        saying(OK if len(clock) == 2 else b"HTTP/1.1 400 Bad Request\r\n\r\n")(connection)

    with serving(serve) as target:
        (outcome,) = replay(target, [Case("a case", (Step("send", REQUEST),), OK, None, moment)], clock.append)

    assert outcome.difference is None
    assert clock == [moment, moment + timedelta(seconds=1)]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (b"<identity>", b"c200"),
        (b"<token>", b"a.b.c"),
        (b"<basic token>", b"dG9rZW46YS5iLmM="),
        (b"<number>", b"<number>"),
        (b"<other>", b"<other>"),
    ],
)
def test_members_of_the_last_response_take_the_places_of_their_names(place: bytes, value: bytes) -> None:
    before = b'HTTP/1.1 200 OK\r\n\r\n{"identity":"c200","token":"a.b.c","number":1}'

    assert filled(b"GET /" + place + b" HTTP/1.1", [before]) == b"GET /" + value + b" HTTP/1.1"


@pytest.mark.parametrize("before", [[], [b"HTTP/1.1 204 No Content\r\n\r\n"], [b"HTTP/1.1 200 OK\r\n\r\n[1]"]])
def test_without_a_json_object_before_it_a_place_stays(before: list[bytes]) -> None:
    assert filled(b"<token>", before) == b"<token>"
