"""Who sent a request, as far as faults and journal want to know. Nobody is let in by this."""

from emulator.http.request import Request
from emulator.server.call import Call
from emulator.services.spacetimedb.auth import claimed_identity

_LONGEST_KEY = 200
"""Characters."""


def actor_of(call: Call) -> str:
    """The scenario's name for the API key or the token that came along, good or not; nothing for a stranger."""
    actors = call.world.actors
    if not len(actors):
        return ""
    request = call.request
    return actors.name_of(
        api_key=request.header("x-api-key") or "", identity=claimed_identity(request, call.world.spacetime.profile)
    )


def client_of(request: Request) -> str:
    """Whoever a rate limit counts: the API key, as far as a good one is long, else the address."""
    return (request.header("x-api-key") or request.remote)[:_LONGEST_KEY]
