"""What it costs to put back a snapshot that the emulator wrote: at most three times its size of memory."""

import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator.world.snapshot_document import written
from tests.limits import LIMIT
from tests.slow.conftest import Figure
from tests.slow.served import MEGABYTE, served
from tests.worlds import make_world

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")

EMAIL = "user-{n}@example.com"
WORLDS: dict[str, Any] = {
    "crowded": "crowded",
    "rows": {"version": 1, "intuition": {"crowd": {"count": 100_000, "description": "It's me, number {n}"}}},
    "actors": {"version": 1, "spacetime": {"crowd": {"count": 100_000, "email": EMAIL, "databases": 1}}},
}


@pytest.mark.parametrize("name", WORLDS)
def test_a_snapshot_is_put_back_in_three_times_its_size(tmp_path: Path, figure: Figure, name: str) -> None:
    document = written(make_world(scenario=WORLDS[name]))
    with served(tmp_path) as server:
        url = f"{server.url}/_emulator/snapshot"
        headers = {"Content-Type": "application/json"}
        small = requests.get(url, timeout=LIMIT).content
        assert requests.put(url, small, headers=headers, timeout=LIMIT).status_code == 200  # everything is imported
        before = server.memory()

        answer = requests.put(url, document, headers=headers, timeout=LIMIT)

        grown = server.peak_memory() - before
        assert server.bugs() == []
    size = len(document) / MEGABYTE
    figure(f"a snapshot of {size:.0f} MB ({name}) put back: memory grown by, MB", f"{grown:.0f}")
    assert answer.status_code == 200, answer.text
    assert grown < 3 * size
