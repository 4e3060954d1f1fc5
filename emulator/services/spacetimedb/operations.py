"""The operations of SpacetimeDB: its identity API, and what is below `/v1/database`."""

from emulator.http.operation import Operation
from emulator.services.spacetimedb.database import operations as database
from emulator.services.spacetimedb.releases import Release

_IDENTITY = "/v1/identity"

SET_EMAIL = Operation("spacetime.set_email", "POST", (f"{_IDENTITY}/:identity/set-email",))
"""In the profile `documented` only: no server since v1.0.0 has it."""

_OWN = (
    Operation("spacetime.create_identity", "POST", (_IDENTITY,)),
    Operation("spacetime.create_websocket_token", "POST", (f"{_IDENTITY}/websocket-token",)),
    Operation("spacetime.get_public_key", "GET", (f"{_IDENTITY}/public-key",)),
    Operation("spacetime.list_databases", "GET", (f"{_IDENTITY}/:identity/databases",)),
    Operation("spacetime.verify", "GET", (f"{_IDENTITY}/:identity/verify",)),
    Operation("spacetime.ping", "GET", ("/v1/ping",)),
    Operation("spacetime.health", "GET", ("/v1/health",)),
    SET_EMAIL,
)

OPERATIONS = (*_OWN, *database.OPERATIONS)
"""In all profiles."""


def operations_of(profile: Release) -> tuple[Operation, ...]:
    own = _OWN if profile.set_email else tuple(each for each in _OWN if each is not SET_EMAIL)
    return (*own, *database.operations_of(profile))
