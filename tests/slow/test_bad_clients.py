"""Clients that are slow, idle or too big: memory stays bounded, and others are served meanwhile."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from time import monotonic

import aiohttp
import pytest

from tests.conftest import API_KEY
from tests.raw import request
from tests.slow.conftest import Figure
from tests.slow.served import MEGABYTE, MemoryWatch, Served, percentile, served
from tests.waiting import PATIENCE, eventually

SECONDS = min(float(os.environ.get("LOAD_SECONDS", "60")), 5.0)
IDLE, SLOW, ROUNDS = 1000, 50, 10
BIG, LARGEST = 100 * MEGABYTE, 64 * MEGABYTE
JSON = "Content-Type: application/json"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as server:
        yield server
        assert server.bugs() == []


class Normal:
    """A well-behaved client, one request after another."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seconds: list[float] = []
        self.warm = asyncio.Event()
        """Set once everything that the server imports when first needed is there."""

    async def work(self, rounds: int | None = None) -> None:
        draft = {"display_name": "JP", "creator": "0x81"}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
            for _ in count() if rounds is None else range(rounds):
                await self.ask(session, "POST", "/v1/identity")
                await self.ask(session, "POST", "/identity", json=draft, headers={"x-api-key": API_KEY})
                await self.ask(session, "GET", "/v1/ping")
                self.warm.set()

    async def ask(self, session: aiohttp.ClientSession, method: str, path: str, **options: object) -> None:
        began = monotonic()
        async with session.request(method, f"{self.url}{path}", **options) as answer:  # type: ignore[arg-type]
            await answer.read()
            assert answer.status == 200
        self.seconds.append(monotonic() - began)


@asynccontextmanager
async def a_normal_client(server: Served) -> AsyncIterator[Normal]:
    """Runs while the block lasts; its errors are raised at the end."""
    normal = Normal(server.url)
    task = asyncio.create_task(normal.work())
    await asyncio.wait([task, asyncio.ensure_future(normal.warm.wait())], return_when=asyncio.FIRST_COMPLETED)
    normal.seconds.clear()
    try:
        yield normal
    finally:
        if task.done():
            task.result()
        task.cancel()


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def opened(server: Served) -> Streams:
    return await asyncio.open_connection("127.0.0.1", server.port)


async def answer_to(streams: Streams) -> int:
    """The status that comes."""
    head = await asyncio.wait_for(streams[0].readuntil(b"\r\n\r\n"), PATIENCE)
    return int(head.split(b" ")[1])


# --- slow and idle ----------------------------------------------------------------------------------------------------


async def trickle(streams: Streams, sent: bytes) -> None:
    for byte in sent:
        streams[1].write(bytes([byte]))
        await asyncio.sleep(1)


def test_a_thousand_idle_and_fifty_slow_clients_cost_the_others_nothing(server: Served, figure: Figure) -> None:
    slow_body = request("POST", "/identity", f"x-api-key: {API_KEY}", JSON, "Content-Length: 1000")

    async def run() -> tuple[Normal, Normal]:
        async with a_normal_client(server) as alone:
            await asyncio.sleep(SECONDS)
        idle = [await opened(server) for _ in range(IDLE)]
        slow = [await opened(server) for _ in range(SLOW)]
        for streams in slow[::2]:
            streams[1].write(slow_body)
        tasks = [asyncio.create_task(trickle(streams, b"{" * 1000)) for streams in slow[::2]]
        tasks += [asyncio.create_task(trickle(streams, b"GET /v1/ping?" * 100)) for streams in slow[1::2]]
        async with a_normal_client(server) as among:
            await asyncio.sleep(SECONDS)
        for streams in idle:
            streams[1].write(request("GET", "/v1/ping"))
        assert {await answer_to(streams) for streams in idle} == {200}
        assert not any(task.done() for task in tasks)
        for _, writer in idle + slow:
            writer.close()
        return alone, among

    with MemoryWatch(server) as watch:
        alone, among = asyncio.run(run())

    grown = max(watch.samples) - watch.samples[0]
    quick = percentile(alone.seconds, 0.99), percentile(among.seconds, 0.99)
    figure("a client alone: 99 of 100 requests within, ms", f"{quick[0]:.1f}")
    figure(f"… beside {IDLE} idle connections and {SLOW} that send a byte a second, ms", f"{quick[1]:.1f}")
    figure("… memory grown by, MB", f"{grown:.0f}")
    assert grown < 150
    assert percentile(among.seconds, 0.5) < 5 * percentile(alone.seconds, 0.5)
    assert quick[1] < 10 * quick[0]


# --- big --------------------------------------------------------------------------------------------------------------


async def send(streams: Streams, *, chunked: bool = False) -> None:
    """As much of a big body as the server takes."""
    writer, block = streams[1], b"x" * MEGABYTE
    with suppress(ConnectionError):
        for _ in range(BIG // MEGABYTE):
            writer.write(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
            await writer.drain()


async def upload(server: Served, head: bytes, *, chunked: bool = False) -> int:
    """The status that comes, in all likelihood before the body is sent."""
    streams = await opened(server)
    streams[1].write(head)
    sending = asyncio.create_task(send(streams, chunked=chunked))
    try:
        return await answer_to(streams)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        streams[1].transport.abort()
        with suppress(ConnectionError):
            await streams[1].wait_closed()


LENGTH = f"Content-Length: {BIG}"
CHUNKED = "Transfer-Encoding: chunked"
KEY = f"x-api-key: {API_KEY}"


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/identity", (KEY, JSON, LENGTH), 413),
        ("/identity", (KEY, JSON, CHUNKED), 413),
        ("/identity", (KEY, "Content-Type: text/plain", LENGTH), 415),
        ("/identity", (JSON, LENGTH), 401),
        ("/v1/identity", (LENGTH,), 200),
        ("/v1/identity", (CHUNKED,), 200),
        ("/nowhere", (LENGTH,), 404),
        ("/_emulator/reset", ("Content-Type: text/plain", LENGTH), 415),
        ("/_emulator/reset", (JSON, "Origin: null", LENGTH), 403),
        ("/_emulator/reset", (JSON, LENGTH), 413),
        ("/_emulator/reset", (JSON, CHUNKED), 413),
    ],
)
def test_a_body_of_100_mb_is_not_kept_where_it_is_not_needed(
    server: Served, target: str, headers: tuple[str, ...], status: int
) -> None:
    head, chunked = request("POST", target, *headers), CHUNKED in headers

    async def run() -> set[int]:
        found = set()
        await Normal(server.url).work(1)
        meanwhile = asyncio.create_task(Normal(server.url).work(ROUNDS))
        while not meanwhile.done():
            found |= set(await asyncio.gather(*(upload(server, head, chunked=chunked) for _ in range(8))))
        await meanwhile
        return found

    with MemoryWatch(server) as watch:
        found = asyncio.run(run())

    assert found == {status}
    assert max(watch.samples) - watch.samples[0] < 60


def test_snapshots_of_64_mb_that_are_none_are_read_and_freed(server: Served, figure: Figure) -> None:
    """No control call takes a larger body; so many of them at once cost so much memory."""
    head = request("PUT", "/_emulator/snapshot", JSON, f"Content-Length: {LARGEST}")

    async def run() -> tuple[list[int], Normal]:
        async with a_normal_client(server) as normal:
            found = await asyncio.gather(*(upload(server, head) for _ in range(2)))
            await asyncio.sleep(1)
        return found, normal

    with MemoryWatch(server) as watch:
        found, normal = asyncio.run(run())

    grown, left = max(watch.samples) - watch.samples[0], watch.samples[-1] - watch.samples[0]
    figure("two snapshots of 64 MB at once that are none: memory grown by at most, MB", f"{grown:.0f}")
    figure("… of which a second later are left, MB", f"{left:.0f}")
    figure("… 99 of 100 requests of another client within, ms", f"{percentile(normal.seconds, 0.99):.1f}")
    assert found == [400, 400]
    assert grown < 2 * 2 * LARGEST / MEGABYTE
    assert eventually(lambda: server.memory() - watch.samples[0] < 60)
    assert normal.seconds
