"""SpacetimeDB's routes (crates/client-api/src/routes/identity.rs). Checks run in the order of the decorators."""

from collections.abc import Callable, Mapping
from functools import partial

from emulator.http.parameters import query_pairs
from emulator.http.request import Request
from emulator.http.response import JSON, Response, json_response
from emulator.http.routing import Api, Handler, Routes
from emulator.services.rust.debug_format import debug
from emulator.services.spacetimedb import email_address
from emulator.services.spacetimedb.auth import authenticated, caller, identified
from emulator.services.spacetimedb.database import handlers as database
from emulator.services.spacetimedb.model import Claims, Database, Identity
from emulator.services.spacetimedb.operations import operations_of
from emulator.services.spacetimedb.refusals import InvalidQuery, OtherIdentity, describe
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.store import Store


async def create_identity(request: Request, store: Store) -> Response:
    """Credentials and body are never read, so invalid ones are not refused either."""
    identity, token = store.create_identity()
    return Response(200, b'{"identity":"%b","token":"%b"}' % (identity.encode(), token.encode()), JSON)


@authenticated
async def create_websocket_token(request: Request, store: Store, claims: Claims) -> Response:
    return Response(200, b'{"token":"%b"}' % store.create_websocket_token(claims).encode(), JSON)


async def get_public_key(request: Request, store: Store) -> Response:
    # Page and server send this content type, although a public key is not a certificate.
    return Response(200, store.keyring.key.public_pem, "application/pem-certificate-chain")


@identified
@authenticated
async def set_email(request: Request, store: Store, claims: Claims, identity: Identity) -> Response:
    address = _email(request.query)
    if claims.identity != identity:
        raise OtherIdentity(401, claims.identity, identity)
    store.set_email(identity, address)
    return Response(200)


@identified
async def list_databases(request: Request, store: Store, identity: Identity) -> Response:
    """No credentials are read; an unknown identity has an empty list."""
    listed = store.profile.database_list
    return json_response({listed: [_LISTED[listed](each) for each in store.databases_of(identity)]})


_LISTED: Mapping[str, Callable[[Database], str]] = {
    "addresses": lambda each: each.address,
    "identities": lambda each: each.identity,
}


@identified
@authenticated
async def verify(request: Request, store: Store, claims: Claims, identity: Identity) -> Response:
    if claims.identity != identity:
        raise OtherIdentity(400, claims.identity, identity)
    return Response(204)


async def ping(request: Request, store: Store) -> Response:
    """Credentials are optional, but invalid ones are refused."""
    await caller(request, store)
    return Response(200)


async def health(request: Request, store: Store) -> Response:
    version = store.profile.version
    # Key order of official builds; a server built alone sorts the keys (docs/fidelity.md, endpoints).
    return json_response(
        {"package_name": "spacetimedb-client-api", "version": version, "nodes": [0], "schedulable": True}
    )


def _email(query: str) -> str:
    """The query's `email`. serde_urlencoded reads pair by pair, so the first error in the query's order counts."""
    values = [value for key, value in query_pairs(query) if key == "email"]
    if not values:
        raise InvalidQuery("missing field `email`", "the query has no `email`")
    if reason := email_address.fault(values[0]):
        text = f"invalid value: string {debug(values[0])}, expected {reason}"
        raise InvalidQuery(text, f"`email` is no e-mail address: {reason}")
    if len(values) > 1:
        raise InvalidQuery("duplicate field `email`", "`email` is in the query twice")
    return values[0]


_HANDLERS: Mapping[str, Handler[Store]] = {
    "spacetime.create_identity": create_identity,
    "spacetime.create_websocket_token": create_websocket_token,
    "spacetime.get_public_key": get_public_key,
    "spacetime.list_databases": list_databases,
    "spacetime.verify": verify,
    "spacetime.ping": ping,
    "spacetime.health": health,
    "spacetime.set_email": set_email,
    **database.HANDLERS,
}
_REAL_ONLY = "the real server has this route, the emulator has not"
_ELSEWHERE = {
    "/v1/identity/*/set-email": "no real server since v1.0.0 has this route; the profile `documented` has it",
    "/v1/energy/**": _REAL_ONLY,
    "/v1/prometheus/**": _REAL_ONLY,
    "/v1/metrics": _REAL_ONLY,
    "/v1/mcp": _REAL_ONLY,
}


def api(profile: Release) -> Api[Store]:
    routes = Routes.of(operations_of(profile), _HANDLERS)
    return Api(
        "spacetime",
        routes,
        partial(describe, profile),
        cors=True,
        cors_headers=profile.cors_headers,
        elsewhere=_ELSEWHERE,
        no_such_method=database.no_such_method(profile),
    )
