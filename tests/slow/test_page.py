"""The page in Chromium, while 64 clients ask."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp

from tests.page.browsing import chromium, expect, opened
from tests.slow.conftest import Figure
from tests.slow.served import Stopwatch, served
from tests.waiting import PATIENCE

CLIENTS, EACH = 64, 150
MOST_ROWS = 100
"""That are elements."""


async def ask(url: str) -> None:
    """All clients; every second request is refused."""

    async def client(session: aiohttp.ClientSession) -> None:
        for number in range(EACH):
            async with session.get(f"{url}/v1/p{'io'[number % 2]}ng") as answer:
                await answer.read()

    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=10 * PATIENCE)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))


def test_the_page_keeps_up_with_few_elements(tmp_path: Path, figure: Figure) -> None:
    with (
        served(tmp_path, "--journal-size", "50000") as server,
        chromium() as browser,
        opened(browser, server.url) as page,
        ThreadPoolExecutor(1) as pool,
    ):
        page.open()
        stopwatch, rows = Stopwatch(), [0]
        asking = pool.submit(asyncio.run, ask(server.url))
        while not asking.done():
            rows.append(page.page.locator(".row").count())
        asking.result()
        seconds = stopwatch.seconds
        expect(page.count).to_have_text(f"{CLIENTS * EACH:,} exchanges")

        expect(page.rows.last).to_be_in_viewport()
        assert 0 < max(rows) < MOST_ROWS
        assert server.bugs() == []
        figure(f"{CLIENTS} clients and a page in Chromium: requests a second", f"{CLIENTS * EACH / seconds:.0f}")
        figure("… until the page shows the last of them, s", f"{stopwatch.seconds - seconds:.1f}")
