"""Every kind of client concurrently, for a minute."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.slow.conftest import Figure
from tests.slow.load import FAULTS, Load
from tests.slow.served import MemoryWatch, Served, Stopwatch, percentile, served
from tests.waiting import PATIENCE

SECONDS = float(os.environ.get("LOAD_SECONDS", "60"))
CLIENTS = 64
LEVEL = 110
"""Megabytes. Memory levels out about there; a busy machine, or a short run, is still on its way."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")


async def loaded(server: Served, load: Load) -> float:
    """The seconds that SIGTERM took in the middle of the load."""
    tasks = await load.run(SECONDS)
    load.over = True
    stopwatch = Stopwatch()
    server.process.send_signal(signal.SIGTERM)
    status = await asyncio.to_thread(server.process.wait, PATIENCE)
    took = stopwatch.seconds
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert status == 0
    return took


def test_sixty_four_clients_get_the_faults_and_nothing_else(tmp_path: Path, figure: Figure) -> None:
    with served(tmp_path, "--journal-size", "50000") as server:

        async def run() -> tuple[Load, float]:
            load = Load(server.url, CLIENTS, seed=int(os.environ.get("LOAD_SEED", "1")))
            return load, await loaded(server, load)

        with MemoryWatch(server) as watch:
            load, took = asyncio.run(run())

        assert load.wrong[:5] == []
        assert server.bugs() == []
        assert load.audits
        assert load.resets
        assert load.ordered
        if SECONDS >= 60:
            assert set(load.kinds) == {key for do in FAULTS for key in do if key not in {"body", "headers", "on_clock"}}
        assert watch.third(2) < max(watch.third(1) * 1.1 + 5, LEVEL)
        assert took < PATIENCE

        figure(f"{CLIENTS} clients, everything mixed: requests a second", f"{load.answered / SECONDS:.0f}")
        figure("… the median of a request, ms", f"{percentile(load.seconds, 0.5):.0f}")
        figure("… 99 of 100 requests within, ms", f"{percentile(load.seconds, 0.99):.0f}")
        figure("… requests that failed as ordered, looked up in the journal", f"{load.ordered}")
        figure("… requests that a busy machine answered too late", f"{load.late}")
        figure("… requests that failed in a world that a reset had replaced", f"{load.outlived}")
        figure("… requests that failed otherwise, rows lost, rows doubled", "0")
        figure("… memory in the middle third and in the last, MB", f"{watch.third(1):.0f}, {watch.third(2):.0f}")
        figure("… SIGTERM to the end of the process, s", f"{took:.2f}")
