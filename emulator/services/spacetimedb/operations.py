"""The operations of SpacetimeDB's identity API."""

from emulator.http.operation import Operation
from emulator.services.spacetimedb.releases import Release

_IDENTITY = "/v1/identity"

SET_EMAIL = Operation("spacetime.set_email", "POST", (f"{_IDENTITY}/:identity/set-email",))
"""In the profile `documented` only: no server since v1.0.0 has it."""

OPERATIONS = (
    Operation("spacetime.create_identity", "POST", (_IDENTITY,)),
    Operation("spacetime.create_websocket_token", "POST", (f"{_IDENTITY}/websocket-token",)),
    Operation("spacetime.get_public_key", "GET", (f"{_IDENTITY}/public-key",)),
    Operation("spacetime.list_databases", "GET", (f"{_IDENTITY}/:identity/databases",)),
    Operation("spacetime.verify", "GET", (f"{_IDENTITY}/:identity/verify",)),
    Operation("spacetime.ping", "GET", ("/v1/ping",)),
    Operation("spacetime.health", "GET", ("/v1/health",)),
    SET_EMAIL,
)


def operations_of(profile: Release) -> tuple[Operation, ...]:
    return OPERATIONS if profile.set_email else tuple(each for each in OPERATIONS if each is not SET_EMAIL)
