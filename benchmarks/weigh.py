"""Bytes that the emulator keeps for each of many things: `python -m benchmarks.weigh KIND COUNT`, a number on stdout.

What is kept is weighed by the memory of the process, as its user sees it; what should not be kept by `tracemalloc`,
which sees every byte.
"""

import gc
import http.client
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from resource import getpagesize
from urllib.request import Request, urlopen

from benchmarks.rates import API_KEY
from benchmarks.world import fill
from emulator import Emulator, running_in_thread

_WARM = 500


def _email(emulator: Emulator, numbers: range) -> None:
    for number in numbers:
        emulator.spacetime.create_identity(email=f"user{number}@example.com")


def _database(emulator: Emulator, numbers: range) -> None:
    for _ in numbers:
        emulator.spacetime.create_identity(databases=1)


def _identity(emulator: Emulator, numbers: range) -> None:
    fill(emulator, len(numbers), numbers.start)


def _listed(emulator: Emulator, numbers: range) -> None:
    """As `_identity`; a list was asked for before, so its order is kept."""
    request = Request(f"{emulator.url}/identities?limit=1", headers=API_KEY)  # noqa: S310 - it is ours
    urlopen(request).read()  # noqa: S310
    fill(emulator, len(numbers), numbers.start)


def _bare_post(emulator: Emulator, numbers: range) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port)
    for _ in numbers:
        connection.request("POST", "/v1/identity")
        connection.getresponse().read()
    connection.close()


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


def _traced() -> int:
    return tracemalloc.get_traced_memory()[0]


KINDS: dict[str, tuple[Callable[[Emulator, range], None], Callable[[], int]]] = {
    "bare POST /v1/identity": (_bare_post, _traced),
    "identity with an e-mail": (_email, _resident),
    "identity with a database": (_database, _resident),
    "Intuition identity": (_identity, _resident),
    "Intuition identity, listed": (_listed, _resident),
}


def weigh(kind: str, count: int) -> float:
    """Bytes each. The journal is off: it has a limit of its own."""
    make, memory = KINDS[kind]
    if memory is _traced:
        tracemalloc.start()
    with running_in_thread(seed=7, journal_size=0) as emulator:
        make(emulator, range(_WARM))
        gc.collect()
        before = memory()
        make(emulator, range(_WARM, _WARM + count))
        gc.collect()
        return (memory() - before) / count


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        print(weigh(sys.argv[1], int(sys.argv[2])))
