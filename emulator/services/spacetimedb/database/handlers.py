"""The routes under `/v1/database`: crates/client-api/src/routes/database.rs."""

import json
from collections.abc import Mapping

from blake3 import blake3

from emulator.http.request import Request
from emulator.http.response import TEXT, Response, json_response
from emulator.http.routing import Handler
from emulator.services.spacetimedb.auth import Caller
from emulator.services.spacetimedb.database.arguments import (
    CHECKS,
    any_json,
    is_json,
    one_name,
    publish_query,
    reset_query,
    some_names,
)
from emulator.services.spacetimedb.database.edge import (
    CallerHandler,
    DatabaseHandler,
    authorize,
    name_in,
    resolved,
    with_caller,
    with_database,
    with_identity,
    with_nobody,
)
from emulator.services.spacetimedb.database.name_register import LONGEST, MOST
from emulator.services.spacetimedb.database.operations import operations_of
from emulator.services.spacetimedb.model import Database, Identity
from emulator.services.spacetimedb.refusals import NotAllowed
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.store import Store
from emulator.services.spacetimedb.websocket.handshake import subscribe

# --- what is emulated -------------------------------------------------------------------------------------------------


async def get_database(request: Request, store: Store, caller: Caller, database: Database) -> Response:
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


async def get_names(request: Request, store: Store, caller: Caller, identity: Identity) -> Response:
    return json_response({"names": store.names_of(identity)})


async def get_timestamp(request: Request, store: Store, caller: Caller, database: Database) -> Response:
    return json_response({"__timestamp_micros_since_unix_epoch__": store.micros()})


async def get_identity(request: Request, store: Store, caller: Caller) -> Response:
    """An identity is not looked up, but returned as it is."""
    return Response(200, resolved(store, name_in(request)).encode(), TEXT)


async def open_websocket(request: Request, store: Store, caller: Caller) -> Response:
    name_in(request)
    return await subscribe(request, store, caller)


# --- what changes databases -------------------------------------------------------------------------------------------


async def add_name(request: Request, store: Store, caller: Caller, identity: Identity) -> Response:
    """Anybody may give anybody's database a name. It is then the caller's."""
    name = await one_name(request, store.profile)
    if not store.names.has_room_for([name]):
        return not_emulated(request, _TOO_MANY_NAMES)
    match store.add_name(name, caller.identity, identity):
        case "taken":
            why = f"{name!r} stands for {store.identity_of(name)}"
            return Response(500, f"record with the name {name} already exists".encode(), TEXT, why=why)
        case "denied":
            why = f"{name!r} belongs to {store.names.owner(name)}"
            return json_response({"PermissionDenied": {"domain": name}}, 401, why)
        case "added":
            return json_response({"Success": {"domain": name, "database_identity": identity}})


async def set_names(request: Request, store: Store, caller: Caller, identity: Identity) -> Response:
    wanted = await some_names(request, store.profile)
    database = store.database(identity)
    if database is None:  # up to 2.8.2
        return json_response("DatabaseNotFound", 404, f"no database has the identity {identity}")
    if caller.identity != database.owner:
        return json_response({"NotYourDatabase": {"database": identity}}, 401, f"it belongs to {database.owner}")
    for name in wanted:
        if store.identity_of(name) is not None:
            text = f"Cannot rename to {name} because it already is in use."
            return json_response({"OtherError": text}, 400, f"{name!r} stands for {store.identity_of(name)}")
    if not store.names.has_room_for(wanted):
        return not_emulated(request, _TOO_MANY_NAMES)
    if denied := store.rename_database(database, wanted):
        return json_response(
            {"PermissionDenied": {"domain": denied}}, 401, f"{denied!r} belongs to {store.names.owner(denied)}"
        )
    return json_response("Success")


async def delete(request: Request, store: Store, caller: Caller) -> Response:
    """Who deletes what is not there succeeds, but for an unknown name."""
    database = store.database(resolved(store, name_in(request)))
    if database is not None:
        authorize(caller, database, "delete database")
        _is_unlocked(store, database, "deleted")
        store.delete_database(database)
    return Response(200)


def _is_unlocked(store: Store, database: Database, what: str) -> None:
    if store.locked.get(database.identity):
        text = f"Database is locked and cannot be {what}. Run `spacetime unlock` first."
        raise NotAllowed(403, text, f"{database.identity} is locked")


def _lock(*, locked: bool) -> DatabaseHandler:
    async def handle(request: Request, store: Store, caller: Caller, database: Database) -> Response:
        authorize(caller, database, "delete database")
        store.lock_database(database, locked=locked)
        return Response(200)

    return handle


# --- what is not emulated ---------------------------------------------------------------------------------------------


_TOO_MANY_NAMES = f"the emulator keeps up to {MOST} names, those of clients with up to {LONGEST} characters"


def not_emulated(request: Request, because: str = "not emulated") -> Response:
    """The emulator has no modules. The reason shows the stub that would answer."""
    method = "GET" if request.method == "HEAD" else request.method
    stub = json.dumps(f"{method} {request.path[:200]}", ensure_ascii=False)
    return Response(
        501,
        b"identity-emulator has this route, but no modules, so a test has to stub the response",
        TEXT,
        why=f"{because}; emulator.stub({stub}, json=...) answers it",
        emulated=False,
    )


async def needs_module(request: Request, store: Store, caller: Caller, database: Database) -> Response:
    return not_emulated(request)


def _owners(action: str) -> DatabaseHandler:
    """What only the owner may ask of a module."""

    async def handle(request: Request, store: Store, caller: Caller, database: Database) -> Response:
        authorize(caller, database, action)
        return not_emulated(request)

    return handle


async def reset(request: Request, store: Store, caller: Caller, database: Database) -> Response:
    _may_reset(store, caller, database, reset_query(request))
    return not_emulated(request)


def _may_reset(store: Store, caller: Caller, database: Database, asked: Mapping[str, str]) -> None:
    authorize(caller, database, "reset database")
    _is_unlocked(store, database, "reset with --delete-data")
    _few_replicas(asked)


def _few_replicas(asked: Mapping[str, str]) -> None:
    if (number := int(asked.get("num_replicas", 0))) > 255:
        raise NotAllowed(400, f"Replication factor {number} out of bounds", "`num_replicas` is above 255")


async def create(request: Request, store: Store, caller: Caller) -> Response:
    asked = publish_query(request)
    await request.discard_body()
    if asked.get("clear") == "true":
        text = "Clear database requires database name or identity"
        raise NotAllowed(400, text, "`clear=true`, but the path has no database")
    _few_replicas(asked)
    return _not_published(request, asked)


async def publish(request: Request, store: Store, caller: Caller) -> Response:
    name, asked = name_in(request), publish_query(request)
    await request.discard_body()
    database = store.database(name)
    if database is not None and asked.get("clear") == "true":
        _may_reset(store, caller, database, asked)
        return not_emulated(request)
    holder = store.names.owner(name)
    if store.identity_of(name) is None and holder not in (None, caller.identity):
        return json_response({"PermissionDenied": {"name": name}}, 401, f"{name!r} belongs to {holder}")
    _few_replicas(asked)
    if database is not None:
        authorize(caller, database, "update database")
    return _not_published(request, asked)


def _not_published(request: Request, asked: Mapping[str, str]) -> Response:
    if asked.get("policy") == "BreakClients" and "token" not in asked:
        text = "Migration policy is set to `BreakClients`, but no migration token was provided."
        raise NotAllowed(400, text, "`policy=BreakClients` without a `token`")
    return not_emulated(request)


async def mcp(request: Request, store: Store, caller: Caller) -> Response:
    """A notification, which has no id, is not looked at (crates/client-api/src/routes/mcp.rs)."""
    name_in(request)
    await is_json(request, store.profile)
    message = await any_json(request, store.profile)
    is_request = isinstance(message, dict) and "id" in message
    return not_emulated(request) if is_request else Response(202)


# --- the tables -------------------------------------------------------------------------------------------------------


def _of_database(name: str, handler: DatabaseHandler = needs_module, more: str = "") -> CallerHandler:
    return with_database(handler, CHECKS.get(name, ()), more)


_OF_CALLERS: Mapping[str, CallerHandler] = {
    "spacetime.create_database": create,
    "spacetime.get_database": with_database(get_database),
    "spacetime.publish_database": publish,
    "spacetime.delete_database": delete,
    "spacetime.get_database_names": with_identity(get_names),
    "spacetime.add_database_name": with_identity(add_name, CHECKS["spacetime.add_database_name"]),
    "spacetime.set_database_names": with_identity(set_names, CHECKS["spacetime.set_database_names"]),
    "spacetime.get_database_identity": get_identity,
    "spacetime.subscribe": open_websocket,
    "spacetime.call": _of_database("spacetime.call", more="reducer"),
    "spacetime.get_schema": _of_database("spacetime.get_schema"),
    "spacetime.get_logs": _of_database("spacetime.get_logs", _owners("view module logs")),
    "spacetime.sql": _of_database("spacetime.sql"),
    "spacetime.get_timestamp": with_database(get_timestamp),
    "spacetime.pre_publish": _of_database("spacetime.pre_publish", _owners("update database")),
    "spacetime.reset_database": _of_database("spacetime.reset_database", reset),
    "spacetime.lock_database": with_database(_lock(locked=True)),
    "spacetime.unlock_database": with_database(_lock(locked=False)),
    "spacetime.mcp": mcp,
}
_OF_ANYBODY: Mapping[str, CallerHandler] = {
    "spacetime.http_route_root": with_database(needs_module),
    "spacetime.http_route_slash": with_database(needs_module),
    "spacetime.http_route": with_database(needs_module, more="path"),
}
"""Webhooks and the like are not asked for credentials."""

HANDLERS: Mapping[str, Handler[Store]] = {
    **{name: with_caller(handler) for name, handler in _OF_CALLERS.items()},
    **{name: with_nobody(handler) for name, handler in _OF_ANYBODY.items()},
}


async def _no_such_method(request: Request, store: Store, caller: Caller) -> Response:
    return Response(405)


async def _no_such_method_of(request: Request, store: Store, caller: Caller, database: Database) -> Response:
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
    known = with_caller(with_database(_no_such_method_of))
    return {
        path: known if profile.database_first and operation.name not in _FIND_THEIR_OWN else plain
        for operation in operations_of(profile)
        for path in operation.paths
        if operation.name not in _OF_ANYBODY
    }
