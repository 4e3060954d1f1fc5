"""A client for machines without wrk: `python -m benchmarks.client PORT PLAN CONNECTIONS SECONDS`.

It sends a plan over keep-alive connections, one request at a time on each, and prints what load.lua prints.
"""

import asyncio
import json
import re
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def read_plan(path: Path) -> list[bytes]:
    """The requests of a plan, each after its length in bytes and a line feed."""
    rest, found = path.read_bytes(), []
    while rest:
        length, _, rest = rest.partition(b"\n")
        found.append(rest[: int(length)])
        rest = rest[int(length) :]
    return found


async def send(port: int, requests: Iterator[bytes], until: float) -> list[tuple[float, bool]]:
    """Microseconds and success of each request on one connection, and on another whenever the server closes it."""
    took = []
    while time.perf_counter() < until:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = b""
        while time.perf_counter() < until and b"connection: close" not in head.lower():
            begin = time.perf_counter()
            writer.write(next(requests))
            head = await _answer(reader)
            took.append(((time.perf_counter() - begin) * 1e6, head[9:10] in {b"2", b"3"}))
        writer.close()
    return took


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The head of an answer whose body is read too."""
    head = await reader.readuntil(b"\r\n\r\n")
    if b"chunked" in head.lower():
        await reader.readuntil(b"\r\n0\r\n\r\n")
    elif length := _LENGTH.search(head):
        await reader.readexactly(int(length[1]))
    return head


async def main(port: int, plan: list[bytes], connections: int, seconds: float) -> dict[str, float]:
    requests, begin = cycle(plan), time.perf_counter()
    sent = await asyncio.gather(*(send(port, requests, begin + seconds) for _ in range(connections)))
    took = [each for one in sent for each in one]
    p50, errors = statistics.median(micros for micros, _ in took), sum(not good for _, good in took)
    seconds = time.perf_counter() - begin
    return {"requests": len(took), "seconds": seconds, "p50": p50, "errors": errors, "rounds": len(took) / len(plan)}


if __name__ == "__main__":
    _, port, path, connections, duration = sys.argv
    print(json.dumps(asyncio.run(main(int(port), read_plan(Path(path)), int(connections), float(duration)))))
