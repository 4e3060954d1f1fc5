"""What SpacetimeDB remembers. A bare `POST /v1/identity` leaves nothing behind, as on the real server."""

from emulator.clock import Clock, Entropy
from emulator.spacetime.credentials import Keyring, SigningKey
from emulator.spacetime.model import (
    AUDIENCE,
    LOCAL_ISSUER,
    WEBSOCKET_TOKEN_SECONDS,
    Claims,
    Database,
    Identity,
    Profile,
    identity_of,
)


class Store:
    def __init__(self, profile: Profile, key: SigningKey, clock: Clock, entropy: Entropy) -> None:
        self.profile = profile
        self.keyring = Keyring(key)
        self.emails: dict[Identity, str] = {}
        self._databases: dict[Identity, tuple[Database, ...]] = {}
        self._clock = clock
        self._entropy = entropy

    def create_identity(self) -> tuple[Identity, str]:
        """A new identity and its token, which never expires."""
        subject = self._entropy.uuid4("spacetime.subject")
        claims = Claims(identity_of(LOCAL_ISSUER, subject), subject, LOCAL_ISSUER, AUDIENCE, self._issued_at())
        return claims.identity, self.keyring.key.mint(claims)

    def create_websocket_token(self, caller: Claims) -> str:
        """A token for 60 seconds that says what the caller's said, extra claims included (v1.9.0 on)."""
        now = self._issued_at()
        claims = Claims(
            caller.identity,
            caller.subject,
            caller.issuer,
            caller.audience,
            issued_at=now,
            expires_at=now + WEBSOCKET_TOKEN_SECONDS,
            extra=caller.extra,
        )
        return self.keyring.key.mint(claims)

    def read(self, token: str) -> Claims:
        """The claims of a token that is good now. Raises TokenRefused."""
        return self.keyring.read(token, self._clock.seconds())

    def rotate_key(self) -> None:
        """Lose the signing key and make another: every token given out so far becomes invalid."""
        key = SigningKey.from_entropy(self._entropy.draw("spacetime.rotated_key"))
        self.keyring.rotate(key, self._clock.seconds())

    def set_email(self, owner: Identity, email: str) -> None:
        """One address per identity, in lower case; a second call replaces the first."""
        self.emails[owner] = email.lower()

    def add_database(self, owner: Identity) -> Database:
        database = Database.new(self._entropy.draw("spacetime.database"))
        self._databases[owner] = (*self.databases(owner), database)
        return database

    def databases(self, owner: Identity) -> tuple[Database, ...]:
        """In the order they were made."""
        return self._databases.get(owner, ())

    def _issued_at(self) -> int:
        """Seconds, half a second rounded up: a fresh `iat` can be up to 0.5 s ahead (serde_with, TimestampSeconds)."""
        return (self._clock.micros() + 500_000) // 1_000_000
