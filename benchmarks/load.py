"""Load for every server alike: wrk where there is one, else `benchmarks.client`. Both send the same plan."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.servers import ROOT, Server, python

_SCRIPT = Path(__file__).with_name("load.lua")


class Sample(NamedTuple):
    """Requests per second, the median's microseconds, CPU microseconds of a request, MiB of the server."""

    rate: float
    p50: float
    cpu: float
    memory: float


def request(method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    lines = {"Host": "127.0.0.1", **(headers or {})}
    if body or method == "POST":
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body


@contextmanager
def planned(requests: Sequence[bytes]) -> Iterator[Path]:
    """A plan: requests one after the other in a file that is there as long as the block lasts."""
    with tempfile.NamedTemporaryFile(prefix="plan-") as file:
        for each in requests:
            file.write(b"%d\n%b" % (len(each), each))
        file.flush()
        yield Path(file.name)


def client_name() -> str:
    """What makes the load."""
    if not shutil.which("wrk"):
        return "benchmarks.client (there is no wrk)"
    return " ".join(subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split()[:2])


def measure(server: Server, plan: Path, connections: int, seconds: float, *, once: bool = False) -> Sample:
    """One run. Raises RuntimeError when an answer was no success, or one of a plan to be sent `once` was sent again."""
    cpu = server.cpu()
    found = _send(server.port, plan, connections, seconds)
    cpu = server.cpu() - cpu
    if found["errors"]:
        raise RuntimeError(f"{server.name}: {found['errors']} of {found['requests']} answers were no success")
    if once and found["rounds"] > 1:
        raise RuntimeError(f"{server.name}: the plan was sent {found['rounds']} times, it has too few requests")
    requests = max(found["requests"], 1)
    return Sample(found["requests"] / found["seconds"], found["p50"], cpu / requests * 1e6, server.memory())


def _send(port: int, plan: Path, connections: int, seconds: float) -> dict[str, float]:
    command = _command(port, plan, connections, seconds)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command} failed: {done.stderr[-500:]}{done.stdout[-500:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _command(port: int, plan: Path, connections: int, seconds: float) -> list[str]:
    if shutil.which("wrk"):
        options = ["-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}", "--timeout", "10", "-s", str(_SCRIPT)]
        return ["wrk", *options, f"http://127.0.0.1:{port}", "--", str(plan)]
    return python("benchmarks.client", str(port), str(plan), str(connections), str(seconds))
