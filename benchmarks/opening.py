"""What opening a world costs over HTTP. `python -m benchmarks.opening` writes it into docs/worlds.md. Linux only."""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.scaling import PROBE, ROUNDS, Ask, connected, with_figures
from benchmarks.servers import OURS, ROOT, Server, emulator, running

PAGE = ROOT / "docs" / "worlds.md"
COUNT = 64
"""Worlds that are open at once."""
PLANS: Mapping[str, Mapping[str, Any]] = {
    "as at the server's start": {},
    "of a seed of its own": {"seed": None},
    "with a scenario, `two_friends`": {"seed": 7, "scenario": "two_friends"},
    "with that scenario, of a seed of its own": {"seed": None, "scenario": "two_friends"},
}
"""What is asked for; None is another number for each world."""


def _opened(ask: Ask, wanted: Mapping[str, Any], seeds: Iterator[int]) -> Iterator[float]:
    """Seconds for each; the worlds are closed after the last."""
    opened = []
    for _ in range(COUNT):
        body = json.dumps({name: next(seeds) if value is None else value for name, value in wanted.items()})
        began = perf_counter()
        opened.append(ask("POST", "/_emulator/worlds", body=body, Content_Type="application/json"))
        yield perf_counter() - began
    for world in opened:
        ask("DELETE", f"/_emulator/worlds/{world['id']}")


def _memory() -> float:
    """MiB of the worlds, of a seed each, when each has been asked once."""
    with running(OURS, emulator(), PROBE) as server, connected(server) as ask:

        def use(seed: int) -> None:
            body = json.dumps({"seed": seed})
            world = ask("POST", "/_emulator/worlds", body=body, Content_Type="application/json")
            there = Server(OURS, server.process, int(world["url"].rpartition(":")[2]))
            there.ask(b"POST /v1/identity HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n")

        use(0)
        before = server.memory()
        for seed in range(1, COUNT + 1):
            use(seed)
        return server.memory() - before


def figures() -> str:
    rows = []
    with running(OURS, emulator(), PROBE) as server, connected(server) as ask:
        seeds = iter(range(1, 1_000_000))
        for name, wanted in PLANS.items():
            list(_opened(ask, wanted, seeds))
            times = [each for _ in range(ROUNDS) for each in _opened(ask, wanted, seeds)]
            rows.append(f"| {name} | {median(times) * 1000:.1f} ms |")
    table = "\n".join(["| to open a world over HTTP | median |", "| --- | --- |", *rows])
    return (
        f"{table}\n\n{COUNT} worlds, of a seed each, take {median(_memory() for _ in range(ROUNDS)):.1f} MiB.\n\n"
        f"Measured on {os.cpu_count()} cores, CPython {platform.python_version()}, over one connection, by "
        "`python -m benchmarks.opening`.\n"
    )


if __name__ == "__main__":
    PAGE.write_text(with_figures(PAGE.read_text(encoding="utf-8"), figures()), encoding="utf-8")
