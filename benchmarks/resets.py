"""A reset, and the slowest request in the second after it, in small worlds and in large ones."""

import socket
import statistics
import time
from contextlib import ExitStack
from typing import Any

from benchmarks.load import measure, planned, request
from benchmarks.peers import PUBLIC_KEY
from benchmarks.rates import API_KEY, BARE, world
from benchmarks.servers import Server, python, running
from benchmarks.settings import Settings

_CREATE = request("POST", "/v1/identity")
_ASK = request("GET", PUBLIC_KEY)
_LIST = request("GET", "/identities?limit=1", API_KEY)
_SECOND = 1.0


def resets(settings: Settings) -> dict[str, Any]:
    """For each size, `reset` in milliseconds, `median` and `worst` of the requests in the second after it.

    Before each reset the journal is full and the world has been listed, so there is as much to let go of as can be.
    """
    with ExitStack() as stack:
        emulator = stack.enter_context(running("worlds", python("benchmarks.world", "{port}", "0"), _ASK))
        bare = stack.enter_context(running(BARE, [*python("benchmarks.hello"), "{port}"], _CREATE))
        rounds = [_round(emulator, bare, settings) for _ in range(settings.runs)]
    return {"resets": {name: [each[name] for each in rounds] for name in rounds[0]}}


def _round(emulator: Server, bare: Server, settings: Settings) -> dict[str, dict[str, float]]:
    found = {BARE: _second(bare, _CREATE)}
    for size in settings.reset_worlds:
        _fill(emulator, size)
        took = emulator.tell("reset")["ms"]
        found[world(size)] = {"reset": took, **_second(emulator, _ASK)}
    return found


def _fill(emulator: Server, size: int) -> None:
    emulator.tell(f"fill {size}")
    emulator.ask(_LIST)
    with planned([_ASK]) as plan:
        measure(emulator, plan, 16, 2)


def _second(server: Server, request: bytes) -> dict[str, float]:
    """One request after the other for a second: the median and the slowest, in milliseconds."""
    took = []
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        begin = now = time.perf_counter()
        while now < begin + _SECOND:
            connection.sendall(request)
            connection.recv(65536)
            now, before = time.perf_counter(), now
            took.append((now - before) * 1000)
    return {"median": statistics.median(took), "worst": max(took)}
