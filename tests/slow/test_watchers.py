"""Fifty who watch, one who does not read, and 64 clients that ask meanwhile."""

import asyncio
import os
from pathlib import Path

import aiohttp

from tests.limits import LIMIT
from tests.raw import connect
from tests.slow.conftest import Figure
from tests.slow.served import Served, Stopwatch, percentile, served

SECONDS = float(os.environ.get("LOAD_SECONDS", "10"))
WATCHERS, CLIENTS = 50, 64
NO_LIMIT = aiohttp.ClientTimeout(total=None)


class Watching:
    """A watcher that only counts."""

    def __init__(self) -> None:
        self.rows = self.pieces = 0
        self.more = asyncio.Event()
        self.last = b""

    async def follow(self, session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}/_emulator/events?after=now") as answer:
            async for piece in answer.content.iter_any():
                self.pieces += 1
                self.rows += (self.last[-13:] + piece).count(b"event: exchange")
                self.last = piece[-200:]
                self.more.set()

    async def begun(self) -> None:
        await self.more.wait()

    async def has(self, rows: int) -> None:
        while self.rows < rows:
            self.more.clear()
            await self.more.wait()


async def ask(session: aiohttp.ClientSession, url: str, until: float, seconds: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        stopwatch = Stopwatch()
        async with session.post(f"{url}/v1/identity") as answer:
            await answer.read()
            assert answer.status == 200
        seconds.append(stopwatch.seconds)


async def asked_by_all(session: aiohttp.ClientSession, url: str) -> list[float]:
    """The seconds that each request took."""
    seconds: list[float] = []
    until = asyncio.get_running_loop().time() + SECONDS
    await asyncio.gather(*(ask(session, url, until, seconds) for _ in range(CLIENTS)))
    return seconds


async def watched(server: Served) -> tuple[list[float], list[float], list[Watching]]:
    """The requests without watchers, and with them."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=NO_LIMIT) as session:
        alone = await asked_by_all(session, server.url)
        watchers = [Watching() for _ in range(WATCHERS)]
        tasks = [asyncio.create_task(each.follow(session, server.url)) for each in watchers]
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(*(each.begun() for each in watchers))
        beside = await asked_by_all(session, server.url)
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(*(each.has(len(beside)) for each in watchers))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return alone, beside, watchers


def test_fifty_watchers_are_told_everything_while_64_clients_ask(tmp_path: Path, figure: Figure) -> None:
    with served(tmp_path, "--journal-size", "100000") as server, connect(server.url) as deaf:
        deaf.sendall(b"GET /_emulator/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        alone, beside, watchers = asyncio.run(watched(server))

        assert {each.rows for each in watchers} == {len(beside)}
        assert server.bugs() == []
        pieces = max(each.pieces for each in watchers)
        figure(f"{CLIENTS} clients, nobody watches: requests a second", f"{len(alone) / SECONDS:.0f}")
        figure(f"… {WATCHERS} watch", f"{len(beside) / SECONDS:.0f}")
        figure("… 99 of 100 requests within, ms", f"{percentile(beside, 0.99):.0f}")
        figure("… rows in a piece, on average", f"{len(beside) / pieces:.0f}")
