"""A server whose loop is stuck says where, and ends when it is told to."""

import json
import os
import socket
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.command import serving
from tests.limits import LIMIT
from tests.raw import connect, request
from tests.slow.conftest import Figure
from tests.slow.served import Served, Stopwatch, served
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")

STICKS = """
    import re, time
    from emulator.server import app

    before = app.actor_of

    def in_python():
        while True:
            pass

    def in_a_regular_expression():
        re.match(r"(a+)+$", "a" * 64 + "b")

    def in_the_export():
        import emulator.world.snapshot_document as module
        module.written = lambda world: in_python()
        in_python()

    def for_a_while():
        end = time.monotonic() + 3
        while time.monotonic() < end:
            pass

    def in_c():
        10 ** 10 ** 8

    def actor_of(call):
        if call.request.query:
            globals()[call.request.query]()
        return before(call)

    def scenario(emulator):
        app.actor_of = actor_of
"""
"""A scenario after which `GET /v1/ping?in_python` sticks in Python."""


@contextmanager
def stuck(tmp_path: Path, where: str, *options: str) -> Iterator[Served]:
    scenario = tmp_path / "it.py"
    scenario.write_text(textwrap.dedent(STICKS))
    with served(tmp_path, "--scenario", str(scenario), *options) as server, connect(server.url) as connection:
        connection.sendall(request("GET", f"/v1/ping?{where}"))
        yield server


def printed(server: Served) -> str:
    return server.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("where", ["in_python", "in_a_regular_expression"])
@pytest.mark.parametrize("number", [15, 2])
def test_a_stuck_loop_prints_its_stack_and_ends_with_its_export(
    tmp_path: Path, where: str, number: int, figure: Figure
) -> None:
    target = tmp_path / "world.json"
    ready = tmp_path / "ready.json"
    with stuck(tmp_path, where, "--export-on-exit", str(target), "--ready-file", str(ready)) as server:
        assert eventually(lambda: 'it.py", line' in printed(server) and f" in {where}" in printed(server))
        assert printed(server).count("Timeout (") == 1
        stopwatch = Stopwatch()
        server.process.send_signal(number)
        assert server.process.wait(LIMIT) == 0
        took = stopwatch.seconds

    assert json.loads(target.read_text())["version"] == 1
    assert not ready.exists()
    if number == 15:
        figure(f"a loop stuck {where.replace('_', ' ')}: SIGTERM to the end of the process, s", f"{took:.2f}")


def test_a_stuck_export_does_not_keep_the_process(tmp_path: Path) -> None:
    with stuck(tmp_path, "in_the_export", "--export-on-exit", str(tmp_path / "world.json")) as server:
        assert eventually(lambda: " in in_the_export" in printed(server))
        server.process.terminate()

        assert server.process.wait(LIMIT) == 2


def test_a_loop_that_turns_again_serves_and_prints_no_more(tmp_path: Path) -> None:
    with stuck(tmp_path, "for_a_while") as server:
        with connect(server.url, timeout=LIMIT) as connection:
            connection.sendall(request("GET", "/v1/ping"))
            assert connection.recv(12) == b"HTTP/1.1 200"
        server.process.terminate()
        assert server.process.wait(LIMIT) == 0
        assert printed(server).count("Timeout (") == 1
        assert " in for_a_while" in printed(server)


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_stack_that_nobody_reads_stops_neither_the_server_nor_its_end(tmp_path: Path, kind: str) -> None:
    """Stopping the thread that prints would wait for a reader, so nothing may."""
    scenario = tmp_path / "it.py"
    scenario.write_text(textwrap.dedent(STICKS))
    reader, writer = os.pipe() if kind == "pipe" else (each.detach() for each in socket.socketpair())
    fill(writer)
    with serving("--port", "0", "--scenario", str(scenario), stderr=writer) as (process, ready):
        room(reader)
        for target in ("/v1/ping?for_a_while", "/v1/ping"):
            with connect(ready["url"], timeout=LIMIT) as connection:
                connection.sendall(request("GET", target))
                assert connection.recv(12) == b"HTTP/1.1 200"
        process.terminate()
        assert process.wait(LIMIT) == 0
    os.close(reader)
    os.close(writer)


def fill(descriptor: int) -> None:
    os.set_blocking(descriptor, False)
    for size in (4096, 1):
        while True:
            try:
                os.write(descriptor, b"x" * size)
            except BlockingIOError:
                break
    os.set_blocking(descriptor, True)


def room(descriptor: int) -> None:
    """For the beginning of a stack, not for all of it."""
    os.read(descriptor, 4096)


def test_c_code_that_holds_the_interpreter_gets_its_stack_printed(tmp_path: Path) -> None:
    with stuck(tmp_path, "in_c") as server:
        assert eventually(lambda: " in in_c" in printed(server))
