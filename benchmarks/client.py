"""A client for machines without wrk: `python -m benchmarks.client PORT PLAN CONNECTIONS SECONDS`.

It sends a plan over keep-alive connections, one request at a time on each, and prints what wrk's script prints.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Tally:
    """What came of the requests: microseconds of each, and how many were no success."""

    def __init__(self, plan: list[bytes]) -> None:
        self.planned = len(plan)
        self.requests: Iterator[bytes] = cycle(plan)
        self.took: list[float] = []
        self.errors = 0

    def report(self, seconds: float) -> str:
        took = sorted(self.took) or [0.0]
        return json.dumps(
            {
                "requests": len(self.took),
                "seconds": seconds,
                "p50": took[len(took) // 2],
                "p99": took[int(len(took) * 0.99)],
                "errors": self.errors,
                "rounds": len(self.took) / self.planned,
            }
        )


def read_plan(path: Path) -> list[bytes]:
    """The requests of a plan, each after its length in bytes and a line feed."""
    rest, found = path.read_bytes(), []
    while rest:
        length, _, rest = rest.partition(b"\n")
        found.append(rest[: int(length)])
        rest = rest[int(length) :]
    return found


async def send(port: int, tally: Tally, until: float) -> None:
    """Requests on one connection, and on another whenever the server closes it."""
    while time.perf_counter() < until:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        closed = False
        while time.perf_counter() < until and not closed:
            begin = time.perf_counter()
            writer.write(next(tally.requests))
            closed = await _answer(reader, tally)
            tally.took.append((time.perf_counter() - begin) * 1e6)
        writer.close()


async def _answer(reader: asyncio.StreamReader, tally: Tally) -> bool:
    """Read one answer; true when no other will come on this connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    tally.errors += head[9:10] not in {b"2", b"3"}
    if b"chunked" in head.lower():
        await reader.readuntil(b"\r\n0\r\n\r\n")
    elif length := _LENGTH.search(head):
        await reader.readexactly(int(length[1]))
    return b"connection: close" in head.lower()


async def main(port: int, plan: Path, connections: int, seconds: float) -> None:
    tally = Tally(read_plan(plan))
    begin = time.perf_counter()
    await asyncio.gather(*(send(port, tally, begin + seconds) for _ in range(connections)))
    print(tally.report(time.perf_counter() - begin))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
