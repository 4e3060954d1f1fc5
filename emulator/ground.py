"""What everything in a world stands on."""

from dataclasses import dataclass, field
from threading import RLock

from emulator.clock import Clock, Entropy
from emulator.graveyard import Graveyard


@dataclass(frozen=True)
class Ground:
    """One clock, one source of chance and one lock for all of a world; where its remains go is the stage's."""

    clock: Clock
    entropy: Entropy
    graveyard: Graveyard
    lock: RLock = field(default_factory=RLock)

    def fork(self) -> "Ground":
        """The same moment and the same chances, for another world."""
        return Ground(self.clock.fork(), self.entropy.fork(), self.graveyard)
