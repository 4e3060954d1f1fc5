"""The edge of `/v1/database/**`: who calls, and which database is meant. Checks run in the order of the decorators."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import NoReturn

import msgspec

from emulator.core.errors import Refused
from emulator.core.suggestions import nearest
from emulator.http.parameters import path_text
from emulator.http.request import Request
from emulator.http.response import Response, followed_by
from emulator.http.routing import Handler
from emulator.services.spacetimedb.auth import Caller, caller_or_new
from emulator.services.spacetimedb.database import names
from emulator.services.spacetimedb.database.arguments import Check
from emulator.services.spacetimedb.database.operations import COUNTED
from emulator.services.spacetimedb.model import Database, Identity
from emulator.services.spacetimedb.refusals import InvalidPath, NotAuthorized, UnknownDatabase, describe
from emulator.services.spacetimedb.store import Store

CallerHandler = Callable[[Request, Store, Caller], Awaitable[Response]]
DatabaseHandler = Callable[[Request, Store, Caller, Database], Awaitable[Response]]
IdentityHandler = Callable[[Request, Store, Caller, Identity], Awaitable[Response]]

_NOBODY = Caller(Identity(""), "")


def with_caller(handler: CallerHandler) -> Handler[Store]:
    """Judge the credentials; every response after that says whose they are (`anon_auth_middleware`)."""

    @wraps(handler)
    async def handle(request: Request, store: Store) -> Response:
        caller = await caller_or_new(request, store)
        try:
            response = await handler(request, store, caller)
        except Refused as refused:
            response = describe(store.profile, refused)
        return followed_by(response, caller.headers)

    return handle


def with_nobody(handler: CallerHandler) -> Handler[Store]:
    """Read no credentials."""

    @wraps(handler)
    async def handle(request: Request, store: Store) -> Response:
        return await handler(request, store, _NOBODY)

    return handle


def with_database(handler: DatabaseHandler, checks: tuple[Check, ...] = (), more: str = "") -> CallerHandler:
    """Find the database in the path, and make `checks` of other arguments.

    Newer releases find it first, and send what follows in one chunk; older ones make the checks before.
    `more` is the name of the path's second parameter.
    """

    @wraps(handler)
    async def handle(request: Request, store: Store, caller: Caller) -> Response:
        name = name_in(request, more)
        if not store.profile.database_first:
            await _make(checks, request, store)
            return await handler(request, store, caller, found(store, name))
        database = store.database(name)
        if database is None:
            # The server receives the whole body before it answers.
            await request.discard_body()
            _unknown(store, name)
        try:
            await _make(checks, request, store)
            response = await handler(request, store, caller, database)
        except Refused as refused:
            response = describe(store.profile, refused)
        return msgspec.structs.replace(response, chunked=True)

    return handle


def with_identity(handler: IdentityHandler, checks: tuple[Check, ...] = ()) -> CallerHandler:
    """As `with_database`, but releases up to 2.8.2 take what a name stands for, and any identity."""

    async def of_database(request: Request, store: Store, caller: Caller, database: Database) -> Response:
        return await handler(request, store, caller, database.identity)

    known = with_database(of_database, checks)

    @wraps(handler)
    async def handle(request: Request, store: Store, caller: Caller) -> Response:
        if store.profile.database_first:
            return await known(request, store, caller)
        name = name_in(request)
        await _make(checks, request, store)
        return await handler(request, store, caller, resolved(store, name))

    return handle


async def _make(checks: tuple[Check, ...], request: Request, store: Store) -> None:
    for check in checks:
        await check(request, store.profile)


def authorize(caller: Caller, database: Database, action: str) -> None:
    """Raises NotAuthorized unless the caller owns the database (`authorize_action` in crates/standalone/src/lib.rs)."""
    if caller.identity != database.owner:
        raise NotAuthorized(caller.identity, database.identity, action)


def is_in_one_chunk(operation: str, request: Request, store: Store) -> bool:
    """Whether the server sends the response of an operation in one chunk, as `with_database` does."""
    return operation in COUNTED and store.profile.database_first and store.database(request.params[0]) is not None


def name_in(request: Request, more: str = "") -> str:
    """The path's first parameter: a name that a database can have, or an identity. Raises InvalidPath."""
    texts = [_decoded(raw, name) for raw, name in zip(request.params, ("name_or_identity", more), strict=False)]
    name = texts[0]
    if not names.identity_in(name) and (fault := names.fault(name)):
        raise InvalidPath(fault, f"{name[:80]!r} is not the name of a database: {names.ALLOWED}")
    return name


def _decoded(escaped: str, name: str) -> str:
    try:
        return path_text(escaped, name)
    except ValueError as error:
        raise InvalidPath(str(error), f"{escaped[:80]!r} does not decode to UTF-8") from None


def resolved(store: Store, name: str) -> Identity:
    """What a name or an identity stands for, whether there is such a database or not. Raises UnknownDatabase."""
    return store.identity_of(name) or _unknown(store, name)


def found(store: Store, name: str) -> Database:
    """The database with a name or an identity. Raises UnknownDatabase."""
    return store.database(name) or _unknown(store, name)


def _unknown(store: Store, name: str) -> NoReturn:
    """Raises UnknownDatabase."""
    text = "No such database." if store.identity_of(name) else store.profile.unknown_database.format(name=name)
    raise UnknownDatabase(text, why_unknown(store, name))


def why_unknown(store: Store, name: str) -> str:
    """Why there is no database with a name or an identity, and how to add it."""
    if identity := names.identity_in(name):
        return f'no database has the identity {identity}; emulator.spacetime.add_database(owner, identity="…") adds one'
    shown = name[:80]
    if identity := store.identity_of(name):
        return f"{shown!r} stands for {identity}, but there is no such database, or it was deleted"
    near = nearest(name, store.names.in_use())
    hint = f"; did you mean {near!r}?" if near else ";"
    return (
        f"no database is called {shown!r}{hint} to add it, write `databases: [{shown}]` for an actor of the scenario, "
        f'or call emulator.spacetime.add_database(owner, "{shown}")'
    )
