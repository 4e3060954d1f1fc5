"""What a reset costs the test that comes after it.

`python -m benchmarks.resets WORLD ROWS COUNT` measures one world in a process of its own. The client is in the server's
process, as a test is. It lets 10 ms go by before whatever is timed, as a test would: the caches are no longer warm, and
the server has had the time to let go of the old world.
"""

import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import hello
from benchmarks.load import request
from benchmarks.servers import BARE, ROOT, python
from benchmarks.settings import SCENARIO, TEST, Settings, row_name
from benchmarks.worlds import crowd, fill, page
from emulator import running_in_thread

_PAUSE = 0.01
_JOURNAL = 10_000
_SECOND = 1.0


def resets(settings: Settings) -> dict[str, Any]:
    """For each world the milliseconds of a `request`, and of a reset and the first request after it (`reset`).

    `slowest` is what the slowest request in the second after a reset took over that second's median.
    """
    many = settings.many
    worlds = {
        BARE: (BARE, 0, 0),
        row_name(0): (SCENARIO, 0, settings.resets),
        f"{row_name(many)} {SCENARIO}": (SCENARIO, many, settings.resets),
        f"{row_name(many)} {TEST}": (TEST, many, settings.refills),
    }
    rounds = [{name: _in_process(*world) for name, world in worlds.items()} for _ in range(settings.runs)]
    found = {name: {field: [each[name][field] for each in rounds] for field in rounds[0][name]} for name in worlds}
    return {"resets": found}


def _in_process(world: str, rows: int, count: int) -> dict[str, float]:
    command = python("benchmarks.resets", world, str(rows), str(count))
    found: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    return found


class Client:
    """One keep-alive connection that asks the same again and again."""

    def __init__(self, port: int, request: bytes) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._request = request

    def ask(self, before: Callable[[], object] = lambda: None) -> float:
        """Milliseconds of a request and of what is done before it."""
        begin = time.perf_counter()
        before()
        self._connection.sendall(self._request)
        assert self._connection.recv(65536).startswith(b"HTTP/1.1 200")
        return (time.perf_counter() - begin) * 1000

    def slowest(self) -> float:
        """Milliseconds that the slowest request within a second took over the median one."""
        took, until = [], time.perf_counter() + _SECOND
        while time.perf_counter() < until:
            took.append(self.ask())
        return max(took) - statistics.median(took)


def emulated(world: str, rows: int, count: int) -> dict[str, float]:
    """Requests in turn with resets.

    A world with the rows of a scenario is reset to them. One that a test has filled is reset to nothing, and has a full
    journal too: as much to let go of as can be.
    """
    scenario = crowd(rows) if world == SCENARIO and rows else ()
    found: dict[str, list[float]] = {"request": [], "reset": []}
    with running_in_thread(seed=7, scenario=scenario) as emulator:
        client = Client(emulator.port, page(1))
        client.ask()
        for _ in range(count):
            if world == TEST:
                fill(emulator, range(rows))
                for _ in range(_JOURNAL):
                    client.ask()
            for name, before in (("request", lambda: None), ("reset", emulator.reset)):
                time.sleep(_PAUSE)
                found[name].append(client.ask(before))
        medians = {name: statistics.median(each) for name, each in found.items()}
        return {**medians, "slowest": client.slowest()}


def bare() -> dict[str, float]:
    """The slowest request of a second has the machine's own interruptions in it: the same without an emulator."""
    with hello.running_in_thread() as address:
        return {"slowest": Client(address.port, request("POST", "/v1/identity")).slowest()}


if __name__ == "__main__":
    _, asked, many, times = sys.argv
    print(json.dumps(bare() if asked == BARE else emulated(asked, int(many), int(times))))
