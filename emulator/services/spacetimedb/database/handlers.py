"""The routes under `/v1/database`: crates/client-api/src/routes/database.rs."""

import json
from collections.abc import Mapping

from blake3 import blake3

from emulator.http.request import Request
from emulator.http.response import TEXT, Response, json_response
from emulator.http.routing import Handler
from emulator.services.spacetimedb.auth import Caller
from emulator.services.spacetimedb.database import names
from emulator.services.spacetimedb.database.arguments import CHECKS, is_json
from emulator.services.spacetimedb.database.edge import CallerHandler, found, name_in, with_caller, with_database
from emulator.services.spacetimedb.database.operations import operations_of
from emulator.services.spacetimedb.model import Database
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.store import Store
from emulator.services.spacetimedb.websocket.handshake import subscribe

# --- what is emulated -------------------------------------------------------------------------------------------------


async def get_database(request: Request, store: Store, database: Database) -> Response:
    """There is no program, so its hash is invented (docs/fidelity.md)."""
    program = blake3(b"program" + bytes.fromhex(database.identity)).hexdigest()
    return json_response(
        {
            "database_identity": {"__identity__": f"0x{database.identity}"},
            "owner_identity": {"__identity__": f"0x{database.owner}"},
            "host_type": {"Wasm": []},
            "initial_program": f"0x{program}",
        }
    )


async def get_names(request: Request, store: Store, database: Database) -> Response:
    return json_response({"names": store.names_of(database.identity)})


async def get_names_of_any(request: Request, store: Store, caller: Caller) -> Response:
    """Up to 2.8.2 an identity has names or none, whether a database has it or not."""
    identity = names.identity_in(name_in(request))
    if identity and not store.profile.database_first:
        return json_response({"names": store.names_of(identity)})
    return await _GET_NAMES(request, store)


_GET_NAMES = with_database(get_names)


async def get_timestamp(request: Request, store: Store, database: Database) -> Response:
    return json_response({"__timestamp_micros_since_unix_epoch__": store.micros()})


async def get_identity(request: Request, store: Store, caller: Caller) -> Response:
    """An identity is not looked up, but returned as it is."""
    name = name_in(request)
    return Response(200, (names.identity_in(name) or found(store, name).identity).encode(), TEXT)


async def open_websocket(request: Request, store: Store, caller: Caller) -> Response:
    name_in(request)
    if request.method == "HEAD":  # axum lets GET's handler answer it, which takes only GET
        return Response(405, b"Request method must be `GET`", TEXT, why="a WebSocket is opened with GET")
    return await subscribe(request, store, caller)


# --- what is not ------------------------------------------------------------------------------------------------------


def not_emulated(request: Request) -> Response:
    """The emulator has no modules. The reason shows the stub that would answer."""
    method = "GET" if request.method == "HEAD" else request.method
    stub = json.dumps(f"{method} {request.path[:200]}", ensure_ascii=False)
    return Response(
        501,
        b"identity-emulator has this route, but no modules, so a test has to stub the response",
        TEXT,
        why=f"not emulated; emulator.stub({stub}, json=...) answers it",
        emulated=False,
    )


async def needs_module(request: Request, store: Store, database: Database) -> Response:
    return not_emulated(request)


async def create(request: Request, store: Store, caller: Caller) -> Response:
    return not_emulated(request)


async def publish(request: Request, store: Store, caller: Caller) -> Response:
    name_in(request)
    return not_emulated(request)


async def delete(request: Request, store: Store, caller: Caller) -> Response:
    """Who deletes what is not there succeeds, but for an unknown name."""
    name = name_in(request)
    if names.identity_in(name) and store.database(name) is None:
        return Response(200)
    found(store, name)
    return not_emulated(request)


async def mcp(request: Request, store: Store, caller: Caller) -> Response:
    if store.database(name_in(request)) is None:
        await is_json(request)
    return not_emulated(request)


# --- the tables -------------------------------------------------------------------------------------------------------


def _unemulated(name: str, more: str = "") -> CallerHandler:
    """A route that answers nothing about a known database."""
    return _found_first(with_database(needs_module, CHECKS.get(name, ()), more))


def _found_first(handler: Handler[Store]) -> CallerHandler:
    async def handle(request: Request, store: Store, caller: Caller) -> Response:
        return await handler(request, store)

    return handle


_OF_CALLERS: Mapping[str, CallerHandler] = {
    "spacetime.create_database": create,
    "spacetime.get_database": _found_first(with_database(get_database)),
    "spacetime.publish_database": publish,
    "spacetime.delete_database": delete,
    "spacetime.get_database_names": get_names_of_any,
    "spacetime.get_database_identity": get_identity,
    "spacetime.subscribe": open_websocket,
    "spacetime.get_timestamp": _found_first(with_database(get_timestamp)),
    "spacetime.mcp": mcp,
    "spacetime.call": _unemulated("spacetime.call", "reducer"),
    **{
        name: _unemulated(name)
        for name in (
            "spacetime.add_database_name",
            "spacetime.set_database_names",
            "spacetime.get_schema",
            "spacetime.get_logs",
            "spacetime.sql",
            "spacetime.pre_publish",
            "spacetime.reset_database",
            "spacetime.lock_database",
            "spacetime.unlock_database",
        )
    },
}
_OF_ANYBODY: Mapping[str, Handler[Store]] = {
    "spacetime.http_route_root": with_database(needs_module),
    "spacetime.http_route_slash": with_database(needs_module),
    "spacetime.http_route": with_database(needs_module, more="path"),
}
"""Webhooks and the like are not asked for credentials."""

HANDLERS: Mapping[str, Handler[Store]] = {
    **{name: with_caller(handler) for name, handler in _OF_CALLERS.items()},
    **_OF_ANYBODY,
}


async def _no_such_method(request: Request, store: Store, caller: Caller) -> Response:
    return Response(405)


async def _no_such_method_of(request: Request, store: Store, database: Database) -> Response:
    return Response(405)


_FIND_THEIR_OWN = {
    "spacetime.create_database",
    "spacetime.get_database",
    "spacetime.publish_database",
    "spacetime.delete_database",
    "spacetime.get_database_identity",
    "spacetime.subscribe",
    "spacetime.mcp",
}
"""Operations whose path has a 405 without a look at the database."""


def no_such_method(profile: Release) -> Mapping[str, Handler[Store]]:
    """By path, what answers a method that the path does not have: credentials are judged before."""
    plain = with_caller(_no_such_method)
    known = with_caller(_found_first(with_database(_no_such_method_of)))
    return {
        path: known if profile.database_first and operation.name not in _FIND_THEIR_OWN else plain
        for operation in operations_of(profile)
        for path in operation.paths
        if operation.name not in _OF_ANYBODY
    }
