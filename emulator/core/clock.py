"""The emulator's clock, and times as text.

Every time the emulator sends or compares comes from the `Clock` of one world. With a frozen clock and the same seed
(`emulator.core.entropy`), every run gives the same bytes.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Annotated

from emulator.core.arguments import checked, shown, with_example
from emulator.core.errors import WrongArgument

_MICROSECOND = timedelta(microseconds=1)

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970. Raises ValueError for a datetime without an offset."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no offset; give it tzinfo=datetime.UTC")
    return (moment - EARLIEST) // _MICROSECOND


def to_datetime(micros: int) -> datetime:
    return EARLIEST + timedelta(microseconds=micros)


def rfc3339(micros: int) -> str:
    """`2024-02-15T05:47:17.289011Z`, always with six digits."""
    seconds, fraction = divmod(micros, 1_000_000)
    return f"{_to_the_second(seconds)}.{fraction:06}Z"


@lru_cache(maxsize=8)
def _to_the_second(seconds: int) -> str:
    return to_datetime(seconds * 1_000_000).strftime("%Y-%m-%dT%H:%M:%S")


def parse_rfc3339(text: str) -> datetime:
    """The datetime of an RFC 3339 text. Raises ValueError for anything without a date, a time and an offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:100]!r} is not a time") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    if not EARLIEST <= moment <= LATEST:
        raise ValueError(f"{text!r} is not between 1970 and 9999")
    return moment


def _wrong_moment(given: datetime | str) -> str:
    try:
        to_moment(given)
    except ValueError as error:
        return str(error)
    return ""


Moment = Annotated[datetime | str, _wrong_moment]
"""A time as people give it: an aware datetime, or a text like `2024-02-15T05:47:17Z`."""
Seconds = float | timedelta
"""A length of time as people give it: seconds, or a timedelta."""


def to_moment(given: Moment) -> datetime:
    """Raises ValueError for a time without an offset or out of the years 1970 to 9999."""
    if isinstance(given, str):
        return parse_rfc3339(given)
    if not EARLIEST <= to_datetime(to_micros(given)) <= LATEST:
        raise ValueError(f"{given.isoformat()} is not between 1970 and 9999")
    return given


def to_seconds(given: Seconds) -> float:
    return given.total_seconds() if isinstance(given, timedelta) else given


@lru_cache(maxsize=8)
def http_date(seconds: int) -> bytes:
    """IMF-fixdate, the format of the `date` header (RFC 9110, 5.6.7)."""
    return format_datetime(to_datetime(seconds * 1_000_000), usegmt=True).encode()


_OUT_OF_YEARS = "the clock can't leave the years 1970 to 9999"

FIRST, LAST = to_micros(EARLIEST), to_micros(LATEST)
"""The microseconds between which every clock stays."""


@contextmanager
def _refusing(method: str, argument: str, given: object) -> Iterator[None]:
    """Raises WrongArgument for a time that no clock shows."""
    try:
        yield
    except (OverflowError, ValueError):
        text = f"{_OUT_OF_YEARS}, got {shown(given)}"
        raise WrongArgument(f"{method}: {with_example(f'{argument}: {text}', argument)}", text) from None


class Clock:
    """Wall time plus an offset, or frozen.

    A running clock calls `time.time_ns` at each use, so it follows freezegun and time-machine. It stands still at the
    end of the year 9999.
    """

    def __init__(self, freeze_at: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._offset = 0
        self._frozen: int | None = None
        self._listeners: tuple[Callable[[], object], ...] = ()
        self.stopped = False
        """True once its world was replaced: a wait for a time of this clock should end."""
        if freeze_at is not None:
            self.freeze(freeze_at)

    def fork(self) -> "Clock":
        """A copy with the same time, frozen if this one is."""
        copy = Clock()
        copy._offset, copy._frozen = self._offset, self._frozen
        return copy

    @property
    def frozen(self) -> bool:
        return self.micros() == LAST if self._frozen is None else True

    @property
    def ahead(self) -> float:
        """Seconds ahead of wall time, of a running clock."""
        return self._offset / 1_000_000

    def micros(self) -> int:
        """Microseconds since 1970."""
        frozen = self._frozen
        if frozen is not None:
            return frozen
        moment = time.time_ns() // 1000 + self._offset
        return moment if FIRST <= moment <= LAST else max(FIRST, min(LAST, moment))

    def seconds(self) -> int:
        """Whole seconds since 1970, rounded down."""
        return self.micros() // 1_000_000

    def now(self) -> datetime:
        """The time as an aware datetime in UTC."""
        return to_datetime(self.micros())

    def __repr__(self) -> str:
        return f"<Clock {rfc3339(self.micros())}{' frozen' if self.frozen else ''}>"

    @checked("clock.advance")
    def advance(self, by: Seconds) -> None:
        """Move by seconds or a timedelta, also backwards; a frozen clock stays frozen at the new time."""
        with _refusing("clock.advance", "by", by):
            step = by if isinstance(by, timedelta) else timedelta(seconds=by)
            with self._lock:
                self._move_to(self.micros() + step // _MICROSECOND)

    @checked("clock.freeze", at="2024-02-15T05:47:17Z")
    def freeze(self, at: Moment | None = None) -> None:
        """Freeze at `at`, a datetime or a text like 2024-02-15T05:47:17Z; without it, at the current time."""
        with self._lock:
            self._frozen = self.micros()
            if at is not None:
                self._move_to(to_micros(to_moment(at)))

    def resume(self) -> None:
        """Run on from the time at which the clock was frozen."""
        with self._lock:
            if self._frozen is not None:
                moment, self._frozen = self._frozen, None
                self._move_to(moment)

    @checked("clock.skew")
    def skew(self, seconds: Seconds) -> None:
        """Run `seconds` ahead of wall time (behind, if negative); `skew(0)` is wall time again.

        Raises ValueError while the clock is frozen.
        """
        if self._frozen is not None:
            raise ValueError("a frozen clock has no skew; resume it first")
        with _refusing("clock.skew", "seconds", seconds):
            self.run_ahead(to_seconds(seconds))

    def run_ahead(self, seconds: float) -> None:
        """As `skew`, of a running clock, with a number that is not an argument of a call. Raises ValueError."""
        with self._lock:
            if not abs(seconds) <= LAST:  # NaN is not either
                raise ValueError(_OUT_OF_YEARS)
            self._move_to(time.time_ns() // 1000 + round(seconds * 1_000_000))

    @contextmanager
    def listening(self, moved: Callable[[], object]) -> Iterator[None]:
        """Within the block, `moved` is called after each manual change of time and after `stop`, from any thread."""
        self._listeners = (*self._listeners, moved)
        try:
            yield
        finally:
            self._listeners = tuple(each for each in self._listeners if each is not moved)

    def stop(self) -> None:
        """End every wait for a time of this clock, because its world was replaced. The clock still shows the time."""
        with self._lock:
            self.stopped = True
            self._notify()

    def _move_to(self, micros: int) -> None:
        if not FIRST <= micros <= LAST:
            raise ValueError(_OUT_OF_YEARS)
        if self._frozen is None:
            self._offset = micros - time.time_ns() // 1000
        else:
            self._frozen = micros
        self._notify()

    def _notify(self) -> None:
        for moved in self._listeners:
            moved()


def _real(name: str) -> Callable[[], float]:
    """The function of `time`, also when freezegun has replaced it already."""
    real: Callable[[], float] = getattr(sys.modules.get("freezegun.api"), f"real_{name}", getattr(time, name))
    return real


# Timers run on real time whatever a test does to the wall clock. In a tuple: freezegun replaces attributes of modules.
_MONOTONIC = (_real("monotonic"),)


def wall_micros() -> int:
    """Microseconds since 1970 by wall time, which no emulated answer depends on."""
    return time.time_ns() // 1000


def monotonic() -> float:
    """Seconds of real time, for durations and the event loop."""
    return _MONOTONIC[0]()
