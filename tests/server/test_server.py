"""The server: start, stop, concurrent requests, and clients that misbehave."""

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import requests

from emulator import Config, Emulator, Misconfigured, running, running_in_thread
from emulator.control.api.access import Guard
from emulator.control.new_world import new_stage
from emulator.core.deferred_free import DeferredFree
from emulator.server.listening import listen
from emulator.server.run import serving_in_thread
from emulator.services.spacetimedb import store as spacetime
from tests.conftest import API_KEY
from tests.limits import LIMIT
from tests.raw import connect, exchange, read_answer, request
from tests.server.timer_loop import on_timers

GRACE = 0.1
"""Seconds that a server which is stopped gives to a request under way."""


def test_a_taken_port_is_named_at_once(emulator: Emulator) -> None:
    with pytest.raises(Misconfigured, match=f"can't listen on 127.0.0.1:{emulator.port}: .*choose another --port"):
        listen("127.0.0.1", emulator.port)


@pytest.mark.parametrize(("host", "port"), [("nowhere.invalid", 0), ("127.0.0.1", 70_000)])
def test_an_address_that_can_not_be_bound_is_named(host: str, port: int) -> None:
    with pytest.raises(Misconfigured, match=f"can't listen on {host}:{port}"):
        listen(host, port)


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_ipv6_loopback_is_served() -> None:
    try:
        listen("::1", 0).close()
    except Misconfigured:
        pytest.skip("IPv6 is switched off on this machine")
    with running_in_thread(host="::1") as emulator:
        assert emulator.url.startswith("http://[::1]:")
        assert requests.get(f"{emulator.url}/_emulator/health", timeout=LIMIT).status_code == 200


def test_any_address_is_called_by_a_name_a_client_can_use() -> None:
    with listen("0.0.0.0", 0) as listener:
        assert listener.url.startswith("http://127.0.0.1:")


def test_two_servers_know_nothing_of_each_other() -> None:
    with running_in_thread(Config(seed=1)) as first, running_in_thread(Config(seed=2)) as second:
        requests.get(f"{first.url}/v1/ping", timeout=LIMIT)

        assert (len(first.journal), len(second.journal)) == (1, 0)


def test_it_runs_in_a_loop_of_the_users_own() -> None:
    async def use() -> int:
        async with running(Config(seed=7)) as emulator:
            reader, writer = await asyncio.open_connection("127.0.0.1", emulator.port)
            writer.write(request("GET", "/v1/ping", "Connection: close"))
            head = await reader.read()
            writer.close()
            await writer.wait_closed()
            return int(head.split(b" ")[1])

    assert asyncio.run(use()) == 200


def test_the_environment_points_both_clients_here(emulator: Emulator) -> None:
    assert emulator.env() == {
        "IDENTITY_EMULATOR_URL": emulator.url,
        "SPACETIMEDB_URI": emulator.url,
        "INTUITION_API_URL": emulator.url,
        "INTUITION_API_KEY": API_KEY,
    }


UNFINISHED = request(
    "POST",
    "/identity",
    f"x-api-key: {API_KEY}",
    "Content-Type: application/json",
    "Content-Length: 9",
    "Expect: 100-continue",
)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""What the server says once it awaits a body, so the request is under way."""


def test_stopping_takes_no_longer_than_its_grace_while_a_body_is_awaited() -> None:
    async def stopped_after() -> float:
        async with running() as emulator:
            reader, writer = await asyncio.open_connection("127.0.0.1", emulator.port)
            writer.write(UNFINISHED)
            assert await reader.readexactly(len(CONTINUE)) == CONTINUE
            began = asyncio.get_running_loop().time()
        writer.close()
        return asyncio.get_running_loop().time() - began

    assert round(on_timers(stopped_after), 3) <= GRACE


def test_stopping_takes_no_longer_than_its_grace_while_a_fault_lets_a_request_hang() -> None:
    async def stopped_after() -> float:
        async with running() as emulator:
            emulator.faults.add("POST /v1/identity", hang=True)
            _, writer = await asyncio.open_connection("127.0.0.1", emulator.port)
            writer.write(request("POST", "/v1/identity"))
            await emulator.journal.async_wait_for("POST", "/v1/identity", timeout=LIMIT)
            began = asyncio.get_running_loop().time()
        writer.close()
        return asyncio.get_running_loop().time() - began

    assert round(on_timers(stopped_after), 3) <= GRACE


def test_stopping_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with running_in_thread() as emulator:
        requests.get(f"{emulator.url}/v1/ping", timeout=LIMIT)

    assert set(threading.enumerate()) <= before


def test_requests_on_one_connection_are_answered_in_order(emulator: Emulator) -> None:
    with connect(emulator.url) as connection:
        connection.sendall(request("GET", "/v1/ping") + request("GET", "/v1/nope") + request("HEAD", "/v1/health"))
        statuses = [read_answer_in_pieces(connection) for _ in range(3)]

    assert statuses == [200, 404, 200]


def read_answer_in_pieces(connection: socket.socket) -> int:
    """One head, byte by byte, so that nothing of the next answer is taken away."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    return int(head.split(b" ")[1])


def test_a_request_sent_byte_by_byte_is_answered(emulator: Emulator) -> None:
    with connect(emulator.url) as connection:
        for byte in request("GET", "/v1/ping"):
            connection.send(bytes([byte]))
        assert read_answer(connection).status == 200


def test_a_client_that_disconnects_does_not_affect_the_next(emulator: Emulator) -> None:
    head = request("POST", "/identity", f"x-api-key: {API_KEY}", "Content-Type: application/json", "Content-Length: 9")
    for sent in (head + b"{", request("GET", "/v1/ping")):
        with connect(emulator.url) as connection:
            connection.sendall(sent)

    assert exchange(emulator.url, request("GET", "/v1/ping")).status == 200


def test_a_large_unread_body_does_not_keep_the_answer_back(emulator: Emulator) -> None:
    answer = requests.post(f"{emulator.url}/v1/identity", data=b"x" * 3_000_000, timeout=LIMIT)

    assert answer.status_code == 200


@pytest.mark.parametrize("upgrade", ["h2c", "websocket"])
def test_an_upgrade_is_not_taken_up(emulator: Emulator, upgrade: str) -> None:
    sent = request("GET", "/v1/ping", "Connection: Upgrade", f"Upgrade: {upgrade}")

    assert exchange(emulator.url, sent).status == 200


def test_connect_is_no_route(emulator: Emulator) -> None:
    assert exchange(emulator.url, b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n").status == 404


def test_http_1_0_is_answered_as_http_1_0_and_closed(emulator: Emulator) -> None:
    with connect(emulator.url) as connection:
        connection.sendall(b"GET /v1/ping HTTP/1.0\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(4096), b""))

    assert received.startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"connection:" not in received


def test_many_clients_at_once_get_identities_of_their_own(emulator: Emulator) -> None:
    found: list[str] = []

    def create() -> None:
        found.extend(requests.post(f"{emulator.url}/v1/identity", timeout=LIMIT).json()["identity"] for _ in range(20))

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 160


def test_a_bug_is_a_plain_500_and_its_reason_is_in_the_journal(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(spacetime.Store, "create_identity", lambda self: 1 / 0)

    answer = exchange(emulator.url, request("POST", "/v1/identity?token=eyJhbGciOiJ.eyJzdWIi.secret"))

    assert answer.status == 500
    assert "eyJ" not in caplog.text
    assert "ZeroDivisionError" in emulator.journal.exchanges[-1].why
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a port of ended connections for a while")
def test_a_port_is_free_again_after_the_end() -> None:
    def is_free_again() -> bool:
        with running_in_thread() as emulator:
            requests.get(f"{emulator.url}/v1/ping", timeout=LIMIT)
            port = emulator.port
        try:
            listen("127.0.0.1", port).close()
        except Misconfigured:
            return False
        return True

    # Another process may get the port in between, but hardly each time.
    assert any(is_free_again() for _ in range(3))


# --- old worlds -------------------------------------------------------------------------------------------------------


class Watched(NamedTuple):
    """A server, its queue of old worlds to free, and an event that is set when all are freed."""

    emulator: Emulator
    deferred: DeferredFree
    emptied: threading.Event


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    stage, emptied = new_stage(Config()), threading.Event()
    free_some = stage.deferred.free_some

    def dig_and_tell(count: int) -> bool:
        more = free_some(count)
        if not more:
            emptied.set()
        return more

    monkeypatch.setattr(stage.deferred, "free_some", dig_and_tell)
    with serving_in_thread(stage, Guard(), listen("127.0.0.1", 0)) as emulator:
        yield Watched(emulator, stage.deferred, emptied)


def test_a_large_old_world_is_freed_between_requests(watched: Watched) -> None:
    for _ in range(300):
        watched.emulator.spacetime.create_identity(email="a@b.c")
    watched.emulator.reset()
    assert watched.deferred

    requests.get(f"{watched.emulator.url}/v1/ping", timeout=LIMIT)

    assert watched.emptied.wait(LIMIT)
    assert not watched.deferred


def test_a_world_that_is_still_referenced_is_not_freed(watched: Watched) -> None:
    old = watched.emulator.journal
    with requests.Session() as session:
        for _ in range(300):
            session.get(f"{watched.emulator.url}/v1/ping", timeout=LIMIT)
        watched.emulator.reset()
        session.get(f"{watched.emulator.url}/v1/ping", timeout=LIMIT)

    assert watched.emptied.wait(LIMIT)
    assert not watched.deferred
    assert len(old) == 300
