"""Processes that answer: how they are started, asked and stopped, and what they cost. Linux only, by /proc."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_PATIENCE = 60.0
"""Seconds a server may take to answer for the first time."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

HERE = Path(__file__).parent
ROOT = HERE.parent


class ResponseDoc(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Server:
    """A process that answers on a port of this machine."""

    def __init__(self, name: str, process: subprocess.Popen[str], port: int) -> None:
        self.name = name
        self.process = process
        self.port = port

    def cpu(self) -> float:
        """Seconds of all its threads so far, those that ended included."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def rss(self) -> int:
        """Bytes of memory it holds."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * _PAGE

    def ask(self, request: bytes) -> ResponseDoc:
        """The answer to one request, on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            answer = http.client.HTTPResponse(connection, method=request.split(b" ", 1)[0].decode())
            answer.begin()
            return ResponseDoc(answer.status, answer.getheaders(), answer.read())

    def tell(self, command: str) -> dict[str, float]:
        """What `benchmarks.world` answers to a command."""
        assert self.process.stdin
        assert self.process.stdout
        print(command, file=self.process.stdin, flush=True)
        found: dict[str, float] = json.loads(self.process.stdout.readline())
        return found

    def stop(self) -> float:
        """Milliseconds from SIGTERM to its end."""
        late = threading.Timer(10, self.process.kill)
        late.start()
        begin = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()  # with a timeout it would poll, up to 50 ms apart
        late.cancel()
        return (time.perf_counter() - begin) * 1000


def free_port() -> int:
    """A port that was free a moment ago: not every peer can be told to choose one itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def start(name: str, command: Sequence[str], probe: bytes) -> tuple[Server, float]:
    """A server, and the milliseconds from its start to its first answer. `{port}` in the command is its port."""
    port = free_port()
    begin = time.perf_counter()
    process = subprocess.Popen(
        [part.replace("{port}", str(port)) for part in command],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if "benchmarks.world" in command else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # some peers write a line for each request
        text=True,
    )
    server = Server(name, process, port)
    try:
        _wait(server, probe, begin + _PATIENCE)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return server, (time.perf_counter() - begin) * 1000


def _wait(server: Server, probe: bytes, until: float) -> None:
    """Ask until there is a success. Raises RuntimeError when none comes."""
    while time.perf_counter() < until and server.process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            if server.ask(probe).status < 400:
                return
        time.sleep(0.001)
    raise RuntimeError(f"{server.name} gave no good answer; it ended with {server.process.poll()}")


@contextmanager
def running(name: str, command: Sequence[str], probe: bytes) -> Iterator[Server]:
    server, _ = start(name, command, probe)
    try:
        yield server
    finally:
        server.stop()


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def emulator() -> list[str]:
    """The command as users start it, seeded so that its tokens are known."""
    return [str(Path(sys.executable).with_name("identity-emulator")), "serve", "--port", "{port}", "--seed", "7"]
