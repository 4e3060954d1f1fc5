"""Processes that answer: how they are started and asked, and what they cost. Linux only, by /proc."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

OURS, BARE = "identity-emulator", "bare aiohttp"
RAW = "bare aiohttp + raw ECDSA"
BARE_SOCKET = "bare aiohttp's WebSocket + one signature"
PUBLIC_KEY = "/v1/identity/public-key"

HERE = Path(__file__).parent
ROOT = HERE.parent

_PATIENCE = 60.0
"""Seconds a server may take to answer for the first time."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Answered(NamedTuple):
    """The headers are those that another server can send as they are."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(eq=False)
class Server:
    """A process that answers on a port of this machine."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    took: float = 0.0
    """Milliseconds from its start to its first answer."""

    def cpu(self) -> float:
        """Seconds of all its threads so far, those that ended included."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> float:
        """MiB that it holds."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * _PAGE / 2**20

    def ask(self, request: bytes) -> Answered:
        """The answer to one request, on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            answer = http.client.HTTPResponse(connection, method=request.split(b" ", 1)[0].decode())
            answer.begin()
            own = {"date", "content-length"}
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in own}
            return Answered(answer.status, headers, answer.read().decode())


@contextmanager
def running(name: str, command: Sequence[str], probe: bytes) -> Iterator[Server]:
    """A server as long as the block lasts. `{port}` in the command is its port. Raises RuntimeError."""
    port = free_port()
    begin = time.perf_counter()
    process = subprocess.Popen(
        [part.replace("{port}", str(port)) for part in command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # some peers write a line for each request
    )
    server = Server(name, process, port)
    try:
        _wait(server, probe, begin + _PATIENCE)
        server.took = (time.perf_counter() - begin) * 1000
        yield server
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def free_port() -> int:
    """A port that was free a moment ago: not every peer can choose one itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _wait(server: Server, probe: bytes, until: float) -> None:
    """Ask until there is a success. Raises RuntimeError when none comes."""
    while time.perf_counter() < until and server.process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            if server.ask(probe).status < 400:
                return
        time.sleep(0.001)
    raise RuntimeError(f"{server.name} gave no good answer; it ended with {server.process.poll()}")


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def emulator() -> list[str]:
    """The command as users start it, seeded so that its tokens are known."""
    return [str(Path(sys.executable).with_name("identity-emulator")), "serve", "--port", "{port}", "--seed", "7"]
