"""The operations under `/v1/database`: `into_router` in crates/client-api/src/routes/database.rs."""

from emulator.http.operation import ANY_METHOD, Operation
from emulator.services.spacetimedb.releases import Release

_ROOT = "/v1/database"
DATABASE = f"{_ROOT}/:name_or_identity"


def _operation(name: str, method: str, path: str = "") -> Operation:
    return Operation(f"spacetime.{name}", method, (f"{DATABASE}{path}",))


PUBLISH = _operation("publish_database", "PUT")

OPERATIONS = (
    Operation("spacetime.create_database", "POST", (_ROOT,)),
    _operation("get_database", "GET"),
    PUBLISH,
    _operation("delete_database", "DELETE"),
    _operation("get_database_names", "GET", "/names"),
    _operation("add_database_name", "POST", "/names"),
    _operation("set_database_names", "PUT", "/names"),
    _operation("get_database_identity", "GET", "/identity"),
    Operation("spacetime.subscribe", "GET", (f"{DATABASE}/subscribe",), upgrades=True),
    _operation("call", "POST", "/call/:reducer"),
    _operation("get_schema", "GET", "/schema"),
    _operation("get_logs", "GET", "/logs"),
    _operation("sql", "POST", "/sql"),
    _operation("get_timestamp", "GET", "/unstable/timestamp"),
    _operation("pre_publish", "POST", "/pre_publish"),
    _operation("reset_database", "PUT", "/reset"),
    _operation("lock_database", "POST", "/lock"),
    _operation("unlock_database", "POST", "/unlock"),
    _operation("mcp", "POST", "/mcp"),
    _operation("http_route_root", ANY_METHOD, "/route"),
    _operation("http_route_slash", ANY_METHOD, "/route/"),
    _operation("http_route", ANY_METHOD, "/route/*path"),
)
"""Of all releases, in the newest's order: it is that of the methods in `allow`."""


def operations_of(profile: Release) -> tuple[Operation, ...]:
    there = [each for each in OPERATIONS if _is_in(profile, each)]
    # Up to 2.8.2 publishing was the first of the routes.
    return tuple(there if profile.database_first else sorted(there, key=lambda each: each is not PUBLISH))


def _is_in(profile: Release, operation: Operation) -> bool:
    return operation.paths[0].removeprefix(DATABASE) not in _LATER or any(
        operation.paths[0].startswith(f"{DATABASE}/{name}") for name in profile.more_database_routes
    )


_LATER = {"/lock", "/unlock", "/mcp", "/route", "/route/", "/route/*path"}
