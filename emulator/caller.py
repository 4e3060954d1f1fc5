"""Who sent a request, as far as faults and journal want to know. Nobody is let in by this."""

from emulator.spacetime.auth import claimed_identity
from emulator.web import Call

_LONGEST_KEY = 200
"""Characters."""


def actor_of(call: Call) -> str:
    """The scenario's name for the API key or the token that came along, good or not; nothing for a stranger."""
    actors = call.world.actors
    if not len(actors):
        return ""
    return actors.name_of(api_key=call.header("x-api-key") or "", identity=claimed_identity(call))


def client_of(call: Call) -> str:
    """Whoever a rate limit counts: the API key, as far as a good one is long, else the address."""
    return (call.header("x-api-key") or call.request.remote or "")[:_LONGEST_KEY]
