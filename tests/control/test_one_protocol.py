"""The handle in this process and the one over HTTP are one Protocol, complete on both sides."""

import inspect
from typing import Any

import pytest

from emulator.control import actors, emulator, faults, intuition, issuers, remote, spacetimedb, stubs, worlds
from emulator.core.clock import Clock
from emulator.faults.schedule import Fault
from emulator.world.stubs import Stub

PAIRS = [
    (emulator.Emulator, emulator.LocalEmulator, remote.RemoteEmulator),
    (emulator.ClockControl, Clock, remote.RemoteClock),
    (actors.Actor, actors.LocalActor, remote.RemoteActor),
    (faults.Faults, faults.LocalFaults, remote.RemoteFaults),
    (faults.Fault, Fault, remote.RemoteFault),
    (stubs.Stubs, stubs.LocalStubs, remote.RemoteStubs),
    (stubs.Stub, Stub, remote.RemoteStub),
    (worlds.Worlds, worlds.LocalWorlds, remote.RemoteWorlds),
    (spacetimedb.Spacetime, spacetimedb.LocalSpacetime, remote.RemoteSpacetime),
    (issuers.Issuer, issuers.LocalIssuer, remote.RemoteIssuer),
    (intuition.Intuition, intuition.LocalIntuition, remote.RemoteIntuition),
]
MEMBERS = [
    pytest.param(protocol, implementation, name, id=f"{implementation.__name__}.{name}")
    for protocol, *implementations in PAIRS
    for implementation in implementations
    for name in dir(protocol)
    if not name.startswith("_")
]


@pytest.mark.parametrize(("protocol", "implementation", "name"), MEMBERS)
def test_each_side_has_every_member_with_the_same_parameters(protocol: Any, implementation: Any, name: str) -> None:
    promised, found = getattr(protocol, name), getattr(implementation, name, None)

    if inspect.isfunction(promised):
        assert found is not None
        assert list(inspect.signature(found).parameters) == list(inspect.signature(promised).parameters)
    else:
        assert isinstance(found, property) or name in inspect.getsource(implementation.__init__)


def test_each_side_adds_nothing_public() -> None:
    for protocol, *implementations in PAIRS:
        for implementation in implementations:
            own = {name for name in vars(implementation) if not name.startswith("_")}
            if implementation.__module__.startswith("emulator.control"):
                assert own <= set(dir(protocol)), implementation
