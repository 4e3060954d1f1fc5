"""A response that goes on: its pieces, its end, and clients that do not read."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from emulator import Emulator
from emulator.http.response import Response
from emulator.http.stream import Stream
from emulator.server import app, replies
from emulator.server.call import Call
from tests.raw import connect, read_answer, request
from tests.waiting import PATIENCE
from tests.worlds import make_stage, served

Pieces = Callable[["asyncio.Future[None]"], AsyncGenerator[bytes, None]]
MORE_THAN_FITS = b"." * 32 * 1024 * 1024
"""Into the buffers of both systems."""
ASKED = request("GET", "/v1/ping")


@contextmanager
def streaming(pieces: Pieces, patience: float = PATIENCE) -> Iterator[Emulator]:
    """A server whose every response has these pieces."""

    async def dispatch(call: Call) -> Response:
        return Response(200, b"", "text/plain", stream=Stream(pieces, patience, b"too slow", b"stopped"))

    with patch.object(app, "dispatch", dispatch), served(make_stage()) as emulator:
        yield emulator


async def two(over: "asyncio.Future[None]") -> AsyncGenerator[bytes, None]:
    yield b"one"
    yield b"two"


def test_each_piece_is_a_chunk_and_the_connection_stays_open() -> None:
    with streaming(two) as emulator, connect(emulator.url) as connection:
        for _ in range(2):
            connection.sendall(ASKED)
            answer = read_answer(connection)
            assert answer.head.endswith(b"transfer-encoding: chunked\r\ndate: <date>\r\n\r\n")
            assert answer.body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


def test_in_http_1_0_the_end_of_the_connection_is_that_of_the_body() -> None:
    with streaming(two) as emulator, connect(emulator.url) as connection:
        connection.sendall(ASKED.replace(b"HTTP/1.1", b"HTTP/1.0"))
        received = connection.makefile("rb").read()

    assert received.endswith(b"\r\n\r\nonetwo")
    assert b"chunked" not in received


def test_the_response_to_head_has_no_piece() -> None:
    with streaming(two) as emulator, connect(emulator.url) as connection:
        for _ in range(2):
            connection.sendall(ASKED.replace(b"GET", b"HEAD"))
            answer = read_answer(connection, b"HEAD")
            assert (answer.status, answer.body) == (200, b"")


def read_until(connection: socket.socket, text: bytes) -> None:
    received = b""
    while text not in received:
        more = connection.recv(1000)
        assert more, received
        received += more


def endless(ended: threading.Event, piece: bytes = b"begun") -> Pieces:
    async def pieces(over: "asyncio.Future[None]") -> AsyncGenerator[bytes, None]:
        try:
            yield piece
            await over
        finally:
            ended.set()

    return pieces


def test_when_the_server_stops_the_last_piece_says_so() -> None:
    ended = threading.Event()
    with connected(endless(ended)) as (stop, connection):
        connection.sendall(ASKED)
        read_until(connection, b"begun")
        stop()
        assert connection.makefile("rb").read().endswith(b"7\r\nstopped\r\n0\r\n\r\n")


@contextmanager
def connected(pieces: Pieces) -> Iterator[tuple[Callable[[], object], socket.socket]]:
    serving = streaming(pieces)
    with connect(serving.__enter__().url) as connection:
        yield lambda: serving.__exit__(None, None, None), connection


def test_when_the_client_is_gone_it_ends() -> None:
    ended = threading.Event()
    with streaming(endless(ended)) as emulator:
        with connect(emulator.url) as connection:
            connection.sendall(ASKED)
            read_until(connection, b"begun")
            assert not ended.is_set()
        assert ended.wait(PATIENCE)


def test_a_client_that_does_not_take_a_piece_gets_another_one_as_the_last() -> None:
    ended = threading.Event()
    with streaming(endless(ended, MORE_THAN_FITS), 0.01) as emulator, connect(emulator.url) as connection:
        connection.sendall(ASKED)
        assert ended.wait(PATIENCE)
        received = connection.makefile("rb").read()

    assert received.count(b".") > len(MORE_THAN_FITS) - 10
    assert received.endswith(b"8\r\ntoo slow\r\n0\r\n\r\n")


def test_one_that_takes_nothing_at_all_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "_LAST_CHANCE", 0)
    ended = threading.Event()
    with streaming(endless(ended, MORE_THAN_FITS), 0.01) as emulator, connect(emulator.url) as connection:
        connection.sendall(ASKED)
        assert ended.wait(PATIENCE)
        received = connection.makefile("rb").read()

    assert received.count(b".") < len(MORE_THAN_FITS)


def test_a_bug_in_the_pieces_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(over: "asyncio.Future[None]") -> AsyncGenerator[bytes, None]:
        yield b"begun"
        raise ZeroDivisionError

    with streaming(broken) as emulator, connect(emulator.url) as connection:
        connection.sendall(ASKED)
        assert connection.makefile("rb").read().endswith(b"5\r\nbegun\r\n")
