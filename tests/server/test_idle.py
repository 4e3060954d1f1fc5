"""When a server is unused, on a loop whose time is what was waited for."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from emulator.control.api.access import Guard
from emulator.server.idle import until_unused
from emulator.server.listening import listen
from emulator.server.run import serving
from emulator.services.spacetimedb.model import Identity
from tests.raw import request
from tests.server.timer_loop import on_timers
from tests.worlds import make_stage

UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: v1.json.spacetimedb",
)


@dataclass
class Server:
    uses: int = 0
    in_use: bool = False


def seconds_until_unused(server: Server, limit: float, life: Callable[[], Awaitable[object]]) -> float:
    async def measured() -> float:
        other = asyncio.ensure_future(life())
        await until_unused(server, limit)
        other.cancel()
        return asyncio.get_running_loop().time()

    return on_timers(measured)


async def nothing() -> None:
    pass


@pytest.mark.parametrize(("limit", "most"), [(0.2, 0.23), (60, 61.1)])
def test_it_is_unused_after_so_many_seconds_and_a_tenth_or_a_second_at_most(limit: float, most: float) -> None:
    assert limit <= seconds_until_unused(Server(), limit, nothing) <= most


def test_a_request_begins_the_time_again() -> None:
    server = Server()

    async def one() -> None:
        await asyncio.sleep(40)
        server.uses += 1

    assert 100 <= seconds_until_unused(server, 60, one) <= 102.1


def test_what_lasts_is_a_use_as_long_as_it_lasts() -> None:
    server = Server(in_use=True)

    async def long() -> None:
        await asyncio.sleep(100)
        server.in_use = False

    assert 159 <= seconds_until_unused(server, 60, long) <= 162.1


async def uses_after(*requests: bytes) -> int:
    """The uses of a server once it has answered these."""
    listener = listen("127.0.0.1", 0)
    async with serving(make_stage(), Guard(), listener) as server:
        for each in requests:
            await answered(listener.plain[0], each)
        return server.uses


async def answered(listener: socket.socket, sent: bytes) -> None:
    """Send this on a connection of its own, and wait for the head of the answer."""
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(sent)
    await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()


def test_a_request_is_a_use_and_a_check_of_health_is_none() -> None:
    ping, journal, health = (request("GET", path) for path in ("/v1/ping", "/_emulator/journal", "/_emulator/health"))

    assert asyncio.run(uses_after(ping, journal, health, health)) == 2


def test_a_reset_is_a_use() -> None:
    assert asyncio.run(uses_after(request("POST", "/_emulator/reset", "Content-Type: application/json"))) == 1


def test_who_only_watches_is_one_use_and_keeps_no_server_alive() -> None:
    listener = listen("127.0.0.1", 0)

    async def uses() -> list[tuple[int, bool]]:
        async with serving(make_stage(), Guard(), listener) as server:
            reader, writer = await asyncio.open_connection(*listener.plain[0].getsockname())
            writer.write(request("GET", "/_emulator/events"))
            await reader.readuntil(b"event: state")
            found = [(server.uses, server.in_use)]
            writer.close()
        await writer.wait_closed()
        return found

    assert asyncio.run(uses()) == [(1, False)]


def test_an_open_websocket_is_a_use() -> None:
    listener, stage = listen("127.0.0.1", 0), make_stage()
    database = stage.settled_world().spacetime.add_database(Identity("0" * 64)).identity

    async def in_use() -> list[bool]:
        async with serving(stage, Guard(), listener) as server:
            reader, writer = await asyncio.open_connection(*listener.plain[0].getsockname())
            writer.write(request("GET", f"/v1/database/{database}/subscribe", *UPGRADE))
            await reader.readuntil(b"\r\n\r\n")
            found = [server.in_use]
            writer.close()
        await writer.wait_closed()
        return [*found, server.in_use]

    assert asyncio.run(in_use()) == [True, False]
