"""The handshake of `subscribe` (crates/client-api/src/util/websocket.rs)."""

from emulator.http.request import Request
from emulator.http.response import TEXT, Response
from emulator.services.spacetimedb.auth import Caller
from emulator.services.spacetimedb.store import Store


async def subscribe(request: Request, store: Store, caller: Caller) -> Response:
    """Until there are WebSockets: every request is refused as one that asks for none."""
    lines = b"connection: upgrade\r\nupgrade: websocket\r\n"
    return Response(426, b"This service requires use of the websocket protocol", TEXT, lines, why="no WebSocket")
