"""Stages and worlds for tests that look inside an emulator.

Such a test makes its stage here, so that it needs no private attribute of a handle. Only this file knows how a stage is
made, read and served.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Unpack

from emulator import Config, Emulator
from emulator.control.api.access import Guard
from emulator.control.emulator import LocalEmulator
from emulator.control.new_world import new_stage
from emulator.http.upgrade import Intervals
from emulator.server.listening import listen
from emulator.server.run import serving_in_thread
from emulator.server.tls import prepared
from emulator.world.config import Settings
from emulator.world.stage import Stage
from emulator.world.world import World


def make_stage(config: Config | None = None, *, below: Config | None = None, **settings: Unpack[Settings]) -> Stage:
    """`make_stage(seed=7)` is short for `make_stage(Config(seed=7))`. Raises Misconfigured."""
    return new_stage(Config(**settings).over(config or Config()), below)


def world_of(stage: Stage) -> World:
    """The current world, after the changes that are due by its clock."""
    return stage.settled_world()


def make_world(config: Config | None = None, **settings: Unpack[Settings]) -> World:
    return world_of(make_stage(config, **settings))


def handle_of(stage: Stage) -> LocalEmulator:
    """The handle of a stage without a server."""
    return LocalEmulator("http://test.invalid", stage, abort=lambda: None)


@contextmanager
def served(
    stage: Stage, guard: Guard | None = None, intervals: Intervals | None = None, *, tls: bool = False
) -> Iterator[Emulator]:
    """A server in a thread for this stage, while the block lasts."""
    with ExitStack() as stack:
        made = stack.enter_context(prepared(["127.0.0.1"])) if tls else None
        listening = listen("127.0.0.1", 0, made)
        yield stack.enter_context(serving_in_thread(stage, guard or Guard(), listening, intervals))
