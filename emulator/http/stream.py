"""A body that goes on while there is something to tell, as a value; its effects are in `emulator.server.replies`."""

from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import asyncio


class Stream(msgspec.Struct, frozen=True):
    """The body of a response, in pieces.

    `pieces` begins it, with a future that is done when the client is gone or the server stops: then it ends. A piece is
    asked for when the client has taken the one before, but for what its connection buffers. `too_slow` is the last
    piece for a client that does not take one within `patience` seconds of real time, `stopped` that of a server that
    stops, or closes the world.
    """

    pieces: Callable[["asyncio.Future[None]"], AsyncGenerator[bytes, None]]
    patience: float
    too_slow: bytes
    stopped: bytes
