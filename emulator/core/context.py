"""What the stores of a world share."""

from dataclasses import dataclass, field
from threading import RLock

from emulator.core.clock import Clock
from emulator.core.deferred_free import DeferredFree
from emulator.core.entropy import Entropy


@dataclass(frozen=True)
class Context:
    """One clock, one source of randomness and one lock of a world; `deferred` belongs to all worlds of a stage."""

    clock: Clock
    entropy: Entropy
    deferred: DeferredFree
    lock: RLock = field(default_factory=RLock)

    def fork(self) -> "Context":
        """The same time and the same next random values, for another world."""
        return Context(self.clock.fork(), self.entropy.fork(), self.deferred)
