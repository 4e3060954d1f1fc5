"""SpacetimeDB's stored data. As on the real server, `POST /v1/identity` stores nothing."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from emulator.core.context import Context
from emulator.core.copy_on_write import CopyOnWriteMap
from emulator.core.suggestions import did_you_mean
from emulator.services.spacetimedb import model
from emulator.services.spacetimedb.database import names
from emulator.services.spacetimedb.database.name_register import NameRegister
from emulator.services.spacetimedb.database.owned import OwnedDatabases, Packed
from emulator.services.spacetimedb.issuers.key_set import KeySet, NoKeys
from emulator.services.spacetimedb.model import Claims, Database, Extra, Identity
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.signing_keys import Keyring, SigningKey
from emulator.services.spacetimedb.token_validation import KeysOf, no_foreign_keys

if TYPE_CHECKING:
    from emulator.services.spacetimedb.issuers.providers import Provider
    from emulator.services.spacetimedb.issuers.registry import Issuers

_LONGEST_LIFE = 10**12
_DATABASE = "spacetime.database"

MOST_REDUCERS = 1000
"""That have stubs."""
_LONGEST_REDUCER = 200
"""Characters."""


def reducer_fault(name: str) -> str:
    """Why no reducer can have this name; empty when one can."""
    if 0 < len(name) <= _LONGEST_REDUCER and name.isprintable():
        return ""
    return f"{name[:_LONGEST_REDUCER]!r} is not the name of a reducer: 1 to {_LONGEST_REDUCER} printable characters"


class Store:
    def __init__(self, profile: Release, key: SigningKey, context: Context) -> None:
        self.profile = profile
        self.keyring = Keyring(key)
        self.emails: CopyOnWriteMap[Identity, str] = CopyOnWriteMap(context.deferred)
        self.databases = OwnedDatabases(context.deferred)
        self.names = NameRegister(CopyOnWriteMap(context.deferred), CopyOnWriteMap(context.deferred))
        self.locked: CopyOnWriteMap[Identity, bool] = CopyOnWriteMap(context.deferred)
        """Whether a database can't be deleted or cleared."""
        self.on_deletion: Callable[[Identity], object] = lambda identity: None
        """Called with the identity of each database that is deleted."""
        self.stubbed_reducers: frozenset[tuple[Identity, str]] = frozenset()
        """The identity of a database, and the name of a reducer of it that a call over the WebSocket succeeds with."""
        self.fetch_issuers: tuple[str, ...] = ()
        """The hosts whose issuers are fetched although they are not registered; `loopback` is this machine."""
        self._issuers: Issuers | None = None
        self._context, self._begun = context, context.clock.micros()
        self._clock, self._entropy, self._lock = context.clock, context.entropy, context.lock

    def fork(self, context: Context, begun: int | None = None) -> "Store":
        """A copy of the store, begun anew at a time (microseconds) if one is given. The caller holds the lock."""
        copy = Store(self.profile, self.keyring.key, context)
        copy._begun = self._begun if begun is None else begun
        copy.fetch_issuers = self.fetch_issuers
        if self._issuers is not None:
            copy._issuers = self._issuers.fork(context, begun)
        copy.keyring = self.keyring.fork()
        copy.emails, copy.databases = self.emails.fork(), self.databases.fork()
        copy.names, copy.locked = self.names.fork(), self.locked.fork()
        copy.stubbed_reducers = self.stubbed_reducers
        return copy

    @property
    def issuers(self) -> "Issuers":
        """The foreign issuers, with what the server has cached of their keys."""
        with self._lock:
            if self._issuers is None:
                from emulator.http.outgoing import Hosts
                from emulator.services.spacetimedb.issuers.registry import Issuers

                self._issuers = Issuers(self.profile, self._context, self._begun, Hosts.of(self.fetch_issuers))
            return self._issuers

    @property
    def has_issuers(self) -> bool:
        """Whether any is registered, or may be fetched."""
        return self._issuers is not None or bool(self.fetch_issuers)

    def micros(self) -> int:
        """The current time, in microseconds since 1970."""
        return self._clock.micros()

    def create_identity(self) -> tuple[Identity, str]:
        """A new identity and its token, which never expires."""
        subject = self.new_subject()
        claims = self.claims(model.LOCAL_ISSUER, subject, model.AUDIENCE, None, {})
        return claims.identity, self.keyring.key.mint(claims)

    def new_subject(self) -> str:
        """A UUID v4, the `sub` of identities that the real server creates."""
        return self._entropy.uuid4("spacetime.subject")

    def new_connection_id(self) -> str:
        """32 hex digits, for a client of the WebSocket that gives none."""
        return self._entropy.draw("spacetime.connection")[:16].hex()

    def create_websocket_token(self, caller: Claims) -> str:
        """A token for 60 seconds with the claims of the caller's, extra ones included (since v1.9.0, PR #3705)."""
        lifetime = model.WEBSOCKET_TOKEN_SECONDS
        return self.keyring.key.mint(
            self.claims(caller.issuer, caller.subject, caller.audience, lifetime, caller.extra)
        )

    def claims(
        self,
        issuer: str,
        subject: str,
        audience: tuple[str, ...],
        expires_in: float | None,
        extra: Extra,
        *,
        at: int | None = None,
        null_exp: bool = False,
    ) -> Claims:
        """Of a token issued now, or at a time (microseconds). `exp: null` is as the profile has it, or if asked for."""
        moment = self._clock.micros() if at is None else at
        null = null_exp or self.profile.null_exp
        return Claims.issued(issuer, subject, audience, expires_in, extra, at=moment, null_exp=null)

    def issue_token(
        self,
        issuer: str,
        subject: str,
        audience: tuple[str, ...],
        expires_in: float | None,
        extra: Extra,
        *,
        null_exp: bool = False,
    ) -> str:
        """Any well-formed token. `expires_in` is in seconds from now, None is never. Raises ValueError."""
        if null_exp and expires_in is not None:
            raise ValueError("a token with expires_in has a time in `exp`, so null_exp has no place")
        if expires_in is not None and not -_LONGEST_LIFE <= expires_in <= _LONGEST_LIFE:
            raise ValueError(f"expires_in is {expires_in!r}; it is from -{_LONGEST_LIFE} to {_LONGEST_LIFE} seconds")
        if taken := model.CLAIM_NAMES & extra.keys():
            any_claims = "sign() takes any claims, and so do `claims` over HTTP without a subject or an actor"
            raise ValueError(f"{min(taken)!r} is not an extra claim; {any_claims}")
        claims = self.claims(issuer, subject, audience, expires_in, extra, null_exp=null_exp)
        return self.keyring.key.mint(claims)

    def first_token(
        self, issuer: str, subject: str, audience: tuple[str, ...], expires_in: float | None, extra: Extra, *, at: int
    ) -> str:
        """A token as of a time (microseconds), of the issuer's first key if it is played, else of this server's."""
        if (played := self._played(issuer)) is not None:
            claims = played.claims(issuer, subject, audience, at // 1_000_000, expires_in)
            if (token := played.token({**claims, **extra}, first=True)) is not None:
                return token
        return self.keyring.first.mint(self.claims(issuer, subject, audience, expires_in, extra, at=at))

    def token(
        self,
        issuer: str,
        subject: str,
        audience: tuple[str, ...],
        expires_in: float | None,
        extra: Extra,
        *,
        null_exp: bool = False,
    ) -> str:
        """As `issue_token`, but of the issuer's key if it is played. Raises ValueError."""
        if (played := self._played(issuer)) is not None and not null_exp:
            claims = played.claims(issuer, subject, audience, self._clock.seconds(), expires_in)
            if (token := played.token({**claims, **extra})) is not None:
                return token
        return self.issue_token(issuer, subject, audience, expires_in, extra, null_exp=null_exp)

    def _played(self, issuer: str) -> "Provider | None":
        return None if self._issuers is None else self._issuers.find(issuer)

    def read(self, token: str, keys_of: KeysOf | None = None) -> Claims:
        """The claims of a token that is valid now. `keys_of` has the keys of foreign issuers, by default those now.

        Raises TokenRefused, and KeysNeeded when an issuer must be waited for (`issuers.registry`).
        """
        return self.keyring.read(token, self._clock.micros(), self.profile, keys_of or self.keys_of)

    def keys_of(self, issuer: str) -> KeySet | NoKeys:
        """The keys that the server has of a foreign issuer. Raises KeysNeeded as `read`."""
        return self.issuers.keys_of(issuer) if self.has_issuers else no_foreign_keys(issuer)

    def rotate_key(self) -> None:
        """Replace the signing key: every existing token becomes invalid."""
        self.keyring.rotate(SigningKey.rotated(self._entropy), self._clock.seconds())

    def set_email(self, owner: Identity, email: str) -> None:
        """One address per identity, in lower case; a second call replaces the first (v0.12)."""
        with self._lock:
            self.emails[owner] = email.lower()

    def add_database(self, owner: Identity, name: str | None = None, identity: Identity | None = None) -> Database:
        """A new database, last in the owner's list. Raises ValueError when its name or identity is taken, or no name.

        Without an identity it has that of the deleted database whose name it gets, or one that depends on owner and
        name only, or a random one.
        """
        with self._lock:
            if name is not None and (wrong := self._unusable(name, owner, identity)):
                raise ValueError(wrong)
            if identity is not None and self.database(identity) is not None:
                raise ValueError(f"a database has the identity {identity} already; give another `identity`")
            database = self._new_database(owner, name, identity)
            self._put(owner, (database,))
        return database

    def _new_database(self, owner: Identity, name: str | None, identity: Identity | None) -> Database:
        if identity is not None:
            return Database.known(identity, owner, name)
        if name is None:
            return Database.new(self._entropy.draw(_DATABASE), owner)
        deleted = self.names.identity(name)
        # Of the databases that a scenario only counts, one can have this number as its label; another can have been
        # renamed.
        for label in (name, f"/{name}"):
            derived = self._derived(owner, label, name)
            if deleted in (None, derived.identity) and not self._owns(owner, derived.identity):
                return derived
        if deleted is not None:
            return Database.known(deleted, owner, name)
        return Database.new(self._entropy.draw(_DATABASE), owner, name)

    def _owns(self, owner: Identity, identity: Identity) -> bool:
        wanted = bytes.fromhex(identity)
        return any(packed.startswith(wanted) for packed in self.databases.get(owner) or ())

    def _derived(self, owner: Identity, label: str, name: str | None) -> Database:
        return Database.new(self._entropy.named(_DATABASE, f"{owner}/{label}"), owner, name)

    def _unusable(self, name: str, owner: Identity, identity: Identity | None = None) -> str:
        """Why a new database can't have this name; empty when it can. That of a deleted one belongs to its owner."""
        if fault := names.fault(name):
            return f"no database can be called {name[:100]!r}: {fault}; {names.ALLOWED}"
        known, holder = self.names.identity(name), self.names.owner(name)
        other = self.database(name)
        if other is not None or (known is not None and identity not in (None, known)):
            return f"{name!r} is taken by a database of {other.owner if other else holder}; names are unique"
        return "" if holder in (None, owner) else f"{name!r} belongs to {holder}; names are unique"

    def add_databases(self, owner: Identity, count: int) -> None:
        """So many databases without a name, whose identities depend on the owner and their numbers only."""
        if count:
            self._put(owner, [self._derived(owner, str(number), None) for number in range(1, count + 1)])

    def restore_databases(self, owner: Identity, databases: Sequence[Database]) -> None:
        """Add the databases of a snapshot. Raises ValueError for a name that is taken or that no database can have."""
        for each in databases:
            if each.name is not None:
                if wrong := self._unusable(each.name, owner, each.identity):
                    raise ValueError(wrong)
                self.names.put(each.name, owner, each.identity)
        self._put(owner, databases)

    def _put(self, owner: Identity, databases: Sequence[Database]) -> None:
        with self._lock:
            self.databases[owner] = (*(self.databases.get(owner) or ()), *(each.packed for each in databases))
            for each in databases:
                if each.name is not None:
                    self.names.put(each.name, owner, each.identity)

    def add_name(self, name: str, owner: Identity, identity: Identity) -> Literal["added", "taken", "denied"]:
        """Have another name stand for any identity. "denied" is a name that somebody else registered."""
        with self._lock:
            return self.names.add(name, owner, identity)

    def lock_database(self, database: Database, *, locked: bool) -> None:
        with self._lock:
            self.locked[database.identity] = locked

    def delete_database(self, database: Database) -> None:
        """Its names go on standing for its identity (crates/standalone/src/control_db.rs)."""
        with self._lock:
            self._replace(database, ())
        self.on_deletion(database.identity)

    def rename_database(self, database: Database, wanted: Sequence[str]) -> str:
        """Give a database these names in place of those it has.

        Returns the name that prevents it, since somebody else than the database's owner registered it, else "".
        """
        with self._lock:
            if denied := self.names.replace(database, wanted):
                return denied
            name = wanted[0] if wanted else None
            self._replace(database, (msgspec.structs.replace(database, name=name).packed,))
        return ""

    def _replace(self, database: Database, by: Packed) -> None:
        position = [each.identity for each in self.databases_of(database.owner)].index(database.identity)
        packed = self.databases[database.owner]
        self.databases[database.owner] = (*packed[:position], *by, *packed[position + 1 :])

    def database_of(self, owner: Identity, label: str) -> Database:
        """The database that a scenario calls so: by its name, or by its number of those that are only counted."""
        named = self.database(label) if self.names.owner(label) is not None else None
        return named if named is not None and named.owner == owner else self._derived(owner, label, None)

    def database(self, name_or_identity: str) -> Database | None:
        """A database by its name, or by its identity in any form that a path may have; None when there is none."""
        with self._lock:
            identity = self.identity_of(name_or_identity)
            return None if identity is None else self.databases.find(identity)

    def identity_of(self, name_or_identity: str) -> Identity | None:
        """What a name or an identity stands for, whether there is such a database or not; None for an unknown name."""
        return names.identity_in(name_or_identity) or self.names.identity(name_or_identity)

    def stub_reducer(self, database: str, reducer: str) -> Identity:
        """Have calls of a reducer succeed; the database is given by name or identity, which is returned.

        Raises ValueError for a database that is not there, an invalid name of a reducer, and for too many.
        """
        with self._lock:
            found = self.database(database)
            if found is None:
                hint = did_you_mean(database, self.names.in_use())
                raise ValueError(f"there is no database {database[:100]!r}; {hint}")
            if wrong := reducer_fault(reducer):
                raise ValueError(wrong)
            if len(self.stubbed_reducers) >= MOST_REDUCERS:
                raise ValueError(f"{MOST_REDUCERS} reducers have stubs, which is the limit")
            self.stubbed_reducers |= {(found.identity, reducer)}
            return found.identity

    def stubbed_reducers_of(self, database: Identity) -> list[str]:
        """The names of the reducers of a database whose calls succeed."""
        return sorted(reducer for identity, reducer in self.stubbed_reducers if identity == database)

    def is_stubbed(self, database: Identity, reducer: str) -> bool:
        """Whether calls of a reducer of a database succeed."""
        return (database, reducer) in self.stubbed_reducers

    def names_of(self, identity: Identity) -> list[str]:
        """The names that stand for an identity, in the order in which they were given."""
        return list(self.names.of(identity))

    def databases_of(self, owner: Identity) -> tuple[Database, ...]:
        """In order of creation (crates/standalone/src/control_db.rs)."""
        return tuple(Database.unpacked(packed, owner) for packed in self.databases.get(owner) or ())
