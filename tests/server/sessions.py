"""WebSockets without a service: a session that says back what it hears, at a route of the tests' own choice."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from emulator import Emulator
from emulator.http.response import Response
from emulator.http.upgrade import Close, Cut, Intervals, Later, Message, Output, Send, Session, Upgrade
from emulator.server import app
from emulator.server.call import Call
from emulator.world.stage import Stage
from tests.raw import request
from tests.worlds import make_stage, served

PATH = "/v1/ping"
ME, DATABASE, CONNECTION_ID = "c2" * 32, "db" * 32, "01" * 16
HANDSHAKE = request(
    "GET", PATH, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
)
HEAD = (
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
)
"""The accept is of the key that clients of the tests send."""


class Echo:
    """Says `hello <identity>` first, then what it hears; to some words it reacts otherwise."""

    subprotocol, identity, database, connection_id = "echo", ME, DATABASE, CONNECTION_ID
    session_id: str | None = None

    def opened(self) -> Iterable[Output]:
        return self.opened_as(self.identity)

    def opened_as(self, identity: str) -> Iterable[Output]:
        return [Send(f"hello {identity}")]

    def received(self, message: Message) -> Iterable[Output]:
        match message:
            case "close":
                return [Close(4000, "as you wish"), Send("never")]
            case "cut":
                return [Send("last"), Cut(), Send("never")]
            case "raise":
                raise ZeroDivisionError("on purpose")
        return [Send(message)]

    def failed(self, text: str) -> Iterable[Output]:
        return [Send(f"error: {text}")]

    def text_of(self, message: Message, *, by_client: bool) -> str:
        return f"{len(message)} bytes"


@contextmanager
def serving_sessions(
    stage: Stage | None = None,
    session: Callable[[], Session] = Echo,
    intervals: Intervals | None = None,
    later: Later | None = None,
    largest_message: int = 32 * 1024 * 1024,
    *,
    tls: bool = False,
) -> Iterator[Emulator]:
    """A server at whose `PATH` every request for an upgrade is granted."""
    ordinary = app.dispatch

    async def dispatch(call: Call) -> Response:
        if call.request.path == PATH and call.request.header("upgrade"):
            key = call.request.header("sec-websocket-key") or ""
            upgrade = Upgrade(session(), later, largest_message)
            return Response(101, headers=_headers(key), upgrade=upgrade)
        return await ordinary(call)

    made = stage or make_stage()
    with patch.object(app, "dispatch", dispatch), served(made, intervals=intervals, tls=tls) as emulator:
        yield emulator


def _headers(key: str) -> bytes:
    from websockets.utils import accept_key

    return f"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept_key(key)}\r\n".encode()


def stage_of(**settings: Any) -> Stage:
    return make_stage(**settings)
