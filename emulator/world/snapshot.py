"""A world put aside, to go on from later."""

from emulator.journal.journal import Journal
from emulator.world.world import World


class Snapshot:
    """A world put aside. It is never changed; any number of worlds can begin from it."""

    def __init__(self, world: World) -> None:
        with world.context.lock:  # or a row could be made between its chance and itself
            self._kept = world.fork(world.context.fork(), world.journal)

    def world(self, journal: Journal) -> World:
        return self._kept.fork(self._kept.context.fork(), journal)
