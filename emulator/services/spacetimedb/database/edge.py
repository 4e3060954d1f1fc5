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
from emulator.services.spacetimedb.model import Database
from emulator.services.spacetimedb.refusals import InvalidPath, UnknownDatabase, describe
from emulator.services.spacetimedb.store import Store

CallerHandler = Callable[[Request, Store, Caller], Awaitable[Response]]
DatabaseHandler = Callable[[Request, Store, Database], Awaitable[Response]]


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


def with_database(handler: DatabaseHandler, checks: tuple[Check, ...] = (), more: str = "") -> Handler[Store]:
    """Find the database in the path.

    Newer releases do so first, and send what follows in one chunk; older ones make `checks` of other arguments before.
    `more` is the name of the path's second parameter.
    """

    @wraps(handler)
    async def handle(request: Request, store: Store) -> Response:
        name = name_in(request, more)
        database = store.database(name)
        if not store.profile.database_first:
            for check in checks if database is None else ():
                await check(request)
            return await handler(request, store, database or _unknown(store, name))
        if database is None:
            # The server receives the whole body before it answers.
            await request.discard_body()
            _unknown(store, name)
        return await _in_one_chunk(handler, request, store, database)

    return handle


async def _in_one_chunk(handler: DatabaseHandler, request: Request, store: Store, database: Database) -> Response:
    try:
        response = await handler(request, store, database)
    except Refused as refused:
        response = describe(store.profile, refused)
    return msgspec.structs.replace(response, chunked=True)


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


def found(store: Store, name: str) -> Database:
    """The database with a name or an identity. Raises UnknownDatabase."""
    return store.database(name) or _unknown(store, name)


def _unknown(store: Store, name: str) -> NoReturn:
    """Raises UnknownDatabase."""
    text = "No such database." if names.identity_in(name) else store.profile.unknown_database.format(name=name)
    raise UnknownDatabase(text, why_unknown(store, name))


def why_unknown(store: Store, name: str) -> str:
    """Why there is no database with a name or an identity, and how to add it."""
    if identity := names.identity_in(name):
        return f'no database has the identity {identity}; emulator.spacetime.add_database(owner, identity="…") adds one'
    near = nearest(name, store.named_databases.merged())
    shown = name[:80]
    hint = f"; did you mean {near!r}?" if near else ";"
    return (
        f"no database is called {shown!r}{hint} to add it, write `databases: [{shown}]` for an actor of the scenario, "
        f'or call emulator.spacetime.add_database(owner, "{shown}")'
    )
