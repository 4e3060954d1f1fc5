"""Names of databases, as the server keeps them: crates/standalone/src/control_db.rs, alike in 1.12.0 and 2.8.3.

A name stands for an identity, whether there is a database or not, and belongs to whoever registered it, for ever.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from emulator.core.copy_on_write import CopyOnWriteMap
from emulator.services.spacetimedb.model import Database, Identity

MOST = 100_000
"""Names in a world that clients can add to."""
LONGEST = 200
"""Characters of a name that a client gives."""


class NameRecord(msgspec.Struct, frozen=True):
    """Who registered a name, and the identity that it stands for; None when it was replaced."""

    owner: Identity
    identity: Identity | None


class NameRegister:
    """`records` are the trees `dns` and `top_level_domains`, since a name has only one part; the other, `reverse_dns`.

    Writers hold the world's lock.
    """

    def __init__(
        self, records: CopyOnWriteMap[str, NameRecord], by_identity: CopyOnWriteMap[Identity, tuple[str, ...]]
    ) -> None:
        self.records, self.by_identity = records, by_identity

    def fork(self) -> "NameRegister":
        return NameRegister(self.records.fork(), self.by_identity.fork())

    def identity(self, name: str) -> Identity | None:
        """What a name stands for."""
        found = self.records.get(name)
        return None if found is None else found.identity

    def owner(self, name: str) -> Identity | None:
        """Who registered a name."""
        found = self.records.get(name)
        return None if found is None else found.owner

    def of(self, identity: Identity) -> tuple[str, ...]:
        """The names that stand for an identity, in the order in which they were given."""
        return self.by_identity.get(identity) or ()

    def in_use(self) -> Iterable[str]:
        return (name for name, record in self.records.merged().items() if record.identity is not None)

    def has_room_for(self, names: Sequence[str]) -> bool:
        return len(self.records) + len(names) <= MOST and all(len(name) <= LONGEST for name in names)

    def put(self, name: str, owner: Identity, identity: Identity) -> None:
        """Have a name, which nobody else has, stand for an identity."""
        self.records[name] = NameRecord(owner, identity)
        if name not in self.of(identity):
            self.by_identity[identity] = (*self.of(identity), name)

    def add(self, name: str, owner: Identity, identity: Identity) -> Literal["added", "taken", "denied"]:
        """`spacetime_insert_domain`: give a name to any identity, be it the owner's or not."""
        if self.identity(name) is not None:
            return "taken"
        if self.owner(name) not in (None, owner):
            return "denied"
        self.put(name, owner, identity)
        return "added"

    def replace(self, database: Database, wanted: Sequence[str]) -> str:
        """`spacetime_replace_domains`: nothing, and the first name that belongs to somebody else; else ""."""
        held, owner, identity = self.of(database.identity), database.owner, database.identity
        for name in (*held, *wanted):
            if self.owner(name) not in (None, owner):
                return name
        for name in held:
            self.records[name] = NameRecord(owner, None)
        for name in wanted:
            self.records[name] = NameRecord(owner, identity)
        self.by_identity[identity] = tuple(wanted)
        return ""
