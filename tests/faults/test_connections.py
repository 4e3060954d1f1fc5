"""What a fault does to its connection and to the requests around it."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator import Emulator
from emulator.core.clock import EARLIEST, LATEST
from emulator.faults.fault_matrix import Kind, matrix
from emulator.faults.schedule import Fault
from tests.conftest import API_KEY
from tests.faults.conftest import Server
from tests.raw import connect, exchange, read_answer, request
from tests.waiting import eventually

PING = request("GET", "/v1/ping")
HEALTH = request("GET", "/v1/health")
CLOSING = {"drop_before", "drop_after", "tcp_reset", "truncate", "malformed_chunk", "garbage"}
OPEN = [kind for kind in matrix() if kind.name not in CLOSING | {"hang", "delay"}]
MOMENT = datetime(2024, 2, 15, 5, 47, 17, tzinfo=UTC)


def everything(emulator: Emulator, sent: bytes) -> bytes:
    """All bytes until the server closes the connection."""
    with connect(emulator.url) as connection:
        connection.sendall(sent)
        received = b""
        try:
            while piece := connection.recv(4096):
                received += piece
        except ConnectionResetError:
            pass
        return received


@pytest.mark.parametrize("kind", [kind for kind in matrix() if kind.name in CLOSING], ids=lambda kind: kind.name)
def test_a_request_after_a_broken_response_is_not_handled(emulator: Emulator, kind: Kind) -> None:
    emulator.faults.add("GET /v1/health", times=1, **kind.do)

    received = everything(emulator, PING + HEALTH + PING)

    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert [each.path for each in emulator.journal.exchanges] == ["/v1/ping", "/v1/health"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("kind", OPEN, ids=lambda kind: kind.name)
def test_the_connection_goes_on_behind_an_answer_that_is_whole(emulator: Emulator, kind: Kind, method: str) -> None:
    emulator.faults.add("* /v1/health", times=1, **kind.do)

    last = request("GET", "/v1/ping", "Connection: close")
    received = everything(emulator, request(method, "/v1/health") + last)

    assert received.count(b"HTTP/1.1 ") == 2
    assert received.partition(b"HTTP/1.1 ")[2].partition(b"HTTP/1.1 ")[2].startswith(b"200 OK\r\n")
    assert [bool(each.fault) for each in emulator.journal.exchanges] == [True, False]


@pytest.mark.parametrize("do", [{"hang": True}, {"delay": 60, "on_clock": True}], ids=["hang", "delay"])
def test_a_client_that_disconnects_leaves_no_task(server: Server, do: dict[str, Any]) -> None:
    server.emulator.clock.freeze()
    server.emulator.faults.add("GET /v1/ping", **do)

    with connect(server.emulator.url) as connection:
        connection.sendall(PING * 3)
        assert eventually(lambda: server.requests_under_way == 1)

    assert eventually(lambda: server.requests_under_way == 0)


@pytest.mark.parametrize("replaced", [True, False], ids=["reset", "restore"])
def test_a_delay_on_the_clock_of_a_replaced_world_ends(server: Server, replaced: bool) -> None:
    emulator = server.emulator
    emulator.clock.freeze(MOMENT)
    before = emulator.snapshot()
    emulator.faults.add("POST /v1/identity", delay=60, on_clock=True)
    old = emulator.journal

    with connect(emulator.url) as connection:
        connection.sendall(request("POST", "/v1/identity"))
        assert eventually(lambda: server.requests_under_way == 1)
        emulator.reset() if replaced else emulator.restore(before)

        assert read_answer(connection).status == 200
    assert old.exchanges[-1].outlived


@pytest.mark.parametrize("do", [{"drop": "before"}, {"tcp_reset": True}, {"garbage": True}], ids=str)
def test_a_body_that_never_ends_does_not_keep_a_fault_waiting(emulator: Emulator, do: dict[str, Any]) -> None:
    emulator.faults.add("POST /identity", **do)
    head = request("POST", "/identity", f"x-api-key: {API_KEY}", "Content-Type: application/json", "Content-Length: 9")

    everything(emulator, head + b"{")  # raises TimeoutError where it waits for the body

    assert emulator.journal.exchanges[0].fault


@pytest.mark.parametrize(("moment", "seconds"), [(EARLIEST, -1e9), (LATEST, 1e9)])
def test_a_clock_advanced_beyond_its_years_stays_unchanged(
    emulator: Emulator, moment: datetime, seconds: float
) -> None:
    emulator.clock.freeze(moment)
    emulator.faults.add("GET /v1/ping", times=1, advance=seconds)
    emulator.faults.add(at=0, advance=seconds)

    assert exchange(emulator.url, PING).status == 200
    assert emulator.clock.now() == moment


@pytest.mark.parametrize(
    ("do", "message"),
    [
        ({"status": 204, "body": "x"}, "a response with status 204 has no body"),
        ({"status": 304, "body": {}}, "a response with status 304 has no body"),
        ({"advance": 1e12}, "advance: it must be a number"),
        ({"advance": float("nan")}, "advance: expected a finite number, got nan"),
    ],
)
def test_a_fault_that_could_only_break_the_emulator_is_refused(
    emulator: Emulator, do: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        emulator.faults.add("GET /v1/ping", **do)


def test_a_rate_limit_drops_the_client_whose_last_request_is_oldest(emulator: Emulator) -> None:
    emulator.clock.freeze()
    fault = emulator.faults.add("GET /v1/ping", rate_limit={"requests": 5})
    assert isinstance(fault, Fault)
    with connect(emulator.url) as connection:
        for number in range(1100):
            connection.sendall(request("GET", "/v1/ping", f"x-api-key: {number}{'k' * 1000}"))
            assert read_answer(connection).status == 200

    assert len(fault.windows) == 1000
    assert max(map(len, fault.windows)) == 200


def test_moves_of_the_clock_from_many_threads_add_up(emulator: Emulator) -> None:
    emulator.clock.freeze(MOMENT)

    def move() -> None:
        for _ in range(250):
            emulator.clock.advance(1)

    threads = [threading.Thread(target=move) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (emulator.clock.now() - MOMENT).total_seconds() == 1000
