"""Faults of the connection, as they are on the socket: raw bytes, or none."""

import json
import re
import socket
from collections.abc import Iterator
from functools import partial
from time import monotonic
from typing import Any, Literal

import pytest

from emulator import Emulator, running_in_thread
from tests.conftest import API_KEY
from tests.faults.conftest import Server
from tests.raw import connect, exchange, read_answer, request
from tests.waiting import A_MOMENT, PATIENCE, eventually

When = Literal["before", "after"]

DRAFT = b'{"display_name":"JP","creator":"0x81"}'
PING = request("GET", "/v1/ping")
CREATE = request("POST", "/identity", f"x-api-key: {API_KEY}", "Content-Type: application/json", body=DRAFT)
"""On a connection that would be kept."""
REQUESTS = {"POST /identity": CREATE, "POST /v1/identity": request("POST", "/v1/identity")}


@pytest.fixture(params=REQUESTS)
def asked(request: pytest.FixtureRequest) -> Any:
    """The route of a fault and the bytes of a request to it: one of each API."""
    return request.param, REQUESTS[request.param]


def ended(emulator: Emulator, sent: bytes) -> bytes:
    """All bytes until the server closes the connection."""
    with connect(emulator.url) as connection:
        connection.sendall(sent)
        return b"".join(iter(partial(connection.recv, 65_536), b""))


def parts(raw: bytes) -> tuple[bytes, bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    return head, body


def declared(head: bytes) -> int:
    found = re.search(rb"\r\ncontent-length: (\d+)", head)
    assert found
    return int(found.group(1))


def whole(emulator: Emulator, sent: bytes) -> bytes:
    """The body without a fault."""
    return exchange(emulator.url, sent).body


# --- no answer --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dropped_connection_is_closed_without_a_byte(emulator: Emulator, asked: Any, when: When) -> None:
    emulator.faults.add(asked[0], drop=when)

    assert ended(emulator, asked[1]) == b""


@pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 1)])
def test_what_is_dropped_after_is_stored(emulator: Emulator, when: When, stored: int) -> None:
    emulator.faults.add("POST /identity", drop=when)

    ended(emulator, CREATE)

    assert len(emulator.intuition.identities) == stored


def test_a_reset_connection_is_econnreset(emulator: Emulator, asked: Any) -> None:
    emulator.faults.add(asked[0], tcp_reset=True)

    with pytest.raises(ConnectionResetError):
        ended(emulator, asked[1])
    assert len(emulator.intuition.identities) == 0


def test_garbage_is_not_http_and_the_same_under_the_same_seed(emulator: Emulator, asked: Any) -> None:
    emulator.faults.add(asked[0], garbage=True)
    first = ended(emulator, asked[1])
    emulator.reset()
    emulator.faults.add(asked[0], garbage=True)

    assert ended(emulator, asked[1]) == first
    assert len(first) == 65
    assert not first.startswith(b"HTTP/")


# --- half an answer ---------------------------------------------------------------------------------------------------


def test_a_truncated_body_is_half_of_what_its_head_declares(emulator: Emulator, asked: Any) -> None:
    full = whole(emulator, asked[1])
    emulator.reset()
    emulator.faults.add(asked[0], truncate=True)

    head, body = parts(ended(emulator, asked[1]))

    assert declared(head) == len(full)
    assert len(body) == len(full) // 2
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(("cut", "came"), [(0, 0), (5, 5), (10_000, 460)])
def test_a_body_is_truncated_after_so_many_bytes_and_never_whole(emulator: Emulator, cut: int, came: int) -> None:
    emulator.faults.add("POST /v1/identity", truncate=cut)

    head, body = parts(ended(emulator, REQUESTS["POST /v1/identity"]))

    assert (declared(head), len(body)) == (461, came)


def test_a_malformed_chunk_follows_a_valid_one(emulator: Emulator, asked: Any) -> None:
    emulator.faults.add(asked[0], malformed_chunk=True)

    head, body = parts(ended(emulator, asked[1]))

    assert b"\r\ntransfer-encoding: chunked\r\n" in head
    assert b"content-length" not in head
    length, _, rest = body.partition(b"\r\n")
    assert rest[int(length, 16) :] == b"\r\nno length\r\n"


def test_an_empty_answer_gets_a_body_to_break(emulator: Emulator) -> None:
    emulator.faults.add("GET /v1/ping", truncate=True)

    head, body = parts(ended(emulator, PING))

    assert (declared(head), body) == (2, b"{")


def test_half_of_the_json_is_a_valid_response_on_an_open_connection(emulator: Emulator, asked: Any) -> None:
    emulator.faults.add(asked[0], invalid_json=True, times=1)

    with connect(emulator.url) as connection:
        connection.sendall(asked[1])
        broken = read_answer(connection).body
        connection.sendall(asked[1])
        good = read_answer(connection).body

    with pytest.raises(json.JSONDecodeError):
        json.loads(broken)
    assert json.loads(good)


def test_what_arrives_in_pieces_is_stored(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", nth=1, truncate=True)
    emulator.faults.add("POST /identity", nth=2, malformed_chunk=True)
    emulator.faults.add("POST /identity", nth=3, invalid_json=True)

    ended(emulator, CREATE)
    ended(emulator, CREATE)
    exchange(emulator.url, CREATE)

    assert len(emulator.intuition.identities) == 3
    assert [each.fault.rpartition(": ")[2] for each in emulator.journal.exchanges] == [
        "truncate",
        "malformed_chunk",
        "invalid_json",
    ]


# --- never an answer --------------------------------------------------------------------------------------------------


@pytest.fixture
def hung(emulator: Emulator) -> Iterator[socket.socket]:
    """The connection of a request that the server has received and never answers."""
    emulator.faults.add("POST /identity", hang=True)
    with connect(emulator.url) as connection:
        connection.sendall(CREATE)
        emulator.journal.wait_for("POST", "/identity", timeout=PATIENCE)
        yield connection


def test_a_hung_request_gets_nothing_and_does_nothing(emulator: Emulator, hung: socket.socket) -> None:
    hung.settimeout(A_MOMENT)

    with pytest.raises(TimeoutError):
        hung.recv(1)
    assert len(emulator.intuition.identities) == 0


def test_other_requests_are_answered_while_one_hangs(server: Server, hung: socket.socket) -> None:
    assert exchange(server.emulator.url, PING).status == 200
    assert server.requests_under_way == 1


def test_a_hanging_request_ends_when_its_client_disconnects(server: Server, hung: socket.socket) -> None:
    hung.close()

    assert eventually(lambda: server.requests_under_way == 0)


def test_stopping_cuts_a_hung_request_off() -> None:
    with running_in_thread() as emulator:
        emulator.faults.add("POST /v1/identity", hang=True)
        connection = connect(emulator.url)
        connection.sendall(REQUESTS["POST /v1/identity"])
        emulator.journal.wait_for("POST", "/v1/identity", timeout=PATIENCE)
        began = monotonic()
    took = monotonic() - began

    with connection:
        assert connection.recv(1) == b""
    assert took < PATIENCE  # aiohttp alone would wait for 60 seconds


# --- late answers -----------------------------------------------------------------------------------------------------


def test_a_delay_on_the_clock_waits_for_the_clock(emulator: Emulator) -> None:
    emulator.clock.freeze()
    emulator.faults.add("POST /identity", delay=3600, on_clock=True)

    with connect(emulator.url) as connection:
        connection.sendall(CREATE)
        connection.settimeout(A_MOMENT)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        emulator.clock.advance(3600)
        connection.settimeout(PATIENCE)

        assert read_answer(connection).status == 200


@pytest.mark.parametrize("on_clock", [False, True])
def test_a_client_that_disconnects_during_a_delay_has_stored_nothing(server: Server, on_clock: bool) -> None:
    """As on the real servers, which drop a request whose client has disconnected."""
    emulator = server.emulator
    emulator.clock.freeze()
    emulator.faults.add("POST /v1/identity/*/set-email", delay=3600, on_clock=on_clock)
    made = emulator.spacetime.create_identity()
    target = f"/v1/identity/{made.identity}/set-email?email=a@b.c"

    with connect(emulator.url) as connection:
        connection.sendall(request("POST", target, f"Authorization: Bearer {made.token}"))
        assert eventually(lambda: server.requests_under_way == 1)
    found = emulator.journal.wait_for("POST", "/v1/identity/*/set-email", timeout=PATIENCE)

    assert found[0].why.endswith("the client hung up while its request was delayed")
    assert emulator.spacetime.email_of(made.identity) is None
