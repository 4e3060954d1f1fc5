"""The server's CPU for a WebSocket: connect, first message, close; beside aiohttp's own that signs as often."""

import json
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.load import request
from benchmarks.servers import BARE_SOCKET, OURS, Server, emulator, python, running
from benchmarks.settings import Settings

_PROBE = request("GET", "/v1/ping")
_HANDSHAKE = request(
    "GET",
    "/v1/database/chat/subscribe",
    {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "v1.json.spacetimedb",
    },
)
_CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"
_SCENARIO = {"version": 1, "spacetime": {"identities": {"alice": {"databases": ["chat"]}}}}


def sockets(settings: Settings) -> dict[str, Any]:
    """Microseconds of the server's CPU for each connection; the client brings no token, so each gets a new one."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scenario = Path(folder) / "chat.json"
        scenario.write_text(json.dumps(_SCENARIO), encoding="utf-8")
        ours = stack.enter_context(running(OURS, [*emulator(), "--scenario", str(scenario)], _PROBE))
        bare = [*python("benchmarks.bare_websocket"), "{port}", "x" * _first_message(ours)]
        theirs = stack.enter_context(running(BARE_SOCKET, bare, _PROBE))
        for server in (ours, theirs):
            _connect(server, settings.connects // 10)
        rounds = [
            {server.name: _cpu(server, settings.connects) for server in (ours, theirs)} for _ in range(settings.runs)
        ]
    return {"sockets": {name: [each[name] for each in rounds] for name in (OURS, BARE_SOCKET)}}


def _cpu(server: Server, count: int) -> float:
    before = server.cpu()
    _connect(server, count)
    return (server.cpu() - before) / count * 1e6


def _connect(server: Server, count: int) -> None:
    for _ in range(count):
        _first_message(server)


def _first_message(server: Server) -> int:
    """Bytes of the first message of a new connection, which is closed then."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(_HANDSHAKE)
        with connection.makefile("rb") as stream:
            while stream.readline() not in {b"\r\n", b""}:
                pass
            size = 0
            while not size:
                first, short = stream.read(2)
                length = int.from_bytes(stream.read(2)) if short == 126 else short
                stream.read(length)
                size = length if first == 0x81 else 0
            connection.sendall(_CLOSE)
            stream.read()
    return size
