"""A response that makes its connection a WebSocket, as values; the effects are those of `emulator.server.websocket`."""

from collections.abc import Callable, Iterable
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
    """What is said on one WebSocket, without a socket: a message in, what to do out. Nothing of it waits.

    `opened_as` and `failed` are for faults.
    """

    subprotocol: str
    """The chosen one, like `v2.bsatn.spacetimedb`."""
    identity: str
    """Of the client, in hex."""
    database: str
    """The identity of the database, in hex."""
    connection_id: str
    """32 hex digits."""
    session_id: str | None
    """One that the client keeps when it connects again; only one connection at a time can have it."""

    def opened(self) -> Iterable[Output]:
        """What the server sends at once, unasked."""

    def opened_as(self, identity: str) -> Iterable[Output]:
        """As `opened`, but of another identity, in hex."""

    def received(self, message: Message) -> Iterable[Output]:
        """The response to a message of the client."""

    def failed(self, text: str) -> Iterable[Output]:
        """How the server tells of an error in the middle of a session, with this text."""

    def text_of(self, message: Message, *, by_client: bool) -> str:
        """A message in words, for the journal; never raises."""


class Later(msgspec.Struct, frozen=True):
    """What is done after so many real seconds, if the connection is open then."""

    seconds: float
    outputs: Callable[[], Iterable[Output]]


class Upgrade(msgspec.Struct, frozen=True):
    """What follows a response with status 101, whose `headers` hold what the handshake agreed on."""

    session: Session
    later: Later | None = None
    largest_message: int = 32 * 1024 * 1024
    """Bytes of a message from the client; one of more ends the connection without a Close frame."""


class Intervals(msgspec.Struct, frozen=True):
    """Of a WebSocket, in real seconds (crates/client-api/src/routes/subscribe.rs in SpacetimeDB 2.8.3)."""

    ping: float = 15.0
    """Between two pings; none is sent while a pong is due."""
    silence: float = 30.0
    """After so long without a byte of the client it is served no more."""
