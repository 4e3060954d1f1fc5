"""The open WebSockets of a world. They are in no snapshot."""

from collections.abc import Callable, Iterator
from threading import RLock

import msgspec

from emulator.core.close_frame import GOING_AWAY, wrong_code, wrong_reason

GONE = (GOING_AWAY, "module exited")
"""What SpacetimeDB tells the clients of a database that was deleted or cleared (docs/fidelity.md, WebSockets)."""


class OpenConnection(msgspec.Struct, frozen=True, eq=False):
    """`identity` and `database` are in hex, `actor` is the scenario's name for the client.

    `since` is when the handshake arrived, in microseconds of the emulator's clock. `close` sends a Close frame, `cut`
    ends the connection without one; both can be called from any thread, and return at once.
    """

    id: str
    """The connection id, 32 hex digits. A client can choose it."""
    identity: str
    database: str
    protocol: str
    since: int
    actor: str
    session_id: str | None
    close: Callable[[int, str], None]
    cut: Callable[[], None]


def check_close(code: int, reason: str) -> None:
    """Raises ValueError for what no Close frame can have."""
    for name, wrong in (("code", wrong_code(code)), ("reason", wrong_reason(reason))):
        if wrong:
            raise ValueError(f"{name}: {wrong}")


def _session(connection: OpenConnection) -> tuple[str, str, str | None]:
    return connection.database, connection.identity, connection.session_id


class Connections:
    """Those that are open, oldest first."""

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._open: dict[OpenConnection, None] = {}
        self._is_over = False

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[OpenConnection]:
        with self._lock:
            return iter(list(self._open))

    def add(self, connection: OpenConnection) -> bool:
        """False if the session of the client has a connection, which is then cut: the client may try again.

        The new one is not added then. In a world that was replaced, it is closed at once.
        """
        with self._lock:
            if (holder := self._holder(connection)) is not None:
                self.remove(holder)
                holder.cut()
                return False
            self._open[connection] = None
            is_over = self._is_over
        if is_over:
            self.close(connection, *GONE)
        return True

    def _holder(self, connection: OpenConnection) -> OpenConnection | None:
        """Who has the same session (client_session_index.rs in the server's core, 2.10.2 and later)."""
        if connection.session_id is None:
            return None
        return next((each for each in self._open if _session(each) == _session(connection)), None)

    def remove(self, connection: OpenConnection) -> None:
        with self._lock:
            self._open.pop(connection, None)

    def close(self, connection: OpenConnection, code: int, reason: str) -> None:
        """It is not among the open ones from now on. Does nothing when it has ended."""
        with self._lock:
            known = connection in self._open
            self.remove(connection)
        if known:
            connection.close(code, reason)

    def end(self) -> None:
        """Close all, those too that are added later: the world was replaced."""
        with self._lock:
            self._is_over = True
        for connection in self:
            self.close(connection, *GONE)

    def end_of(self, database: str) -> None:
        """Close those of a database, an identity in hex: it was deleted."""
        for connection in self:
            if connection.database == database:
                self.close(connection, *GONE)
