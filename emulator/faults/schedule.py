"""Whether something goes wrong with a request: steps, how far they have come, and the decision which has its turn.

Deciding is all that is done here; `emulator.server.fault_injection` acts on it.
"""

from collections.abc import Iterator, Mapping
from threading import RLock
from typing import Any

import msgspec

from emulator.core.entropy import Entropy
from emulator.core.path_pattern import path_pattern
from emulator.faults.step import Do, RateLimit, Step

_SECOND = 1_000_000
_CLIENTS = 1000
"""How many clients a limit remembers; who has not come for longest is forgotten."""


class RequestFacts(msgspec.Struct, frozen=True):
    """A request, as far as a step looks at it. `paths` are all the paths its operation has."""

    method: str
    paths: tuple[str, ...]
    actor: str
    client: str
    """Whoever limits count: its API key, else its address."""
    micros: int


class FaultDecision(msgspec.Struct, frozen=True):
    """What is to be done to one request."""

    fault: "Fault"
    do: Do
    delay: float
    """Seconds."""
    retry_after: int
    """Seconds, for a limit."""


class Fault:
    """A step and how far it has come. It counts every request that fits it, whichever step then has its turn."""

    def __init__(self, step: Step, number: int, faults: "Faults") -> None:
        self.step = step
        self.number = number
        """Its place in the script, from 1."""
        self.seen = self.fired = 0
        self._removed = False
        self._faults = faults
        self.windows: dict[str, tuple[int, int]] = {}
        """Of a rate limit: for each client when its window began, in microseconds, and how many requests came."""
        self._method, _, path = (step.request or "").partition(" ")
        self._path = path_pattern(path)

    def __repr__(self) -> str:
        return f"<Fault {self.number} {self.step}; {self.status}: {self.seen} seen, {self.fired} fired>"

    @property
    def timed(self) -> bool:
        """Whether it waits for its moment alone."""
        return self.step.request is None and not self.fired

    @property
    def due(self) -> int:
        """Its moment, in microseconds of the clock."""
        return self._moment(self.step.at or 0.0)

    @property
    def done(self) -> bool:
        """Whether it has done all it can; one without an end, whether it has done anything."""
        return self.fired >= (self.step.times or 1)

    @property
    def status(self) -> str:
        """`waiting`, `fired` or `done`; `missed` when its nth request came and another step or chance was before it."""
        if self._removed:
            return "removed"
        if self.step.nth is not None and self.seen >= self.step.nth and not self.fired:
            return "missed"
        endless = self.step.request is not None and self.step.nth is None and self.step.times is None
        if self.done and not endless:
            return "done"
        return "fired" if self.fired else "waiting"

    def remove(self) -> None:
        """Take it away; what it has fired stays."""
        self._removed = True
        self._faults.remove(self)

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.number,
            **msgspec.to_builtins(self.step),
            "seen": self.seen,
            "fired": self.fired,
            "status": self.status,
            "done": self.done,
        }

    def counts(self, asked: RequestFacts) -> bool:
        """Whether the request fits; it is counted then."""
        step = self.step
        fits = (
            step.request is not None
            and self._method in {"*", asked.method}
            and (step.actor is None or step.actor == asked.actor)
            and (step.at is None or self._moment(step.at) <= asked.micros)
            and (step.until is None or asked.micros < self._moment(step.until))
            and any(self._path.fullmatch(path) for path in asked.paths)
        )
        self.seen += fits
        return fits

    def decision(self, asked: RequestFacts, entropy: Entropy) -> FaultDecision | None:
        """What to do to a request that was just counted; None when it is not its turn."""
        step, place = self.step, self.seen - self.step.skip
        if place < 1 or (step.nth is not None and place != step.nth):
            return None
        if step.times is not None and self.fired >= step.times:
            return None
        if step.probability is not None and entropy.fraction(f"step {self.number}") >= step.probability:
            return None
        retry_after = 0
        if step.do.rate_limit and not (retry_after := self._retry_after(asked)):
            return None
        self.fired += 1
        return FaultDecision(self, step.do, self._delay(entropy), retry_after)

    def _delay(self, entropy: Entropy) -> float:
        delay = self.step.do.delay
        if isinstance(delay, tuple):
            return delay[0] + (delay[1] - delay[0]) * entropy.fraction(f"delay {self.number}")
        return delay or 0.0

    def _retry_after(self, asked: RequestFacts) -> int:
        """Whole seconds until a client beyond its limit may come again; 0 when it is not. A window begins with a
        client's first request in it."""
        limit = self.step.do.rate_limit
        if not isinstance(limit, RateLimit):
            limit = RateLimit()
        length = int(limit.seconds * _SECOND)
        begun, count = self.windows.pop(asked.client, (asked.micros, 0))
        if not begun <= asked.micros < begun + length:
            begun, count = asked.micros, 0
        if len(self.windows) >= _CLIENTS:
            del self.windows[next(iter(self.windows))]
        self.windows[asked.client] = begun, count + 1
        return -(-(begun + length - asked.micros) // _SECOND) if count >= limit.requests else 0

    def _moment(self, seconds: float) -> int:
        return self._faults.begun + int(seconds * _SECOND)


class Faults:
    """The steps of a world. The first one whose turn it is wins."""

    def __init__(self, lock: RLock, begun: int) -> None:
        self._lock = lock
        self.begun = begun
        """When the world began, in microseconds."""
        self._faults: list[Fault] = []
        self._added = 0

    def __iter__(self) -> Iterator[Fault]:
        with self._lock:
            return iter(list(self._faults))

    def __len__(self) -> int:
        return len(self._faults)

    def add(self, step: Step) -> Fault:
        with self._lock:
            return self.put(step, self._added + 1)

    def put(
        self,
        step: Step,
        number: int,
        *,
        seen: int = 0,
        fired: int = 0,
        windows: Mapping[str, tuple[int, int]] | None = None,
    ) -> Fault:
        """A step that has come so far already."""
        fault = Fault(step, number, self)
        fault.seen, fault.fired, fault.windows = seen, fired, dict(windows or {})
        self._added = number
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        with self._lock:
            self._faults = [each for each in self._faults if each is not fault]

    def clear(self) -> None:
        with self._lock:
            self._faults = []

    def decide(self, asked: RequestFacts, entropy: Entropy) -> FaultDecision | None:
        """What is to be done to a request; every step that fits counts it."""
        with self._lock:
            fitting = [fault for fault in self._faults if fault.counts(asked)]
            orders = (fault.decision(asked, entropy) for fault in fitting)
            return next((decision for decision in orders if decision is not None), None)

    @property
    def timed(self) -> bool:
        """Whether any step waits for its moment alone."""
        return any(fault.timed for fault in self._faults)

    def next_due(self, now: int) -> Fault | None:
        """The first step whose moment has come, in microseconds."""
        waiting = [fault for fault in self._faults if fault.timed and fault.due <= now]
        return min(waiting, key=lambda fault: (fault.due, fault.number), default=None)

    def fork(self, lock: RLock, begun: int | None = None) -> "Faults":
        """The same steps, as far as they have come; with `begun`, counted from another beginning."""
        copy = Faults(lock, self.begun if begun is None else begun)
        for fault in self._faults:
            copy.put(fault.step, fault.number, seen=fault.seen, fired=fault.fired, windows=fault.windows)
        copy._added = self._added
        return copy
