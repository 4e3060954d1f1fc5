"""What everything in a world stands on."""

from dataclasses import dataclass, field
from threading import RLock

from emulator.core.clock import Clock
from emulator.core.deferred_free import Graveyard
from emulator.core.entropy import Entropy


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
