"""Bytes that the emulator keeps for each of many things, each kind weighed in a process of its own.

`python -m benchmarks.memory KIND COUNT` prints the number. What is kept is weighed by the memory of the process, as its
user sees it; what should not be kept by `tracemalloc`, which sees every byte.
"""

import gc
import http.client
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from resource import getpagesize
from typing import Any

from benchmarks.servers import ROOT, python
from benchmarks.settings import Settings
from benchmarks.worlds import API_KEY, fill
from emulator import Emulator, running_in_thread

_WARM = 500


def memory(settings: Settings) -> dict[str, Any]:
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(settings.runs):
        for kind, weights in found.items():
            count = settings.posted if kind.startswith("bare") else settings.weighed
            command = python("benchmarks.memory", kind, str(count))
            weights.append(float(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout))
    return {"memory": found}


def _ask(emulator: Emulator, times: int, method: str, target: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port)
    for _ in range(times):
        connection.request(method, target, headers=API_KEY)
        connection.getresponse().read()
    connection.close()


def _bare(emulator: Emulator, numbers: range) -> None:
    _ask(emulator, len(numbers), "POST", "/v1/identity")


def _email(emulator: Emulator, numbers: range) -> None:
    for number in numbers:
        emulator.spacetime.create_identity(email=f"user{number}@example.com")


def _database(emulator: Emulator, numbers: range) -> None:
    for _ in numbers:
        emulator.spacetime.create_identity(databases=1)


def _listed(emulator: Emulator, numbers: range) -> None:
    """A list was asked for before, so the order of the rows is kept."""
    _ask(emulator, 1, "GET", "/identities?limit=1")
    fill(emulator, numbers)


KINDS: dict[str, Callable[[Emulator, range], None]] = {
    "bare POST /v1/identity": _bare,
    "identity with an e-mail": _email,
    "identity with a database": _database,
    "Intuition identity": fill,
    "Intuition identity, listed": _listed,
}


def weigh(kind: str, count: int) -> float:
    """Bytes each. The journal is off: it has a limit of its own."""
    if KINDS[kind] is _bare:
        tracemalloc.start()
    with running_in_thread(seed=7, journal_size=0) as emulator:
        KINDS[kind](emulator, range(_WARM))
        before = _used()
        KINDS[kind](emulator, range(_WARM, _WARM + count))
        return (_used() - before) / count


def _used() -> int:
    gc.collect()
    if tracemalloc.is_tracing():
        return tracemalloc.get_traced_memory()[0]
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


if __name__ == "__main__":
    print(weigh(sys.argv[1], int(sys.argv[2])))
