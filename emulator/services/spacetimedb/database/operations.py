"""The operations under `/v1/database`: `into_router` in crates/client-api/src/routes/database.rs."""

import msgspec

from emulator.http.operation import ANY_METHOD, Operation
from emulator.services.spacetimedb.releases import Release

_ROOT = "/v1/database"
DATABASE = f"{_ROOT}/:name_or_identity"


def _operation(name: str, method: str, path: str = "") -> Operation:
    return Operation(f"spacetime.{name}", method, (f"{DATABASE}{path}",))


def _unemulated(name: str, method: str, path: str = "") -> Operation:
    """One that needs a module, or changes databases."""
    return msgspec.structs.replace(_operation(name, method, path), emulated=False)


PUBLISH = _unemulated("publish_database", "PUT")

OPERATIONS = (
    Operation("spacetime.create_database", "POST", (_ROOT,), emulated=False),
    _operation("get_database", "GET"),
    PUBLISH,
    _operation("delete_database", "DELETE"),
    _operation("get_database_names", "GET", "/names"),
    _operation("add_database_name", "POST", "/names"),
    _operation("set_database_names", "PUT", "/names"),
    _operation("get_database_identity", "GET", "/identity"),
    Operation("spacetime.subscribe", "GET", (f"{DATABASE}/subscribe",), upgrades=True),
    _unemulated("call", "POST", "/call/:reducer"),
    _unemulated("get_schema", "GET", "/schema"),
    _unemulated("get_logs", "GET", "/logs"),
    _unemulated("sql", "POST", "/sql"),
    _operation("get_timestamp", "GET", "/unstable/timestamp"),
    _unemulated("pre_publish", "POST", "/pre_publish"),
    _unemulated("reset_database", "PUT", "/reset"),
    _operation("lock_database", "POST", "/lock"),
    _operation("unlock_database", "POST", "/unlock"),
    _unemulated("mcp", "POST", "/mcp"),
    _unemulated("http_route_root", ANY_METHOD, "/route"),
    _unemulated("http_route_slash", ANY_METHOD, "/route/"),
    _unemulated("http_route", ANY_METHOD, "/route/*path"),
)
"""Of all releases, in the newest's order: it is that of the methods in `allow`."""

COUNTED = frozenset(
    f"spacetime.{name}"
    for name in (
        *("get_database", "get_database_names", "add_database_name", "set_database_names", "call", "get_schema"),
        *("get_logs", "sql", "get_timestamp", "pre_publish", "reset_database", "lock_database", "unlock_database"),
        *("http_route_root", "http_route_slash", "http_route"),
    )
)
"""Those of a database that was found, which newer servers answer in one chunk (`with_database` in edge.py)."""


def operations_of(profile: Release) -> tuple[Operation, ...]:
    there = [each for each in OPERATIONS if _is_in(profile, each)]
    # Up to 2.8.2 publishing was the first of the routes.
    return tuple(there if profile.database_first else sorted(there, key=lambda each: each is not PUBLISH))


def _is_in(profile: Release, operation: Operation) -> bool:
    return operation.paths[0].removeprefix(DATABASE) not in _LATER or any(
        operation.paths[0].startswith(f"{DATABASE}/{name}") for name in profile.more_database_routes
    )


_LATER = {"/lock", "/unlock", "/mcp", "/route", "/route/", "/route/*path"}
