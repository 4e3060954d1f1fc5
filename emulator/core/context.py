"""What the stores of a world share."""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from threading import RLock

from emulator.core.clock import Clock
from emulator.core.deferred_free import DeferredFree
from emulator.core.entropy import Entropy


@dataclass(frozen=True)
class Context:
    """One clock, one source of randomness and one lock of a world; `deferred` and `made` belong to all of a stage."""

    clock: Clock
    entropy: Entropy
    deferred: DeferredFree
    lock: RLock = field(default_factory=RLock)
    made: deque[str] = field(default_factory=partial(deque, maxlen=1000), compare=False)
    """The last ids and keys that calls have made, in this world or an earlier one."""

    def fork(self) -> "Context":
        """The same time and the same next random values, for another world."""
        return Context(self.clock.fork(), self.entropy.fork(), self.deferred, made=self.made)
