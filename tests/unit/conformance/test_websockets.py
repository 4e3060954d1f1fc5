"""What the client of a WebSocket sees of servers that do what no good one does."""

import socket
import struct

import pytest

from emulator.conformance.cases import Case, Step, Turn
from emulator.conformance.websockets import converse
from tests.unit.conformance.servers import Serve, serving

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n"
CASE = Case(
    "a conversation",
    (Step("send", b"GET /v1/database/alpha/subscribe HTTP/1.1\r\n\r\n"),),
    HEAD,
    turns=(Turn(b"", ((0x81, b"hello"),), ends=False), Turn(b"\x88\x80abcd", ((0x88, b""),), ends=True)),
)
PING = b"\x89\0"


def saying(*parts: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        for part in parts:
            connection.sendall(part)
        while connection.recv(65536):
            connection.sendall(b"\x88\0")
            return

    return serve


def found(serve: Serve) -> bytes | None:
    with serving(serve) as target:
        wrong = converse(target, CASE, patience=0.3)
    return None if wrong is None else wrong.found


def test_a_conversation_that_is_as_recorded_holds_with_pings_between() -> None:
    assert found(saying(HEAD, PING, b"\x81\5hello", PING)) is None


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((), b"nothing"),
        ((HEAD,), b"nothing"),
        ((HEAD, b"\x81\5hullo"), b"81 hullo"),
        ((HEAD, b"\x81\5hel"), b"nothing"),
        ((HEAD, b"\x82\0"), b"82 "),
        ((HEAD, b"\x81\x7f" + b"\xff" * 8), b"nothing"),
        ((b"HTTP/1.1 404 Not Found\r\n\r\n",), b"HTTP/1.1 404 Not Found"),
        ((b"hello",), b"nothing"),
    ],
)
def test_what_is_said_instead_is_shown(parts: tuple[bytes, ...], said: bytes) -> None:
    assert found(saying(*parts)) == said


def pouring(data: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        try:
            while True:
                connection.sendall(data)
        except OSError:
            return

    return serve


@pytest.mark.parametrize("data", [b"x" * 65536, HEAD + PING * 30_000], ids=["a head without end", "pings without end"])
def test_a_server_that_never_stops_is_left(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.conformance.websockets.ALL_PATIENCE", 0.3)

    assert found(pouring(data)) is not None


def test_a_connection_that_is_reset_is_a_difference() -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert found(reset) is not None
