"""A server that has no descriptors left says so, answers those who are connected, and goes on when there are some."""

import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest

from tests.raw import connect, exchange, read_answer, request
from tests.slow.conftest import Figure
from tests.slow.served import Served, served
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no descriptors of sockets")

DESCRIPTORS, CLIENTS = 64, 120
IMPORTS = {"/v1/pong": 404, "/_emulator/openapi.json": 200}
"""Requests that need modules which are not imported yet."""
LINE = "no connection can be accepted (Too many open files)"


def told(server: Served) -> int:
    return server.log.read_text(encoding="utf-8").count(LINE)


def status(connection: socket.socket) -> int:
    connection.sendall(request("GET", "/v1/ping"))
    return read_answer(connection).status


def test_without_descriptors_it_waits_for_some(tmp_path: Path, figure: Figure) -> None:
    with served(tmp_path, descriptors=DESCRIPTORS) as server:
        first = connect(server.url)
        assert status(first) == 200
        began = monotonic()
        with ExitStack() as clients:
            for _ in range(CLIENTS):
                clients.enter_context(connect(server.url))
            assert eventually(lambda: told(server) >= 3)
            assert status(first) == 200
            seconds = monotonic() - began
            lines = told(server)
        first.close()

        assert eventually(lambda: exchange(server.url, request("GET", "/v1/ping")).status == 200)
        assert {path: exchange(server.url, request("GET", path)).status for path in IMPORTS} == IMPORTS
        assert "Traceback" not in server.log.read_text(encoding="utf-8")
    assert lines <= seconds + 1
    figure(f"{CLIENTS} connections to a server with {DESCRIPTORS} descriptors: lines in the log", f"{lines}")
    figure("… in seconds", f"{seconds:.1f}")
