"""What a world beside the first one costs, in time and memory."""

import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest
import requests

from emulator import running_in_thread
from emulator.control.remote import RemoteEmulator
from tests.measuring import quickest
from tests.slow.conftest import Figure
from tests.slow.served import served
from tests.waiting import PATIENCE

COUNT = 64


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_64_worlds_take_at_most_8_mib(tmp_path: Path, figure: Figure) -> None:
    with served(tmp_path) as server:
        worlds, times = RemoteEmulator(server.url).worlds, []
        requests.post(f"{worlds.open(seed=1).url}/v1/identity", timeout=PATIENCE)
        before = server.memory()

        for seed in range(COUNT):
            began = perf_counter()
            world = worlds.open(seed=seed)
            times.append(perf_counter() - began)
            assert requests.post(f"{world.url}/v1/identity", timeout=PATIENCE).status_code == 200
        grown = server.memory() - before

    figure(f"memory of {COUNT} worlds, of a seed each", f"{grown:.1f} MiB")
    figure("time to open a world over HTTP, median", f"{median(times) * 1000:.1f} ms")
    assert grown <= 8


def test_opening_a_world_is_quicker_than_starting_a_server() -> None:
    with running_in_thread() as emulator:

        def start() -> None:
            with running_in_thread():
                pass

        opening, starting = quickest(emulator.worlds.open, start, times=50)

    assert opening < starting
