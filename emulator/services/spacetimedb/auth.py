"""Authentication: from header or query to claims. As `SpacetimeCreds` in crates/client-api/src/auth.rs."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Concatenate, ParamSpec, TypeVar

import msgspec

from emulator.http.parameters import path_text, query_field
from emulator.http.request import Request
from emulator.http.response import Response
from emulator.http.routing import Handler
from emulator.services.spacetimedb.model import Claims, Identity, NotAnIdentity, parse_identity
from emulator.services.spacetimedb.refusals import (
    AuthorizationRequired,
    InvalidPath,
    MalformedCredentials,
    TokenRefused,
)
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.store import Store
from emulator.services.spacetimedb.token_validation import KeysOf, inspect, no_foreign_keys

P = ParamSpec("P")


def authenticated(
    handler: Callable[Concatenate[Request, Store, Claims, P], Awaitable[Response]],
) -> Callable[Concatenate[Request, Store, P], Awaitable[Response]]:
    """Pass the caller's claims to the handler. By the documentation page every authentication error is a 401."""

    @wraps(handler)
    async def handle(request: Request, store: Store, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            claims = await caller(request, store)
        except MalformedCredentials as refused:
            refused.status = store.profile.malformed_credentials
            raise
        if claims is None:
            raise AuthorizationRequired
        return await handler(request, store, claims, *args, **kwargs)

    return handle


def identified(handler: Callable[[Request, Store, Identity], Awaitable[Response]]) -> Handler[Store]:
    """Pass the identity in the path to the handler. As in the real server, it is checked before the credentials."""

    @wraps(handler)
    async def handle(request: Request, store: Store) -> Response:
        return await handler(request, store, _identity(request.params[0]))

    return handle


def _identity(escaped: str) -> Identity:
    try:
        return parse_identity(path_text(escaped, "identity"))
    except NotAnIdentity as error:
        raise InvalidPath(
            str(error), f"an identity is 64 hex digits without 0x, the path has {escaped[:80]!r}"
        ) from None
    except ValueError as error:
        raise InvalidPath(str(error), f"{escaped[:80]!r} does not decode to UTF-8") from None


async def caller(request: Request, store: Store) -> Claims | None:
    """The claims of the request's token, None without one. Raises MalformedCredentials or TokenRefused."""
    token = _sent_token(request, store.profile)
    return None if token is None else await _claims(token, request, store)


async def _claims(token: str, request: Request, store: Store) -> Claims:
    """Judges the token, and once more if the keys of its issuer had to be waited for. Raises TokenRefused."""
    if not store.has_issuers:
        return store.read(token)
    return await with_keys(partial(store.read, token), request, store)


T = TypeVar("T")


async def with_keys(judge: Callable[[KeysOf], T], request: Request, store: Store) -> T:
    """What `judge` says with the keys of foreign issuers, once those that had to be waited for are there."""
    if not store.has_issuers:
        return judge(no_foreign_keys)
    from emulator.services.spacetimedb.issuers.registry import KeysNeeded

    try:
        return judge(store.keys_of)
    except KeysNeeded as needed:
        keys = await store.issuers.awaited(needed, request.connect, request.lost)
        return judge(lambda issuer: keys)


class Caller(msgspec.Struct, frozen=True):
    """Who sent a request, and the credentials that prove it: those that were sent, else new ones."""

    identity: Identity
    token: str

    @property
    def headers(self) -> bytes:
        """The header lines with which every response below `/v1/database` tells the client who it is."""
        lines = f"spacetime-identity: {self.identity}\r\nspacetime-identity-token: {self.token}\r\n"
        return lines.encode()


async def caller_or_new(request: Request, store: Store) -> Caller:
    """The caller; a request without a token gets a new identity (`anon_auth_middleware`). Raises as `caller`."""
    token = _sent_token(request, store.profile)
    if token is None:
        return Caller(*store.create_identity())
    return Caller((await _claims(token, request, store)).identity, token)


def _sent_token(request: Request, profile: Release) -> str | None:
    # Of several headers the first counts. The query counts without a header only, also when the header is not valid.
    header = request.header("authorization")
    return query_field(request.query, "token") if header is None else _token(header, profile)


def claimed_identity(request: Request, profile: Release) -> str:
    """The identity in the token's claims, valid or not; empty without a readable token."""
    try:
        token = _sent_token(request, profile)
        return "" if token is None else inspect(token, profile).claims.identity
    except (MalformedCredentials, TokenRefused):
        return ""


def _token(header: str, profile: Release) -> str:
    """The token of an `Authorization` header. The scheme is in any case, and exactly one space follows it."""
    scheme, space, rest = header.partition(" ")
    if not header.isascii():
        raise MalformedCredentials("`Authorization` has bytes that are not ASCII")
    name = scheme.lower()
    if name not in _TAKEN or not space:
        takes = " or ".join(_TAKEN[each] for each in profile.schemes)
        raise MalformedCredentials(f"{_no_scheme(scheme, space)}; the server takes {takes}")
    if name not in profile.schemes:
        raise MalformedCredentials(f"the header says Basic, profile {profile.name} takes only Bearer")
    return rest.lstrip() if name == "bearer" else _basic_token(rest.lstrip())


_TAKEN = {"bearer": "`Bearer <token>`", "basic": "Basic with `token:<token>`"}
"""The schemes of any profile, and what follows them."""

# https://www.iana.org/assignments/http-authschemes, and some that clients made up
_SCHEMES = frozenset({"apikey", "basic", "bearer", "digest", "dpop", "jwt", "negotiate", "ntlm", "oauth", "token"})


def _no_scheme(scheme: str, space: str) -> str:
    if scheme.count(".") == 2:
        return "`Authorization` is a bare token"
    if scheme.lower() in _SCHEMES and not space:
        return f"`Authorization` is only the word {scheme}, without a token"
    if not space:
        return "`Authorization` names no scheme"
    # What is no scheme may be a secret.
    return f"the scheme of `Authorization` is {scheme!r}" if scheme.lower() in _SCHEMES else "the scheme is unknown"


def _basic_token(encoded: str) -> str:
    """`base64("token:" + jwt)`, standard alphabet, canonical padding, as v0.12 required."""
    try:
        username, colon, token = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise MalformedCredentials("what follows Basic is not base64 of UTF-8") from None
    if base64.b64encode(f"{username}{colon}{token}".encode()).decode() != encoded:
        raise MalformedCredentials("what follows Basic is not canonical base64")
    if username != "token" or not colon:
        raise MalformedCredentials("Basic needs base64 of `token:<token>`; the user name is not `token`")
    return token
