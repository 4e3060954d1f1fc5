"""The open WebSockets of SpacetimeDB's clients."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, SupportsIndex, overload

from emulator.control.judged import judged
from emulator.core.arguments import checked
from emulator.core.clock import rfc3339, to_datetime
from emulator.core.close_frame import NORMAL
from emulator.core.words import counted
from emulator.world.connections import Connections, OpenConnection, check_close
from emulator.world.stage import Stage


class Connection(Protocol):
    """An open connection of a client."""

    @property
    def id(self) -> str:
        """The connection id, 32 hex digits."""

    @property
    def identity(self) -> str:
        """Of the client, 64 hex digits."""

    @property
    def database(self) -> str:
        """The identity of the database, 64 hex digits."""

    @property
    def protocol(self) -> str:
        """The chosen subprotocol, like `v2.bsatn.spacetimedb`."""

    @property
    def since(self) -> datetime:
        """When the client connected, by the emulator's clock."""

    @property
    def actor(self) -> str:
        """The scenario's name for the client; empty when it has none."""

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Send a Close frame; from now on nothing is answered. Returns at once, and does nothing when it has ended.

        `code` is one that a server may send, 4000 to 4999 too, `reason` has at most 123 bytes. Raises WrongArgument
        for others.
        """


class LocalConnection(Connection):
    def __init__(self, connections: Connections, connection: OpenConnection) -> None:
        self._connections = connections
        self._connection = connection

    def __repr__(self) -> str:
        return f"<Connection {self.id} {self.protocol}>"

    @property
    def id(self) -> str:
        return self._connection.id

    @property
    def identity(self) -> str:
        return self._connection.identity

    @property
    def database(self) -> str:
        return self._connection.database

    @property
    def protocol(self) -> str:
        return self._connection.protocol

    @property
    def since(self) -> datetime:
        return to_datetime(self._connection.since)

    @property
    def actor(self) -> str:
        return self._connection.actor

    @checked("connection.close", reason="enough")
    def close(self, code: int = NORMAL, reason: str = "") -> None:
        with judged("connection.close"):
            check_close(code, reason)
        self._connections.close(self._connection, code, reason)


class OpenConnections(list[Connection]):
    """A list that says how to wait for a connection that is not there yet."""

    @overload
    def __getitem__(self, place: SupportsIndex) -> Connection: ...
    @overload
    def __getitem__(self, place: slice) -> list[Connection]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Connection | list[Connection]:
        try:
            return super().__getitem__(place)
        except IndexError:
            open_now = counted(len(self), "WebSocket is", "WebSockets are")
            raise IndexError(f"connections[{place}]: {open_now} open; {_WAIT}") from None


_WAIT = 'wait for its first message: journal.wait_for(frame="InitialConnection"), of a v1 client frame="IdentityToken"'


def local_connections(stage: Stage) -> OpenConnections:
    """Those of the current world, oldest first."""
    connections = stage.settled_world().connections
    return OpenConnections(LocalConnection(connections, each) for each in connections)


def as_json(connection: OpenConnection) -> Mapping[str, Any]:
    return {
        "id": connection.id,
        "identity": connection.identity,
        "database": connection.database,
        "protocol": connection.protocol,
        "since": rfc3339(connection.since),
        "actor": connection.actor,
    }
