"""An emulator in another process, through its control routes. Each file has what its namesake in `control` promises."""

from emulator.control.remote.actors import RemoteActor, RemoteActors
from emulator.control.remote.client import Control, RefusedCall, Unreachable
from emulator.control.remote.clock import RemoteClock
from emulator.control.remote.connections import RemoteConnection
from emulator.control.remote.emulator import RemoteEmulator, RemoteWorlds, State, state_of
from emulator.control.remote.faults import RemoteFault, RemoteFaults
from emulator.control.remote.intuition import RemoteIntuition
from emulator.control.remote.issuers import RemoteIssuer, RemoteIssuers
from emulator.control.remote.journal import RemoteJournal
from emulator.control.remote.spacetimedb import RemoteSpacetime
from emulator.control.remote.stubs import RemoteStub, RemoteStubs

__all__ = [
    "Control",
    "RefusedCall",
    "RemoteActor",
    "RemoteActors",
    "RemoteClock",
    "RemoteConnection",
    "RemoteEmulator",
    "RemoteFault",
    "RemoteFaults",
    "RemoteIntuition",
    "RemoteIssuer",
    "RemoteIssuers",
    "RemoteJournal",
    "RemoteSpacetime",
    "RemoteStub",
    "RemoteStubs",
    "RemoteWorlds",
    "State",
    "Unreachable",
    "state_of",
]
