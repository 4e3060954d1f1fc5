"""Which fault applies to a request: the steps of a world, their counters, and the decision.

Decisions only; their effects happen in `emulator.server.fault_injection`.
"""

from collections.abc import Iterator
from threading import RLock
from typing import Any

import msgspec

from emulator.core.entropy import Entropy
from emulator.core.path_pattern import PathPattern
from emulator.core.request_match import Sent
from emulator.faults.kinds import Do, RateLimit
from emulator.faults.step import Step

_SECOND = 1_000_000
_CLIENTS = 1000
"""The most clients that a rate limit counts; the one whose last request is oldest is dropped."""

Windows = dict[str, tuple[int, int]]
"""For a rate limit: when each client's window began, in microseconds, and its number of requests in it."""


class RequestFacts(msgspec.Struct, frozen=True):
    """The properties of a request that steps match on. `paths` are its path and that path's aliases."""

    method: str
    paths: tuple[str, ...]
    actor: str
    client: str
    """For rate limits: the API key, else the address."""
    micros: int
    sent: Sent | None = None
    """Given when a step has conditions on it."""


class FaultDecision(msgspec.Struct, frozen=True):
    """The fault for one request."""

    fault: "Fault"
    do: Do
    delay: float
    """Seconds."""
    retry_after: int
    """Seconds; 0 except for a rate limit."""


class Fault:
    """A step and its counters. It counts every request that matches it, also when another step is applied."""

    def __init__(self, step: Step, number: int, faults: "Faults") -> None:
        self.step = step
        self.number = number
        """Its place in the script, from 1."""
        self.seen = self.fired = 0
        self._faults = faults
        self.windows: Windows = {}
        self._method, _, path = (step.request or "").partition(" ")
        self._path = PathPattern(path)
        self._match = step.match

    def __repr__(self) -> str:
        return f"<Fault {self.number} {self.step}; {self.status}: {self.seen} seen, {self.fired} fired>"

    @property
    def timed(self) -> bool:
        """Whether it waits for a time only, not for a request."""
        return self.step.request is None and not self.fired

    @property
    def looks_inside(self) -> bool:
        """Whether it has conditions on query, headers or body."""
        return bool(self._match)

    @property
    def due(self) -> int:
        """When it fires, in microseconds of the clock."""
        return self._micros(self.step.at or 0.0)

    @property
    def done(self) -> bool:
        """Whether it has fired `times` times; without `times`, at least once."""
        return self.fired >= (self.step.times or 1)

    @property
    def status(self) -> str:
        """`waiting`, `fired` or `done`; `missed` when another step or its probability skipped its nth request."""
        if self.step.nth is not None and self.seen >= self.step.nth and not self.fired:
            return "missed"
        unlimited = self.step.request is not None and self.step.nth is None and self.step.times is None
        if self.done and not unlimited:
            return "done"
        return "fired" if self.fired else "waiting"

    def remove(self) -> None:
        """Remove it from the script. What it did before is not undone."""
        self._faults.remove(self)

    def to_json(self) -> dict[str, Any]:
        progress = {"seen": self.seen, "fired": self.fired, "status": self.status, "done": self.done}
        return {"n": self.number, **msgspec.to_builtins(self.step), **progress}

    def counts(self, facts: RequestFacts) -> bool:
        """Whether the request matches; if so, it is counted."""
        step = self.step
        matches = (
            step.request is not None
            and self._method in {"*", facts.method}
            and (step.actor is None or step.actor == facts.actor)
            and (step.at is None or self._micros(step.at) <= facts.micros)
            and (step.until is None or facts.micros < self._micros(step.until))
            and any(self._path.matches(path) for path in facts.paths)
            and (not self._match or facts.sent is None or not self._match.differences(facts.sent))
        )
        self.seen += matches
        return matches

    def decision(self, facts: RequestFacts, entropy: Entropy) -> FaultDecision | None:
        """The decision for a request that was just counted; None when the step does not apply to it."""
        step, place = self.step, self.seen - self.step.skip
        if place < 1 or (step.nth is not None and place != step.nth):
            return None
        if step.times is not None and self.fired >= step.times:
            return None
        if step.probability is not None and entropy.fraction(f"step {self.number}") >= step.probability:
            return None
        retry_after = 0
        if step.do.rate_limit and not (retry_after := self._retry_after(facts)):
            return None
        self.fired += 1
        return FaultDecision(self, step.do, self._delay(entropy), retry_after)

    def _delay(self, entropy: Entropy) -> float:
        delay = self.step.do.delay
        if isinstance(delay, tuple):
            return delay[0] + (delay[1] - delay[0]) * entropy.fraction(f"delay {self.number}")
        return delay or 0.0

    def _retry_after(self, facts: RequestFacts) -> int:
        """Whole seconds until a client over its limit may send again; 0 when it is within the limit.

        A window begins with a client's first request in it.
        """
        limit = self.step.do.rate_limit
        if not isinstance(limit, RateLimit):
            limit = RateLimit()
        length = int(limit.seconds * _SECOND)
        begun, count = self.windows.pop(facts.client, (facts.micros, 0))
        if not begun <= facts.micros < begun + length:
            begun, count = facts.micros, 0
        if len(self.windows) >= _CLIENTS:
            del self.windows[next(iter(self.windows))]
        self.windows[facts.client] = begun, count + 1
        return -(-(begun + length - facts.micros) // _SECOND) if count >= limit.requests else 0

    def _micros(self, seconds: float) -> int:
        return self._faults.begun + int(seconds * _SECOND)


class Faults:
    """The steps of a world. For each request the first step that applies wins."""

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

    def put(self, step: Step, number: int, *, seen: int = 0, fired: int = 0, windows: Windows | None = None) -> Fault:
        """Add a step with these counters."""
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

    def decide(self, facts: RequestFacts, entropy: Entropy) -> FaultDecision | None:
        """The fault for a request, if any. Every step that matches counts the request."""
        with self._lock:
            matching = [fault for fault in self._faults if fault.counts(facts)]
            decisions = (fault.decision(facts, entropy) for fault in matching)
            return next((decision for decision in decisions if decision is not None), None)

    @property
    def look_inside(self) -> bool:
        """Whether any step has conditions on query, headers or body."""
        return any(fault.looks_inside for fault in self._faults)

    @property
    def timed(self) -> bool:
        """Whether any step waits for a time only."""
        return any(fault.timed for fault in self._faults)

    def next_due(self, now: int) -> Fault | None:
        """The first step that is due at `now` (microseconds)."""
        waiting = [fault for fault in self._faults if fault.timed and fault.due <= now]
        return min(waiting, key=lambda fault: (fault.due, fault.number), default=None)

    def fork(self, lock: RLock, begun: int | None = None) -> "Faults":
        """A copy of the steps and their counters; `begun`, if given, is the new zero of their times (microseconds)."""
        copy = Faults(lock, self.begun if begun is None else begun)
        for fault in self._faults:
            copy.put(fault.step, fault.number, seen=fault.seen, fired=fault.fired, windows=fault.windows)
        copy._added = self._added
        return copy
