"""What everything in a world stands on."""

from dataclasses import dataclass, field
from threading import RLock

from emulator.core.clock import Clock
from emulator.core.deferred_free import DeferredFree
from emulator.core.entropy import Entropy


@dataclass(frozen=True)
class Context:
    """One clock, one source of chance and one lock for all of a world; where its remains go is the stage's."""

    clock: Clock
    entropy: Entropy
    deferred: DeferredFree
    lock: RLock = field(default_factory=RLock)

    def fork(self) -> "Context":
        """The same moment and the same chances, for another world."""
        return Context(self.clock.fork(), self.entropy.fork(), self.deferred)
