"""SpacetimeDB's stored data. As on the real server, `POST /v1/identity` stores nothing."""

from emulator.core.context import Context
from emulator.core.copy_on_write import CopyOnWriteMap
from emulator.services.spacetimedb import model
from emulator.services.spacetimedb.model import Claims, Database, Extra, Identity
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.signing_keys import Keyring, SigningKey

_LONGEST_LIFE = 10**12
_DATABASE = "spacetime.database"


class Store:
    def __init__(self, profile: Release, key: SigningKey, context: Context) -> None:
        self.profile = profile
        self.keyring = Keyring(key)
        self.emails: CopyOnWriteMap[Identity, str] = CopyOnWriteMap(context.deferred)
        self.databases: CopyOnWriteMap[Identity, tuple[bytes, ...]] = CopyOnWriteMap(context.deferred)
        self._clock, self._entropy, self._lock = context.clock, context.entropy, context.lock

    def fork(self, context: Context) -> "Store":
        """A copy of the store; the caller holds the lock."""
        copy = Store(self.profile, self.keyring.key, context)
        copy.keyring = self.keyring.fork()
        copy.emails, copy.databases = self.emails.fork(), self.databases.fork()
        return copy

    def create_identity(self) -> tuple[Identity, str]:
        """A new identity and its token, which never expires."""
        subject = self.new_subject()
        claims = self.claims(model.LOCAL_ISSUER, subject, model.AUDIENCE, None, {})
        return claims.identity, self.keyring.key.mint(claims)

    def new_subject(self) -> str:
        """A UUID v4, the `sub` of identities that the real server creates."""
        return self._entropy.uuid4("spacetime.subject")

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
            raise ValueError(f"{min(taken)!r} is not an extra claim; sign() takes any claims")
        claims = self.claims(issuer, subject, audience, expires_in, extra, null_exp=null_exp)
        return self.keyring.key.mint(claims)

    def read(self, token: str) -> Claims:
        """The claims of a token that is valid now. Raises TokenRefused."""
        return self.keyring.read(token, self._clock.micros(), self.profile)

    def rotate_key(self) -> None:
        """Replace the signing key: every existing token becomes invalid."""
        self.keyring.rotate(SigningKey.rotated(self._entropy), self._clock.seconds())

    def set_email(self, owner: Identity, email: str) -> None:
        """One address per identity, in lower case; a second call replaces the first (v0.12)."""
        with self._lock:
            self.emails[owner] = email.lower()

    def add_database(self, owner: Identity, name: str | None = None) -> Database:
        """A new database, last in the list. With a name, its identity depends on owner and name only."""
        database = Database.new(self._entropy.draw(_DATABASE)) if name is None else self.database_named(owner, name)
        with self._lock:
            self.databases[owner] = (*(self.databases.get(owner) or ()), database.packed)
        return database

    def database_named(self, owner: Identity | str, name: str) -> Database:
        """The database of an owner and a name, added or not."""
        return Database.new(self._entropy.named(_DATABASE, f"{owner}/{name}"))

    def databases_of(self, owner: Identity) -> tuple[Database, ...]:
        """In order of creation (crates/standalone/src/control_db.rs)."""
        return tuple(map(Database.unpacked, self.databases.get(owner) or ()))
