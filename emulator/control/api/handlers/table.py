"""Puts the handlers of all control routes together."""

from emulator.control.api.handlers.actors import ActorHandlers
from emulator.control.api.handlers.base import ControlHandler, Handlers
from emulator.control.api.handlers.clock import ClockHandlers
from emulator.control.api.handlers.connections import ConnectionHandlers
from emulator.control.api.handlers.faults import FaultHandlers
from emulator.control.api.handlers.intuition import IntuitionHandlers
from emulator.control.api.handlers.issuers import IssuerHandlers
from emulator.control.api.handlers.journal import JournalHandlers
from emulator.control.api.handlers.page import PageHandlers
from emulator.control.api.handlers.scenario import ScenarioHandlers
from emulator.control.api.handlers.spacetimedb import SpacetimeHandlers
from emulator.control.api.handlers.stubs import StubHandlers
from emulator.control.api.handlers.world import WorldHandlers
from emulator.control.api.handlers.worlds import WorldsHandlers
from emulator.control.worlds import WorldServers
from emulator.world.stage import Stage


def handlers(stage: Stage, worlds: WorldServers, token: str | None) -> dict[str, ControlHandler]:
    """The handler of each operation, by the operation's name; `worlds` are those on other ports."""
    parts: tuple[Handlers, ...] = (
        PageHandlers(stage),
        WorldHandlers(stage),
        ScenarioHandlers(stage),
        ActorHandlers(stage),
        JournalHandlers(stage),
        ClockHandlers(stage),
        FaultHandlers(stage),
        StubHandlers(stage),
        ConnectionHandlers(stage),
        IssuerHandlers(stage),
        WorldsHandlers(stage, worlds, token),
        SpacetimeHandlers(stage),
        IntuitionHandlers(stage),
    )
    return {
        f"control.{name}": getattr(part, name)
        for part in parts
        for name in vars(type(part))
        if not name.startswith("_")
    }
