"""Fifty who watch the events, and a page in Chromium, while 64 clients ask."""

import asyncio
import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import aiohttp
import pytest

from tests.page.browsing import chromium, expect, opened
from tests.slow.conftest import Figure
from tests.slow.served import Served, percentile, served
from tests.waiting import PATIENCE

WATCHERS, CLIENTS, EACH = 50, 64, 150
ALL = CLIENTS * EACH
LEVEL = 200
"""Megabytes."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")


class Watcher:
    """Reads events until it knows of all exchanges; after an end it goes on where it was."""

    def __init__(self, url: str) -> None:
        self.numbers: Counter[int] = Counter()
        self.connections = 0
        self._url = f"{url}/_emulator/events"
        self._last = ""

    async def run(self, session: aiohttp.ClientSession) -> None:
        while len(self.numbers) < ALL:
            self.connections += 1
            headers = {"Last-Event-ID": self._last} if self._last else {}
            async with session.get(self._url, headers=headers) as response:
                await self._read(response)

    async def _read(self, response: aiohttp.ClientResponse) -> None:
        rest = b""
        async for chunk in response.content.iter_any():
            *blocks, rest = (rest + chunk).split(b"\n\n")
            for block in blocks:
                self._take(dict(line.split(": ", 1) for line in block.decode().split("\n") if ": " in line))
            if len(self.numbers) == ALL:
                return

    def _take(self, event: dict[str, str]) -> None:
        self._last = event.get("id", self._last)
        if event.get("event") == "world" and not json.loads(event["data"])["resumed"]:
            self.numbers.clear()
        if event.get("event") == "exchange":
            self.numbers[json.loads(event["data"])["n"]] += 1


async def ask(session: aiohttp.ClientSession, url: str, seconds: list[float]) -> None:
    for number in range(EACH):
        began = monotonic()
        async with session.get(f"{url}/v1/p{'io'[number % 2]}ng") as response:
            await response.read()
        seconds.append(monotonic() - began)


async def watched(server: Served) -> tuple[list[Watcher], list[float]]:
    """The watchers once each knows of all exchanges, and how long the requests took."""
    watchers, seconds = [Watcher(server.url) for _ in range(WATCHERS)], list[float]()
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=10 * PATIENCE)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session, asyncio.TaskGroup() as group:
        for watcher in watchers:
            group.create_task(watcher.run(session))
        for _ in range(CLIENTS):
            group.create_task(ask(session, server.url, seconds))
    return watchers, seconds


def test_fifty_watchers_are_told_of_every_exchange_once(tmp_path: Path, figure: Figure) -> None:
    with served(tmp_path, "--journal-size", "50000") as server:
        watchers, seconds = asyncio.run(watched(server))
        memory = server.peak_memory()

        assert {len(each.numbers) for each in watchers} == {ALL}
        assert {count for each in watchers for count in each.numbers.values()} == {1}
        assert server.bugs() == []
        assert memory < LEVEL

    figure(
        f"{WATCHERS} watchers while {CLIENTS} clients ask: the median of a request, ms",
        f"{percentile(seconds, 0.5):.0f}",
    )
    figure("… 99 of 100 requests within, ms", f"{percentile(seconds, 0.99):.0f}")
    figure("… connections of all watchers", f"{sum(each.connections for each in watchers)}")
    figure("… memory at most, MB", f"{memory:.0f}")


def test_a_page_keeps_up_with_few_elements(tmp_path: Path) -> None:
    async def all_ask(url: str) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*(ask(session, url, []) for _ in range(CLIENTS)))

    with (
        served(tmp_path, "--journal-size", "50000") as server,
        chromium() as browser,
        opened(browser, server.url) as page,
        ThreadPoolExecutor(1) as pool,
    ):
        page.open()
        asking = pool.submit(asyncio.run, all_ask(server.url))
        most = 0
        while not asking.done():
            most = max(most, page.page.locator(".row").count())
        asking.result()

        expect(page.count).to_have_text(f"{ALL:,} exchanges")
        expect(page.rows.last).to_be_in_viewport()
        assert 0 < most < 100
