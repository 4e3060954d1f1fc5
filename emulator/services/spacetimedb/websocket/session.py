"""What is said on one WebSocket, as values: `emulator.http.upgrade.Session`. The protocols are in `v1` and `v2`.

Subscriptions and queries find nothing, whatever table they name; a reducer is unknown unless a test has stubbed it.
crates/core/src/client of v1.12.0 and v2.8.3.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from emulator.http.upgrade import Close, Message, Output, Send
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.websocket import bsatn, compression, messages, sats, words
from emulator.services.spacetimedb.websocket.bsatn import DecodeError
from emulator.services.spacetimedb.websocket.query_sets import QuerySets
from emulator.services.spacetimedb.websocket.sats import Fields, TooMany, Variant

_UNDECODABLE, _OVERLOADED = 1011, 1013

_LONGEST_REASON = 1000
"""Characters of a Close's reason. The real server sends all of it, although RFC 6455 allows 123 bytes."""

_LONGEST_IN_WORDS = 65_536
"""Bytes or characters of a message that is read once more, to be shown in words."""

NO_SUCH_REDUCER = "no such reducer"
_NO_SUCH_PROCEDURE = "No such procedure"

NO_TABLES: Fields = {"tables": ()}
AT_ONCE: Fields = {"__time_duration_micros__": 0}


class Undecodable(Exception):
    """A message that is none of the protocol; the text is the reason of the Close."""


class Client(msgspec.Struct, frozen=True):
    """Who connected, with what and to what. Identities are 64 hex digits, the connection id 32."""

    identity: str
    token: str
    connection_id: str
    database: str
    compression: str = compression.DEFAULT
    session_id: str | None = None
    """32 hex digits, if the client gave one: a second connection with it, by the same identity to the same database,
    is closed with 4000, and ends the first."""


class World(msgspec.Struct, frozen=True):
    """What a session asks its world, each time anew."""

    micros: Callable[[], int]
    """The time, in microseconds since 1970."""
    is_stubbed: Callable[[str], bool]
    """Whether a reducer of this name is stubbed."""


class Session:
    """A session of any of the protocols. What it makes of a message is a subclass's."""

    subprotocol: str
    _server: ClassVar[sats.Sum]

    def __init__(self, client: Client, world: World, release: Release) -> None:
        self.identity, self.database = client.identity, client.database
        self.connection_id, self.session_id = client.connection_id, client.session_id
        self._client, self._world, self._release = client, world, release
        self._sets = QuerySets(self._id_name, client.identity, client.connection_id)
        self._over = False

    @property
    def _id_name(self) -> str:
        return messages.QUERY_SET_ID

    # --- what the server asks -----------------------------------------------------------------------------------------

    def opened(self) -> Iterable[Output]:
        """The message by which a client knows that it is connected (`onConnect`)."""
        return self.opened_as(self.identity)

    def opened_as(self, identity: str) -> Iterable[Output]:
        """As `opened`, but of another identity, in hex."""
        return self._sent([self._first(self._connection(identity))])

    def received(self, message: Message) -> Iterable[Output]:
        """The responses to a message, in order. After a Close nothing is answered."""
        if self._over:
            return []
        try:
            asked = self._decoded(message)
            return self._sent([answer for each in asked if (answer := self._answer(*each))])
        except Undecodable as undecodable:
            close = Close(_UNDECODABLE, str(undecodable)[:_LONGEST_REASON])
        except TooMany:
            close = Close(_OVERLOADED, "too many requests")
        self._over = True
        return [close]

    def failed(self, text: str) -> Iterable[Output]:
        """A SubscriptionError of no request."""
        return self._sent([self._error({}, text)])

    def text_of(self, message: Message, *, by_client: bool) -> str:
        """A message in words: `Subscribe request 1, set 0: SELECT * FROM person`. Never raises."""
        if len(message) > _LONGEST_IN_WORDS:
            return words.of_bytes(message)
        try:
            said = self._decoded(message) if by_client else self._decoded_own(message)
        except (Undecodable, DecodeError, TooMany, ValueError, RecursionError, msgspec.MsgspecError):
            return words.of_bytes(message)
        return words.of_all(said)

    # --- what a protocol says -----------------------------------------------------------------------------------------

    def _first(self, connection: Fields) -> Variant:
        raise NotImplementedError

    def _decoded(self, message: Message) -> list[Variant]:
        """The client's messages in it. Raises Undecodable or TooMany."""
        raise NotImplementedError

    def _answer(self, name: str, asked: Fields) -> Variant | None:
        """None if the client wants none."""
        raise NotImplementedError

    def _error(self, asked: Fields, text: str) -> Variant:
        """What goes wrong with a subscription."""
        raise NotImplementedError

    # --- what they share ----------------------------------------------------------------------------------------------

    def _sent(self, answers: list[Variant]) -> list[Output]:
        return [Send(self._packed(bsatn.encode(self._server, answer))) for answer in answers]

    def _packed(self, message: bytes) -> bytes:
        return compression.packed(message, self._client.compression)

    def _decoded_own(self, message: Message) -> list[Variant]:
        """The server's messages in it. Raises DecodeError, ValueError or MsgspecError (no ValueError before 0.20)."""
        if isinstance(message, str):
            (said,) = msgspec.json.decode(message.encode(), type=dict[str, Any]).items()
            return [said]
        return all_in(self._server, compression.unpacked(message))

    def _connection(self, identity: str) -> Fields:
        return {
            "identity": {"__identity__": int(identity, 16)},
            "token": self._client.token,
            "connection_id": {"__connection_id__": int(self.connection_id, 16)},
        }

    def _now(self) -> Fields:
        return {"__timestamp_micros_since_unix_epoch__": self._world.micros()}

    def _no_such_procedure(self, asked: Fields) -> Variant:
        return "ProcedureResult", {
            "status": ("InternalError", _NO_SUCH_PROCEDURE),
            "timestamp": {"__timestamp_micros_since_unix_epoch__": 0},
            "total_host_execution_duration": AT_ONCE,
            "request_id": asked["request_id"],
        }


def all_in(of: sats.Sum, message: bytes) -> list[Variant]:
    """The values that follow each other in a message, at least one. Raises DecodeError or TooMany."""
    reader = bsatn.Reader(message)
    found = [bsatn.decode(of, reader)]
    while not reader.at_end:
        reader.count()
        found.append(bsatn.decode(of, reader))
    return found


Answer = Callable[[Any, Fields], Variant | None]
Answers = Mapping[str, Answer]
"""By name of a client's message, the method of its protocol that answers it."""
