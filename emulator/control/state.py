"""The numbers of a world, as `GET /_emulator/state` has them."""

from typing import Any

from emulator.core.clock import rfc3339
from emulator.world.stage import Stage
from emulator.world.world import World


def state_json(stage: Stage) -> dict[str, Any]:
    """Of the current world."""
    world = stage.settled_world()
    clock = world.clock
    return {
        "seed": world.seed,
        "clock": {
            "now": rfc3339(clock.micros()),
            "frozen": clock.frozen,
            "ahead": None if clock.frozen else round(clock.ahead, 3),
        },
        **counts(world),
        "journal": {"total": world.journal.total, "dropped": world.journal.dropped},
        "changes": stage.changes,
    }


def counts(world: World) -> dict[str, Any]:
    """How much there is of everything but time and exchanges."""
    spacetime, intuition = world.spacetime, world.intuition
    return {
        "spacetime": {
            "profile": spacetime.profile.name,
            "emails": len(spacetime.emails),
            "stubbed_reducers": len(spacetime.stubbed_reducers),
            "issuers": len(spacetime.issuers) if spacetime.has_issuers else 0,
            "retired_keys": len(spacetime.keyring.retired),
        },
        "intuition": {
            "profile": intuition.profile.name,
            "api_keys": len(intuition.api_keys),
            "identities": len(intuition),
        },
        "faults": len(world.faults),
        "fired": sum(fault.fired for fault in world.faults),
        "stubs": len(world.stubs),
        "answered": sum(stub.answered for stub in world.stubs),
        "connections": len(world.connections),
    }
