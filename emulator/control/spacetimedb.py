"""Reading and changing SpacetimeDB's state."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from emulator.control.connections import Connection, local_connections
from emulator.control.issuers import Issuer, KeySet, LocalIssuers
from emulator.control.reach import NOWHERE, OutOfReach
from emulator.services.rust import base64url
from emulator.services.spacetimedb.email_address import fault as email_fault
from emulator.services.spacetimedb.model import (
    AUDIENCE,
    LOCAL_ISSUER,
    STANDARD_HEADER,
    Database,
    identity_of,
    parse_identity,
)
from emulator.world.stage import Stage


class NewIdentity(msgspec.Struct, frozen=True):
    """`identity` is 64 hex digits; `token` is a JWT that never expires."""

    identity: str
    token: str


class Spacetime(Protocol):
    """SpacetimeDB's state in the world."""

    @property
    def connections(self) -> Sequence[Connection]:
        """The open WebSockets, oldest first, as they are now. A reset closes them."""

    @property
    def issuers(self) -> Mapping[str, Issuer]:
        """The foreign issuers by URL: the scenario's, then those of `issuer`, which a reset removes."""

    def issuer(
        self,
        url: str | None = None,
        *,
        jwks: KeySet | Path | None = None,
        fetch: bool = False,
        algorithm: str | None = None,
        accept_as_server: bool = False,
    ) -> Issuer:
        """Register a foreign issuer: an OpenID provider whose tokens are accepted.

        The emulator plays it, with keys from the seed (`algorithm` is ES256 by default); or it has just these keys,
        `jwks`, a key set or a file; or with `fetch` it really runs on this machine, and its keys are fetched. `url` is
        the `iss` of its tokens, by default the address at which this emulator serves its documents. Raises ValueError,
        also for a key set that the server would refuse as a whole: `accept_as_server` registers it nevertheless.
        """

    def create_identity(
        self,
        *,
        subject: str | None = None,
        issuer: str = LOCAL_ISSUER,
        email: str | None = None,
        databases: int = 0,
        **claims: Any,
    ) -> NewIdentity:
        """A new identity and its token, as `POST /v1/identity` creates them.

        `subject` is a new UUID by default, `email` is stored in lower case, `databases` is how many databases the
        identity owns, and every other keyword is an extra claim of the token.
        """
        raise OutOfReach("spacetime.create_identity")

    def issue_token(
        self,
        *,
        subject: str,
        issuer: str = LOCAL_ISSUER,
        audience: str | tuple[str, ...] = AUDIENCE,
        expires_in: float | None = None,
        null_exp: bool = False,
        **claims: Any,
    ) -> str:
        """A token signed with this server's key.

        `expires_in` is seconds from now, negative for an expired token; by default the token never expires. Without an
        end it has no `exp` (`exp: null` in the profiles `v1` and `v2.8`); with `null_exp=True` it has `exp: null` in
        every profile, for apps that meet tokens of servers up to 2.9.0. Every other keyword is an extra claim. Raises
        ValueError for claims that only `sign` can sign.
        """

    def sign(self, claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> str:
        """A token with any claims and any header, signed with this server's key (ES256, whatever the header says).

        No claims are added, neither `iat` nor `iss`. The default header is `{"typ": "JWT", "alg": "ES256"}`.
        """

    def add_database(self, owner: str, name: str | None = None, identity: str | None = None) -> Database:
        """A new database of `owner`, an identity in hex. It has an `.identity` and a 32-digit `.address`.

        Under `/v1/database` it is found by its name, if it has one, and by its identity, which by default depends on
        owner and name only, or is random. Raises ValueError when `owner` or `identity` is not an identity, and for a
        name or an identity that another database has, or a name that no server accepts.
        """

    def rotate_key(self) -> None:
        """Replace the signing key: all earlier tokens become invalid, as on a real server that lost its key files."""

    def email_of(self, identity: str) -> str | None:
        """The stored address in lower case, None without one. Raises ValueError when `identity` is not an identity."""
        raise OutOfReach("spacetime.email_of")


class LocalSpacetime(Spacetime):
    def __init__(self, stage: Stage, url: str = NOWHERE) -> None:
        self._stage = stage
        self._url = url

    @property
    def connections(self) -> Sequence[Connection]:
        return local_connections(self._stage)

    @property
    def issuers(self) -> Mapping[str, Issuer]:
        return LocalIssuers(self._stage, self._url)

    def issuer(
        self,
        url: str | None = None,
        *,
        jwks: KeySet | Path | None = None,
        fetch: bool = False,
        algorithm: str | None = None,
        accept_as_server: bool = False,
    ) -> Issuer:
        return LocalIssuers(self._stage, self._url).register(
            url, jwks=jwks, fetch=fetch, algorithm=algorithm, accept_as_server=accept_as_server
        )

    def create_identity(
        self,
        *,
        subject: str | None = None,
        issuer: str = LOCAL_ISSUER,
        email: str | None = None,
        databases: int = 0,
        **claims: Any,
    ) -> NewIdentity:
        if not isinstance(databases, int) or databases < 0:
            raise ValueError(f"databases is {databases!r}; it must be a number, 0 or more")
        if email is not None and (wrong := email_fault(email)):
            raise ValueError(f"email is {email!r}: {wrong}")
        store = self._stage.settled_world().spacetime
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
        null_exp: bool = False,
        **claims: Any,
    ) -> str:
        audiences = (audience,) if isinstance(audience, str) else tuple(audience)
        store = self._stage.settled_world().spacetime
        return store.issue_token(issuer, subject, audiences, expires_in, claims, null_exp=null_exp)

    def sign(self, claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> str:
        header = STANDARD_HEADER if headers is None else base64url.encode(_compact(headers))
        return self._stage.settled_world().spacetime.keyring.key.sign_token(header, _compact(claims))

    def add_database(self, owner: str, name: str | None = None, identity: str | None = None) -> Database:
        store = self._stage.settled_world().spacetime
        return store.add_database(parse_identity(owner), name, None if identity is None else parse_identity(identity))

    def rotate_key(self) -> None:
        self._stage.settled_world().spacetime.rotate_key()

    def email_of(self, identity: str) -> str | None:
        return self._stage.settled_world().spacetime.emails.get(parse_identity(identity))


def _compact(value: Mapping[str, Any]) -> bytes:
    """Python's json, not msgspec's: a broken token may hold NaN or a lone surrogate."""
    return json.dumps(value, separators=(",", ":")).encode()
