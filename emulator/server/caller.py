"""Who sent a request, for faults and journal. This is not authentication."""

from emulator.http.request import Request
from emulator.server.call import Call
from emulator.services.spacetimedb.auth import claimed_identity

_LONGEST_KEY = 200
"""Characters."""


def actor_of(call: Call) -> str:
    """The actor with the request's API key or token, valid or not; empty when there is none."""
    actors = call.world.actors
    if not len(actors):
        return ""
    request = call.request
    return actors.name_of(
        api_key=request.header("x-api-key") or "", identity=claimed_identity(request, call.world.spacetime.profile)
    )


def client_of(request: Request) -> str:
    """What a rate limit counts by: the API key, cut to the longest valid length, else the address."""
    return (request.header("x-api-key") or request.remote)[:_LONGEST_KEY]
