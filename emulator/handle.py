"""What a test holds: a running emulator, and what can be done to its world from outside.

Everything here may be called from any thread. Nothing waits for the server's loop: handlers and callers share one short
lock, and each call works on the world that stands when it is made.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Unpack

import msgspec

from emulator.clock import Clock
from emulator.inquiry import Inquiry
from emulator.intuition.credentials import DEFAULT_KEY
from emulator.intuition.model import Draft, Identity, Position
from emulator.rust import base64url
from emulator.spacetime.model import (
    AUDIENCE,
    LOCAL_ISSUER,
    STANDARD_HEADER,
    Database,
    identity_of,
    parse_identity,
)
from emulator.world import Config, Settings, Stage


class Address:
    """Where an emulator listens."""

    def __init__(self, url: str) -> None:
        self.url = url
        """`http://127.0.0.1:41235`, without a slash at its end."""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def env(self) -> dict[str, str]:
        """The environment variables that point a client here: the URLs, and the default API key."""
        return {
            "IDENTITY_EMULATOR_URL": self.url,
            "SPACETIMEDB_URI": self.url,
            "INTUITION_API_URL": self.url,
            "INTUITION_API_KEY": DEFAULT_KEY,
        }


class NewIdentity(msgspec.Struct, frozen=True):
    """`identity` is 64 hex digits; `token` is a JWT that never expires."""

    identity: str
    token: str


class SpacetimeHandle:
    """SpacetimeDB's side of the world."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def create_identity(
        self,
        *,
        subject: str | None = None,
        issuer: str = LOCAL_ISSUER,
        email: str | None = None,
        databases: int = 0,
        **claims: Any,
    ) -> NewIdentity:
        """An identity and its token, as `POST /v1/identity` makes them.

        `subject` is a fresh UUID unless given, `email` is stored in lower case, `databases` is how many the identity
        owns, and every other keyword is an extra claim of the token.
        """
        store = self._stage.world.spacetime
        name = subject or store.new_subject()
        token = store.issue_token(issuer, name, AUDIENCE, None, claims)
        identity = identity_of(issuer, name)
        if email is not None:
            store.set_email(identity, email)
        for _ in range(databases):
            store.add_database(identity)
        return NewIdentity(identity, token)

    def issue_token(
        self,
        *,
        subject: str,
        issuer: str = LOCAL_ISSUER,
        audience: str | tuple[str, ...] = AUDIENCE,
        expires_in: float | None = None,
        **claims: Any,
    ) -> str:
        """A token of this server's key.

        `expires_in` is seconds from now, negative for one that has ended; None is never. Every other keyword is an
        extra claim. Raises ValueError for one that `sign` has to write.
        """
        audiences = (audience,) if isinstance(audience, str) else tuple(audience)
        return self._stage.world.spacetime.issue_token(issuer, subject, audiences, expires_in, claims)

    def sign(self, claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> str:
        """Any claims at all under any header, signed with this server's key (ES256, whatever the header says).

        Nothing is added: not `iat`, not `iss`. The header is `{"typ": "JWT", "alg": "ES256"}` unless given.
        """
        header = STANDARD_HEADER if headers is None else base64url.encode(_compact(headers))
        return self._stage.world.spacetime.keyring.key.sign_token(header, _compact(claims))

    def add_database(self, owner: str) -> Database:
        """A new database of `owner`, an identity in hex. It has an `.identity` and a 32-digit `.address`.

        Raises ValueError when `owner` is no identity.
        """
        return self._stage.world.spacetime.add_database(parse_identity(owner))

    def rotate_key(self) -> None:
        """Lose the signing key and make another: every token given out so far becomes invalid.

        That is what happens to a real server whose key files were lost.
        """
        self._stage.world.spacetime.rotate_key()

    def email_of(self, identity: str) -> str | None:
        """The address that was set last, in lower case. Raises ValueError when `identity` is none."""
        return self._stage.world.spacetime.emails.get(parse_identity(identity))


class IntuitionHandle:
    """Intuition's side of the world."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def issue_api_key(self, wallet: str) -> str:
        """A new key for a wallet, a UUID."""
        return self._stage.world.intuition.issue_api_key(wallet).key

    def revoke_api_key(self, key: str) -> None:
        """Requests with it are 401 from now on. Raises KeyError when there is no such key."""
        self._stage.world.intuition.revoke_api_key(key)

    def create_identity(
        self,
        *,
        display_name: str,
        creator: str,
        description: str | None = None,
        image: str | None = None,
        external_reference: str | None = None,
    ) -> Identity:
        """A row, as `POST /identity` makes it."""
        return self._stage.world.intuition.create(Draft(display_name, creator, description, image, external_reference))

    def add_position(self, identity: str, wallet: str, amount: int) -> Position:
        """A stake of `amount` wei in an identity, named by its `id`, `identity_id` or `vault_id`.

        It is listed under `/identity/{id}/positions`, and the identity's sums grow by it. Raises ValueError for an
        amount that is not positive, `emulator.intuition.model.NotFound` for an identity that is not there.
        """
        return self._stage.world.intuition.add_position(identity, wallet, amount)


def _compact(value: Mapping[str, Any]) -> bytes:
    """Python's json, not msgspec's: a broken token may hold NaN or a lone surrogate."""
    return json.dumps(value, separators=(",", ":")).encode()


class Emulator(Address):
    """A running emulator and the world it shows."""

    def __init__(self, url: str, stage: Stage, abort: Callable[[], None]) -> None:
        super().__init__(url)
        self._stage = stage
        self._abort = abort
        self.spacetime = SpacetimeHandle(stage)
        self.intuition = IntuitionHandle(stage)

    @property
    def clock(self) -> Clock:
        """The clock both APIs go by."""
        return self._stage.world.clock

    @property
    def journal(self) -> Inquiry:
        """What was asked and answered since the last reset."""
        return self._stage.world.journal

    def reset(self, config: Config | None = None, **settings: Unpack[Settings]) -> None:
        """Put a world as new in the place of the one that stands; `config` or its fields make it another one.

        A request that was received before ends in the old world, and is marked `outlived` in that world's journal; one
        that comes later belongs to the new world. Raises Misconfigured, and then the old world stays.
        """
        self._stage.reset(Config(**settings).over(config or self._stage.config))

    def abort_requests(self) -> None:
        """Hang up on every request that is still under way. Returns at once."""
        self._abort()
