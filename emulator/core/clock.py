"""The only sources of time and chance.

Everything the emulator says about time comes from a `Clock`, everything it makes up comes from an `Entropy`. Both
belong to one world, so that the same seed and a frozen clock give the same bytes on every run.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970. Raises ValueError for a datetime without an offset."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no offset; give it tzinfo=datetime.UTC")
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def rfc3339(micros: int) -> str:
    """`2024-02-15T05:47:17.289011Z`, always with six digits."""
    seconds, fraction = divmod(micros, 1_000_000)
    return f"{_to_the_second(seconds)}.{fraction:06}Z"


@lru_cache(maxsize=8)
def _to_the_second(seconds: int) -> str:
    return to_datetime(seconds * 1_000_000).strftime("%Y-%m-%dT%H:%M:%S")


def parse_rfc3339(text: str) -> datetime:
    """The moment `text` names. Raises ValueError for anything without a date, a time and an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    if not EARLIEST <= moment <= LATEST:
        raise ValueError(f"{text!r} is not between 1970 and 9999")
    return moment


@lru_cache(maxsize=8)
def http_date(seconds: int) -> bytes:
    """IMF-fixdate as the `date` header has it (RFC 9110, 5.6.7)."""
    return format_datetime(to_datetime(seconds * 1_000_000), usegmt=True).encode()


_OUT_OF_YEARS = "the clock can't leave the years 1970 to 9999"


class Clock:
    """Wall time plus an offset, or standing still.

    While it runs it asks `time.time_ns` at each use, so it follows freezegun and time-machine.
    """

    def __init__(self, freeze_at: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._offset = 0
        self._frozen: int | None = None
        self._listeners: tuple[Callable[[], object], ...] = ()
        self.stopped = False
        """Whether its world is gone, so that nobody should wait for a moment of it any more."""
        if freeze_at is not None:
            self.freeze(freeze_at)

    def fork(self) -> "Clock":
        """Another clock that shows the same moment, and stands or runs as this one does."""
        copy = Clock()
        copy._offset, copy._frozen = self._offset, self._frozen
        return copy

    @property
    def frozen(self) -> bool:
        return self._frozen is not None

    @property
    def ahead(self) -> float:
        """Seconds ahead of wall time, of a clock that runs."""
        return self._offset / 1_000_000

    def micros(self) -> int:
        """Microseconds since 1970."""
        frozen = self._frozen
        return time.time_ns() // 1000 + self._offset if frozen is None else frozen

    def seconds(self) -> int:
        """Whole seconds since 1970, rounded down."""
        return self.micros() // 1_000_000

    def now(self) -> datetime:
        """The moment as an aware datetime in UTC."""
        return to_datetime(self.micros())

    def advance(self, by: float | timedelta) -> None:
        """Move by seconds or a timedelta, also backwards; a frozen clock stays frozen at the new moment."""
        try:
            step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        except (OverflowError, ValueError):
            raise ValueError(_OUT_OF_YEARS) from None
        with self._lock:
            self._move_to(self.micros() + step // _MICROSECOND)

    def freeze(self, at: datetime | str | None = None) -> None:
        """Stand still at `at`, a datetime or a text like 2024-02-15T05:47:17Z, or at the present moment."""
        at = parse_rfc3339(at) if isinstance(at, str) else at
        with self._lock:
            self._frozen = self.micros()
            if at is not None:
                self._move_to(to_micros(at))

    def resume(self) -> None:
        """Run on from the moment the clock stood at."""
        with self._lock:
            if self._frozen is not None:
                moment, self._frozen = self._frozen, None
                self._move_to(moment)

    def skew(self, seconds: float) -> None:
        """Run `seconds` ahead of wall time (behind, if negative); `skew(0)` is wall time again.

        Raises ValueError while the clock stands still.
        """
        with self._lock:
            if self._frozen is not None:
                raise ValueError("a clock that stands still is not ahead of another; resume() it first")
            self._move_to(time.time_ns() // 1000 + round(seconds * 1_000_000))

    @contextmanager
    def listening(self, moved: Callable[[], object]) -> Iterator[None]:
        """While it lasts, `moved` is called after each move by hand and after `stop`; from any thread."""
        self._listeners = (*self._listeners, moved)
        try:
            yield
        finally:
            self._listeners = tuple(each for each in self._listeners if each is not moved)

    def stop(self) -> None:
        """Tell whoever waits for a moment of this clock that its world is gone. It goes on showing the time."""
        with self._lock:
            self.stopped = True
            self._tell()

    def _move_to(self, micros: int) -> None:
        if not to_micros(EARLIEST) <= micros <= to_micros(LATEST):
            raise ValueError(_OUT_OF_YEARS)
        if self._frozen is None:
            self._offset = micros - time.time_ns() // 1000
        else:
            self._frozen = micros
        self._tell()

    def _tell(self) -> None:
        for moved in self._listeners:
            moved()


def _real(name: str) -> Callable[[], float]:
    """A function of `time` as it was before freezegun replaced it, should it be at work already."""
    real: Callable[[], float] = getattr(sys.modules.get("freezegun.api"), f"real_{name}", getattr(time, name))
    return real


# Timers run on real time whatever a test does to the wall clock. Held in a tuple, where freezegun does not look for it.
_MONOTONIC = (_real("monotonic"),)


def monotonic() -> float:
    """Seconds of real time, for durations and the event loop."""
    return _MONOTONIC[0]()
