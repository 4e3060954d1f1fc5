"""Reading and changing SpacetimeDB's state."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol

from emulator.control.connections import Connection, local_connections
from emulator.control.issuers import Issuer, KeySet, LocalIssuers
from emulator.control.judged import judged
from emulator.control.reach import NOWHERE, OutOfReach
from emulator.core.arguments import Judged, all_checked, shown, wrong_argument
from emulator.core.clock import Seconds, to_seconds
from emulator.core.errors import WrongArgument, is_misconfigured
from emulator.services.rust import base64url
from emulator.services.spacetimedb.email_address import fault as email_fault
from emulator.services.spacetimedb.model import (
    AUDIENCE,
    LOCAL_ISSUER,
    STANDARD_HEADER,
    Database,
    Identity,
    identity_of,
    parse_identity,
)
from emulator.world.stage import Stage

__tracebackhide__ = is_misconfigured


def _wrong_object(given: object) -> str:
    return "" if isinstance(given, Mapping | list) else f"expected a mapping, got {shown(given)}"


AnyObject = Annotated[Mapping[str, Any], Judged(_wrong_object)]
"""Of any content, or even a list: it may be for a broken token."""


class NewIdentity:
    """`identity` is 64 hex digits; `token` is a JWT that never expires, with these `issuer` and `subject`."""

    def __init__(
        self, spacetime: "Spacetime", token: str, *, issuer: str, subject: str, claims: Mapping[str, Any]
    ) -> None:
        self.identity: str = identity_of(issuer, subject)
        self.token = token
        self.issuer = issuer
        self.subject = subject
        self._spacetime = spacetime
        self._claims = claims

    def __repr__(self) -> str:
        return f"<identity {self.identity} of {self.subject}>"

    def issue_token(self, *, expires_in: Seconds | None = None, null_exp: bool = False, **claims: Any) -> str:
        """Another token of this identity, with the claims of the first; arguments as in `spacetime.issue_token`."""
        whole = {**self._claims, **claims}
        return self._spacetime.issue_token(
            subject=self.subject, issuer=self.issuer, expires_in=expires_in, null_exp=null_exp, **whole
        )


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
        audience: str | Sequence[str] = AUDIENCE,
        expires_in: Seconds | None = None,
        null_exp: bool = False,
        **claims: Any,
    ) -> str:
        """A token signed with this server's key.

        `expires_in` is seconds from now or a timedelta; by default the token never expires. The server adds a leeway of
        60 s: a token of `expires_in=-1` is still good, one of -100 is expired. Without an end it has no `exp`
        (`exp: null` in the profiles `v1` and `v2.8`); with `null_exp=True` it has `exp: null` in every profile, for
        apps that meet tokens of servers up to 2.9.0. Every other keyword is an extra claim. Raises WrongArgument, also
        for claims that only `sign` can sign.
        """

    def sign(self, claims: AnyObject, headers: AnyObject | None = None) -> str:
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


@all_checked("spacetime.", headers={"typ": "JWT", "alg": "none"}, url="https://auth.example.com")
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
        with judged("spacetime.issuer"):
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
        if databases < 0:
            raise _wrong("create_identity", "databases", f"expected 0 or more, got {databases}")
        if email is not None and (fault := email_fault(email)):
            raise _wrong("create_identity", "email", f"{shown(email)}: {fault}")
        store = self._stage.settled_world().spacetime
        name = subject or store.new_subject()
        with judged("spacetime.create_identity"):
            token = store.issue_token(issuer, name, AUDIENCE, None, claims)
        made = NewIdentity(self, token, issuer=issuer, subject=name, claims=claims)
        identity = identity_of(issuer, name)
        if email is not None:
            store.set_email(identity, email)
        for _ in range(databases):
            store.add_database(identity)
        return made

    def issue_token(
        self,
        *,
        subject: str,
        issuer: str = LOCAL_ISSUER,
        audience: str | Sequence[str] = AUDIENCE,
        expires_in: Seconds | None = None,
        null_exp: bool = False,
        **claims: Any,
    ) -> str:
        audiences = (audience,) if isinstance(audience, str) else tuple(audience)
        store = self._stage.settled_world().spacetime
        ends = None if expires_in is None else to_seconds(expires_in)
        with judged("spacetime.issue_token"):
            return store.issue_token(issuer, subject, audiences, ends, claims, null_exp=null_exp)

    def sign(self, claims: AnyObject, headers: AnyObject | None = None) -> str:
        header = STANDARD_HEADER if headers is None else base64url.encode(_compact(headers))
        return self._stage.settled_world().spacetime.keyring.key.sign_token(header, _compact(claims))

    def add_database(self, owner: str, name: str | None = None, identity: str | None = None) -> Database:
        store = self._stage.settled_world().spacetime
        wanted = None if identity is None else checked_identity("add_database", "identity", identity)
        with judged("spacetime.add_database"):
            return store.add_database(checked_identity("add_database", "owner", owner), name, wanted)

    def rotate_key(self) -> None:
        self._stage.settled_world().spacetime.rotate_key()

    def email_of(self, identity: str) -> str | None:
        return self._stage.settled_world().spacetime.emails.get(checked_identity("email_of", "identity", identity))


def _wrong(method: str, argument: str, text: str) -> WrongArgument:
    return wrong_argument(f"spacetime.{method}", f"{argument}: {text}", argument)


def checked_identity(method: str, argument: str, text: str) -> Identity:
    """An argument that is an identity. Raises WrongArgument."""
    try:
        return parse_identity(text)
    except ValueError:
        raise _wrong(method, argument, f"expected an identity of 64 hex digits, got {shown(text)}") from None


def _compact(value: Mapping[str, Any]) -> bytes:
    """Python's json, not msgspec's: a broken token may hold NaN or a lone surrogate."""
    try:
        return json.dumps(value, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise _wrong("sign", "claims", f"it is not JSON: {error}") from None
