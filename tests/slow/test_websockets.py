"""Many WebSockets at once, and the intervals of the real server in real time."""

import asyncio
import json
import sys
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import pytest

from tests.raw import request
from tests.slow.conftest import Figure
from tests.slow.served import MemoryWatch, Served, served
from tests.websocket import CLOSE, PING, PONG, TEXT, masked

CONNECTIONS = 200
PINGS = 5
"""At 0, 15, 30, 45 and 60 seconds."""
SILENCE = 30.0
SCENARIO = {"version": 1, "spacetime": {"identities": {"alice": {"databases": ["chat"]}}}}
QUERY = b'{"Subscribe":{"query_strings":["SELECT * FROM t"],"request_id":1}}'
HANDSHAKE = request(
    "GET",
    "/v1/database/chat/subscribe",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: v1.json.spacetimedb",
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(server: Served) -> Streams:
    url = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(HANDSHAKE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    return reader, writer


async def frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, size = await reader.readexactly(2)
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2))
    return first, await reader.readexactly(size)


async def holds(server: Served) -> list[float]:
    """The seconds until each ping, each of which is answered; then the connection still answers, and is closed."""
    began = monotonic()
    reader, writer = await connected(server)
    pings: list[float] = []
    while len(pings) < PINGS:
        first, _ = await frame(reader)
        if first == PING:
            pings.append(monotonic() - began)
            writer.write(masked(PONG))
    writer.write(masked(TEXT, QUERY))
    first, payload = await frame(reader)
    assert payload.startswith(b'{"InitialSubscription"')
    writer.write(masked(CLOSE, b"\x03\xe8"))
    assert await frame(reader) == (CLOSE, b"\x03\xe8")
    assert await reader.read() == b""
    writer.close()
    return pings


def with_a_database(folder: Path) -> list[str]:
    path = folder / "chat.json"
    path.write_text(json.dumps(SCENARIO), encoding="utf-8")
    return ["--scenario", str(path)]


def test_two_hundred_connections_hold_for_a_minute(tmp_path: Path, figure: Figure) -> None:
    async def run(server: Served) -> list[list[float]]:
        return list(await asyncio.gather(*(holds(server) for _ in range(CONNECTIONS))))

    with served(tmp_path, *with_a_database(tmp_path)) as server:
        before = server.memory()
        with MemoryWatch(server):
            pings = asyncio.run(run(server))

        last = [each[-1] for each in pings]
        assert min(last) > (PINGS - 1) * 14.9
        assert server.bugs() == []
        figure(f"{CONNECTIONS} WebSockets for a minute: pings answered", f"{sum(map(len, pings))}")
        figure("… seconds until the fifth ping, least and most", f"{min(last):.1f}, {max(last):.1f}")
        figure("… memory of each, KB", f"{(server.peak_memory() - before) * 1024 / CONNECTIONS:.0f}")


def test_a_silent_client_is_not_served_after_thirty_seconds(tmp_path: Path) -> None:
    async def run(server: Served) -> None:
        reader, writer = await connected(server)
        assert [await frame(reader) for _ in range(2)]
        began = monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), SILENCE + 5)
        assert monotonic() - began > SILENCE
        writer.write(masked(TEXT, QUERY))
        assert await reader.read() == b""
        writer.close()

    with served(tmp_path, *with_a_database(tmp_path)) as server:
        asyncio.run(run(server))
        assert server.bugs() == []
