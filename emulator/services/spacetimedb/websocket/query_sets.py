"""The query sets that a client has subscribed to (module_subscription_manager.rs of v1.12.0 and v2.8.3)."""

from collections.abc import Iterable

from emulator.services.spacetimedb.websocket import queries
from emulator.services.spacetimedb.websocket.sats import TooMany

MOST_SETS = 10_000
"""Query sets of one connection. The real server takes any number; here one more ends the connection."""

_LONGEST_NAME = 256
"""Characters that are kept of a table's name."""


class Refused(Exception):
    """What a client asks of its query sets can't be; the text is the real server's."""


class QuerySets:
    """The query sets of one client, by number, each with the table of its query, if it has one query."""

    def __init__(self, id_name: str, identity: str, connection_id: str) -> None:
        self._id_name = id_name
        self._client = f"(Identity({identity}), ConnectionId({connection_id}))"
        self._tables: dict[int, str | None] = {}
        self._known = False

    def know_client(self) -> None:
        """The server knows a client once it has subscribed to anything."""
        self._known = True

    def add(self, number: int, asked: Iterable[str]) -> None:
        """Raises Refused for a number that is taken, TooMany."""
        self._known = True
        if number in self._tables:
            raise Refused(f"Subscription with id {self._id(number)} already exists for client: {self._client}")
        if len(self._tables) == MOST_SETS:
            raise TooMany
        distinct = set(asked)
        self._tables[number] = queries.table_of(distinct.pop())[:_LONGEST_NAME] if len(distinct) == 1 else None

    def remove(self, number: int) -> str | None:
        """The table of the set, None if it has not one query. Raises Refused for a set that is not there."""
        if not self._known:
            raise Refused(f"Client not found: {self._client}")
        if number not in self._tables:
            raise Refused(f"Subscription not found: ({self._client}, {self._id(number)})")
        return self._tables.pop(number)

    def _id(self, number: int) -> str:
        return f"{self._id_name} {{ id: {number} }}"
