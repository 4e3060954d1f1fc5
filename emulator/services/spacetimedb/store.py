"""What SpacetimeDB remembers. A bare `POST /v1/identity` leaves nothing behind, as on the real server."""

from collections.abc import Mapping
from typing import Any

from emulator.core.context import Context
from emulator.core.copy_on_write import CopyOnWriteMap
from emulator.services.spacetimedb.model import (
    AUDIENCE,
    CLAIM_NAMES,
    LOCAL_ISSUER,
    WEBSOCKET_TOKEN_SECONDS,
    Claims,
    Database,
    Identity,
    Profile,
    identity_of,
)
from emulator.services.spacetimedb.signing_keys import Keyring, SigningKey

_LONGEST_LIFE = 10**12
_DATABASE = "spacetime.database"


class Store:
    def __init__(self, profile: Profile, key: SigningKey, context: Context) -> None:
        self.profile = profile
        self.keyring = Keyring(key)
        self.emails: CopyOnWriteMap[Identity, str] = CopyOnWriteMap(context.deferred)
        self.databases: CopyOnWriteMap[Identity, tuple[bytes, ...]] = CopyOnWriteMap(context.deferred)
        self._clock, self._entropy, self._lock = context.clock, context.entropy, context.lock

    def fork(self, context: Context) -> "Store":
        """Another store that remembers the same; the caller holds the lock."""
        copy = Store(self.profile, self.keyring.key, context)
        copy.keyring = self.keyring.fork()
        copy.emails, copy.databases = self.emails.fork(), self.databases.fork()
        return copy

    def create_identity(self) -> tuple[Identity, str]:
        """A new identity and its token, which never expires."""
        claims = self._claims(LOCAL_ISSUER, self.new_subject(), AUDIENCE, None, {})
        return claims.identity, self.keyring.key.mint(claims)

    def new_subject(self) -> str:
        """A UUID, as the real server names those it does not know."""
        return self._entropy.uuid4("spacetime.subject")

    def create_websocket_token(self, caller: Claims) -> str:
        """A token for 60 seconds that says what the caller's said, extra claims included (v1.9.0 on)."""
        return self._mint(caller.issuer, caller.subject, caller.audience, WEBSOCKET_TOKEN_SECONDS, caller.extra)

    def issue_token(
        self, issuer: str, subject: str, audience: tuple[str, ...], expires_in: float | None, extra: Mapping[str, Any]
    ) -> str:
        """Any well-formed token. `expires_in` is seconds from now, None is never. Raises ValueError."""
        if expires_in is not None and not -_LONGEST_LIFE <= expires_in <= _LONGEST_LIFE:
            raise ValueError(f"expires_in is {expires_in!r}; it is at most {_LONGEST_LIFE} seconds, ahead or back")
        if taken := CLAIM_NAMES & extra.keys():
            raise ValueError(f"{min(taken)!r} is not an extra claim; sign() takes any claims")
        return self._mint(issuer, subject, audience, None if expires_in is None else round(expires_in), extra)

    def _mint(
        self, issuer: str, subject: str, audience: tuple[str, ...], expires_in: int | None, extra: Mapping[str, Any]
    ) -> str:
        return self.keyring.key.mint(self._claims(issuer, subject, audience, expires_in, extra))

    def _claims(
        self, issuer: str, subject: str, audience: tuple[str, ...], expires_in: int | None, extra: Mapping[str, Any]
    ) -> Claims:
        """Those of a token that is given out now."""
        now = self._issued_at()
        expires_at = None if expires_in is None else now + expires_in
        return Claims(identity_of(issuer, subject), subject, issuer, audience, now, expires_at, extra)

    def token_from_the_beginning(
        self,
        issuer: str,
        subject: str,
        audience: tuple[str, ...],
        expires_in: float | None,
        extra: Mapping[str, Any],
        *,
        begun: int,
    ) -> str:
        """A token that was issued when the world began (microseconds), signed with the key of that time."""
        issued_at = _seconds(begun)
        expires_at = None if expires_in is None else issued_at + round(expires_in)
        claims = Claims(identity_of(issuer, subject), subject, issuer, audience, issued_at, expires_at, extra)
        return self.keyring.first.mint(claims)

    def read(self, token: str) -> Claims:
        """The claims of a token that is good now. Raises TokenRefused."""
        return self.keyring.read(token, self._clock.seconds())

    def rotate_key(self) -> None:
        """Lose the signing key and make another: every token given out so far becomes invalid."""
        self.keyring.rotate(SigningKey.rotated(self._entropy), self._clock.seconds())

    def set_email(self, owner: Identity, email: str) -> None:
        """One address per identity, in lower case; a second call replaces the first."""
        with self._lock:
            self.emails[owner] = email.lower()

    def add_database(self, owner: Identity, name: str | None = None) -> Database:
        """A new database, listed last; one with a name is the same whatever else was made."""
        database = Database.new(self._entropy.draw(_DATABASE)) if name is None else self.database_named(owner, name)
        with self._lock:
            self.databases[owner] = (*(self.databases.get(owner) or ()), database.packed)
        return database

    def database_named(self, owner: Identity | str, name: str) -> Database:
        """The database that belongs to an owner and a name, whether it was added or not."""
        return Database.new(self._entropy.named(_DATABASE, f"{owner}/{name}"))

    def databases_of(self, owner: Identity) -> tuple[Database, ...]:
        """In the order they were made."""
        return tuple(map(Database.unpacked, self.databases.get(owner) or ()))

    def _issued_at(self) -> int:
        return _seconds(self._clock.micros())


def _seconds(micros: int) -> int:
    """Half a second rounded up: a fresh `iat` can be up to 0.5 s ahead (serde_with, TimestampSeconds)."""
    return (micros + 500_000) // 1_000_000
