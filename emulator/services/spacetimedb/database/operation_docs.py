"""The OpenAPI documentation of the operations under `/v1/database`."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from emulator.http.operation_docs import OperationDoc, ParameterDoc, ResponseDoc
from emulator.http.response import TEXT
from emulator.services.spacetimedb.database.operations import OPERATIONS
from emulator.services.spacetimedb.releases import Release

_Hex64 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="64 lower-case hex digits")]
_0xHex64 = Annotated[str, Meta(pattern="^0x[0-9a-f]{64}$")]


class IdentityInJson(msgspec.Struct):
    """An identity as SpacetimeDB writes it in JSON."""

    identity: _0xHex64 = msgspec.field(name="__identity__")


class WasmHost(msgspec.Struct):
    wasm: list[Any] = msgspec.field(name="Wasm")


class DatabaseInfo(msgspec.Struct):
    """`initial_program` is the hash of a program; the emulator has none, and made it up."""

    database_identity: IdentityInJson
    owner_identity: IdentityInJson
    host_type: WasmHost
    initial_program: _0xHex64


class DatabaseNames(msgspec.Struct):
    names: list[str]


class Timestamp(msgspec.Struct):
    micros: int = msgspec.field(name="__timestamp_micros_since_unix_epoch__")


class NamePlaced(msgspec.Struct):
    domain: str
    database_identity: _Hex64


class NameAdded(msgspec.Struct):
    success: NamePlaced = msgspec.field(name="Success")


_NAME = ParameterDoc(
    "name_or_identity",
    "lower-case letters and digits with single hyphens between them, or an identity",
    Annotated[str, Meta(pattern="^([a-z0-9]+(-[a-z0-9]+)*|(0x)?[0-9a-fA-F]{64})$")],
    "path",
    required=True,
    example="chat",
)
_REDUCER = ParameterDoc("reducer", "a reducer or a procedure of the module", str, "path", required=True, example="send")
_PATH = ParameterDoc("path", "a path of the module", str, "path", required=True, example="hooks/1")

_EMULATED: Mapping[str, tuple[str, tuple[ResponseDoc, ...]]] = {
    "spacetime.get_database": ("Get a database", (ResponseDoc(200, "the database", DatabaseInfo),)),
    "spacetime.get_database_names": ("Get a database's names", (ResponseDoc(200, "its names", DatabaseNames),)),
    "spacetime.get_database_identity": (
        "Get a database's identity; an identity is not looked up",
        (ResponseDoc(200, "its identity", _Hex64, TEXT),),
    ),
    "spacetime.delete_database": ("Delete a database", (ResponseDoc(200, "it is gone, or was never there"),)),
    "spacetime.add_database_name": (
        "Give a database another name",
        (ResponseDoc(200, "the name", NameAdded), ResponseDoc(500, "the name is in use", str, TEXT)),
    ),
    "spacetime.set_database_names": (
        "Replace a database's names",
        (ResponseDoc(200, "`Success`", str), ResponseDoc(422, "JSON, but not a list of strings", str, TEXT)),
    ),
    "spacetime.lock_database": ("Lock a database against deletion", (ResponseDoc(200, "it is locked"),)),
    "spacetime.unlock_database": ("Unlock a database", (ResponseDoc(200, "it is not locked"),)),
    "spacetime.get_timestamp": ("Get the time", (ResponseDoc(200, "the emulator's clock", Timestamp),)),
    "spacetime.subscribe": (
        "Open a WebSocket",
        (
            ResponseDoc(101, "a WebSocket, in the first of the server's protocols that is offered"),
            ResponseDoc(426, "the request does not ask for a WebSocket", str, TEXT),
            ResponseDoc(500, "no database has this identity", str, TEXT),
        ),
    ),
}
_NOT_THE_OWNER = ResponseDoc(403, "the caller does not own the database, or it is locked", str, TEXT)
_NOT_EMULATED = ResponseDoc(501, "not emulated; a test can stub the response", str, TEXT)
_SUMMARIES: Mapping[str, str] = {
    "spacetime.create_database": "Publish a module as a new database without a name",
    "spacetime.publish_database": "Publish a module",
    "spacetime.call": "Call a reducer or a procedure",
    "spacetime.get_schema": "Get a module's schema",
    "spacetime.get_logs": "Get a module's log",
    "spacetime.sql": "Run a SQL query",
    "spacetime.pre_publish": "Plan a migration",
    "spacetime.reset_database": "Delete all data of a database",
    "spacetime.mcp": "Send a message to a database's MCP server",
    "spacetime.http_route_root": "Call a module's handler of HTTP requests",
    "spacetime.http_route_slash": "Call a module's handler of HTTP requests",
    "spacetime.http_route": "Call a module's handler of HTTP requests",
}
"""Of what is not emulated."""

_WEBHOOKS = {"spacetime.http_route_root", "spacetime.http_route_slash", "spacetime.http_route"}
_BAD_REQUEST = ResponseDoc(400, "malformed `Authorization`, name, query or body", str, TEXT)
_UNKNOWN = ResponseDoc(404, "no database has this name or identity", str, TEXT)
_BAD_TOKEN = ResponseDoc(401, "an invalid token; none is needed", str, TEXT)
_NOT_YOURS = ResponseDoc(401, "an invalid token; or, as JSON, a database or name of somebody else", str, TEXT)


def operation_docs(profile: Release, tokens: tuple[str, ...]) -> Mapping[str, OperationDoc]:
    """`tokens` are the names of the security schemes."""
    return {
        operation.name: OperationDoc(
            summary=_summary(operation.name),
            responses=tuple(_responses(operation.name)),
            parameters=tuple(_parameters(operation.paths[0])),
            security=() if operation.name in _WEBHOOKS else ("", *tokens),
        )
        for operation in OPERATIONS
    }


def _summary(name: str) -> str:
    return _EMULATED[name][0] if name in _EMULATED else f"{_SUMMARIES[name]} (not emulated)"


def _responses(name: str) -> Iterator[ResponseDoc]:
    yield from _EMULATED[name][1] if name in _EMULATED else ()
    yield _BAD_REQUEST
    if name not in _WEBHOOKS:
        yield _NOT_YOURS if name in _OF_NAMES else _BAD_TOKEN
    if name in _OF_THE_OWNER:
        yield _NOT_THE_OWNER
    if name not in {"spacetime.create_database", "spacetime.publish_database", "spacetime.mcp"}:
        yield _UNKNOWN
    if name in _WITH_A_BODY:
        yield ResponseDoc(413, "the body has more than 2 MiB", str, TEXT)
    if name in _WITH_JSON:
        yield ResponseDoc(415, "`Content-Type` is not JSON", str, TEXT)
    if name == "spacetime.mcp":
        yield ResponseDoc(202, "a notification, which is not answered")
    if name not in _EMULATED or name in _OF_NAMES:
        yield _NOT_EMULATED


_OF_NAMES = {"spacetime.add_database_name", "spacetime.set_database_names", "spacetime.publish_database"}
_OF_THE_OWNER = {
    f"spacetime.{name}"
    for name in (
        *("publish_database", "delete_database", "get_logs", "pre_publish", "reset_database"),
        *("lock_database", "unlock_database"),
    )
}
_WITH_JSON = {"spacetime.call", "spacetime.set_database_names", "spacetime.mcp"}
_WITH_A_BODY = {"spacetime.sql", "spacetime.add_database_name", *_WITH_JSON}


def _parameters(path: str) -> Iterator[ParameterDoc]:
    for parameter in (_NAME, _REDUCER, _PATH):
        if parameter.name in {segment[1:] for segment in path.split("/") if segment[:1] in {":", "*"}}:
            yield parameter
