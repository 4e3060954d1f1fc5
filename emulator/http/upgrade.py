"""A response that makes its connection a WebSocket, as values; the effects are those of `emulator.server.websocket`."""

from collections.abc import Iterable
from typing import Protocol

import msgspec

Message = str | bytes
"""A text message or a binary one."""


class Send(msgspec.Struct, frozen=True):
    """Send a message."""

    data: Message


class Close(msgspec.Struct, frozen=True):
    """Send a Close frame (RFC 6455, 5.5.1) and nothing after it."""

    code: int
    reason: str = ""


class Cut(msgspec.Struct, frozen=True):
    """End the TCP connection without a Close frame."""


Output = Send | Close | Cut
"""What a session wants to be done, in order."""


class Session(Protocol):
    """What is said on one WebSocket, without a socket: a message in, what to do out. Nothing of it waits."""

    subprotocol: str
    """The chosen one, like `v2.bsatn.spacetimedb`."""
    identity: str
    """Of the client, in hex."""
    database: str
    """The identity of the database, in hex."""
    connection_id: str
    """32 hex digits."""

    def opened(self) -> Iterable[Output]:
        """What the server sends at once, unasked."""

    def received(self, message: Message) -> Iterable[Output]:
        """The response to a message of the client."""

    def text_of(self, message: Message, *, by_client: bool) -> str:
        """A message in words, for the journal; never raises."""


class Upgrade(msgspec.Struct, frozen=True):
    """What follows a response with status 101, whose `headers` hold what the handshake agreed on."""

    session: Session
    largest_message: int = 32 * 1024 * 1024
    """Bytes of a message from the client; one of more ends the connection without a Close frame."""
