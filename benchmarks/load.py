"""Load for every server alike: wrk where there is one, else `benchmarks.client`. Both send the same plan."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.servers import Server

_SCRIPT = Path(__file__).with_name("load.lua")


class Plan(NamedTuple):
    """Requests, as bytes, one after the other in a file; `once` when none of them may be sent twice."""

    path: Path
    once: bool


class Sample(NamedTuple):
    """Requests per second, microseconds at two percentiles, the server's CPU seconds per 10,000 requests, its bytes."""

    rate: float
    p50: float
    p99: float
    cpu: float
    rss: int


def request(method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    lines = {"Host": "127.0.0.1", **(headers or {})}
    if body or method == "POST":
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body


@contextmanager
def planned(requests: Sequence[bytes], *, once: bool = False) -> Iterator[Plan]:
    """A plan in a file that is there as long as the block lasts."""
    with tempfile.NamedTemporaryFile(prefix="plan-") as file:
        for each in requests:
            file.write(b"%d\n%b" % (len(each), each))
        file.flush()
        yield Plan(Path(file.name), once)


def client() -> str:
    """Who makes the load."""
    return "wrk" if shutil.which("wrk") else "benchmarks.client"


def measure(server: Server, plan: Plan, connections: int, seconds: float) -> Sample:
    """One run. Raises RuntimeError when an answer was no success, or the plan too short."""
    cpu = server.cpu()
    found = _send(server.port, plan.path, connections, seconds)
    cpu = server.cpu() - cpu
    if found["errors"]:
        raise RuntimeError(f"{server.name}: {found['errors']} of {found['requests']} answers were no success")
    if plan.once and found["rounds"] > 1:
        raise RuntimeError(f"{server.name}: the plan was sent {found['rounds']} times, it has too few requests")
    requests = found["requests"]
    return Sample(
        requests / found["seconds"], found["p50"], found["p99"], cpu / max(requests, 1) * 10_000, server.rss()
    )


def _send(port: int, plan: Path, connections: int, seconds: float) -> dict[str, float]:
    done = subprocess.run(_command(port, plan, connections, seconds), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{client()} failed: {done.stderr[-500:]}{done.stdout[-500:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _command(port: int, plan: Path, connections: int, seconds: float) -> list[str]:
    if client() == "wrk":
        options = ["-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}", "--timeout", "10", "-s", str(_SCRIPT)]
        return ["wrk", *options, f"http://127.0.0.1:{port}", "--", str(plan)]
    return [sys.executable, "-m", "benchmarks.client", str(port), str(plan), str(connections), str(seconds)]
