"""Snapshots of a world, in memory."""

from emulator.journal.journal import Journal
from emulator.world.world import World


class Snapshot:
    """A copy of a world. It never changes, so it can be restored many times."""

    def __init__(self, world: World) -> None:
        with world.context.lock:  # so that no request draws a random number before, and stores its row after the fork
            self._kept = world.fork(world.context.fork(), world.journal)

    def world(self, journal: Journal) -> World:
        return self._kept.fork(self._kept.context.fork(), journal)
