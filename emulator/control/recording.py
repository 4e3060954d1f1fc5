"""The exchanges that an emulator received since a moment, in whatever worlds it had meanwhile."""

from collections import deque
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from emulator.control.emulator import Emulator, LocalEmulator
from emulator.control.remote import RemoteEmulator, state_of
from emulator.core.errors import Misconfigured
from emulator.journal.exchange import Exchange
from emulator.journal.journal import Journal
from emulator.world.world import World

_MOST_JOURNALS = 20
"""Journals of replaced worlds that are kept; of a test that resets more often, the last ones."""


class Recording(Protocol):
    """Begins when it is made, and again with `begin`."""

    def begin(self) -> None:
        """Forget what came in until now."""

    @property
    def received(self) -> int:
        """How many requests came since; a few less where many worlds came and went."""

    @property
    def exchanges(self) -> list[Exchange]:
        """Those that came since, oldest first, as far as the journals have them. Raises Misconfigured."""

    def mark(self) -> object:
        """This moment, for `since`."""

    def since(self, mark: Any) -> list[Exchange]:
        """The later part of `exchanges`. Raises Misconfigured."""

    def end(self) -> None:
        """Nothing is added from now on."""


def recording_of(emulator: Emulator) -> Recording:
    """A recording of either kind of handle."""
    if isinstance(emulator, RemoteEmulator):
        return _RemoteRecording(emulator)
    assert isinstance(emulator, LocalEmulator)
    return _LocalRecording(emulator)


class _Stretch(NamedTuple):
    """The part of a journal after a request's number."""

    journal: Journal
    after: int

    @property
    def exchanges(self) -> list[Exchange]:
        if self.journal.total == self.after:
            return []
        return [exchange for exchange in self.journal.exchanges if exchange.number > self.after]


class _LocalRecording(Recording):
    def __init__(self, emulator: LocalEmulator) -> None:
        self._stage = emulator.stage
        self._stretches: deque[_Stretch] = deque(maxlen=_MOST_JOURNALS)
        self.begin()
        self._stage.on_shown.append(self._follow)

    def begin(self) -> None:
        journal = self._stage.world.journal
        self._stretches.clear()
        self._stretches.append(_Stretch(journal, journal.total))

    def _follow(self, world: World) -> None:
        """A snapshot's world goes on with the journal before it."""
        if world.journal is not self._stretches[-1].journal:
            self._stretches.append(_Stretch(world.journal, world.journal.total))

    @property
    def received(self) -> int:
        return sum(each.journal.total - each.after for each in self._stretches)

    @property
    def exchanges(self) -> list[Exchange]:
        return [exchange for each in list(self._stretches) for exchange in each.exchanges]

    def mark(self) -> _Stretch:
        journal = self._stage.world.journal
        return _Stretch(journal, journal.total)

    def since(self, mark: _Stretch) -> list[Exchange]:
        stretches = list(self._stretches)
        journals = [each.journal for each in stretches]
        if mark.journal not in journals:  # too many others came after it
            return self.exchanges
        later = stretches[journals.index(mark.journal) + 1 :]
        return [exchange for each in (mark, *later) for exchange in each.exchanges]

    def end(self) -> None:
        with suppress(ValueError):
            self._stage.on_shown.remove(self._follow)


class _RemoteRecording(Recording):
    """What came before a reset is read just before it, when this handle is asked for the reset."""

    def __init__(self, emulator: RemoteEmulator) -> None:
        self._emulator = emulator
        self._earlier: list[Exchange] = []
        self._has_ended = False
        self.begin()
        emulator.before_reset.append(self._keep)

    def begin(self) -> None:
        self._earlier.clear()
        self._after = 0
        with suppress(Misconfigured):  # nobody answers
            self._after = state_of(self._emulator).requests

    def _keep(self) -> None:
        self._earlier.extend(self._current())
        self._after = 0

    def _current(self) -> list[Exchange]:
        if self._has_ended or not self._since():
            return []
        return [exchange for exchange in self._emulator.journal.exchanges if exchange.number > self._after]

    def _since(self) -> int:
        """Raises Misconfigured."""
        total = state_of(self._emulator).requests
        if total < self._after:  # somebody else has reset it
            self._after = 0
        return total - self._after

    @property
    def received(self) -> int:
        if not self._has_ended:
            with suppress(Misconfigured):
                return len(self._earlier) + self._since()
        return len(self._earlier)

    @property
    def exchanges(self) -> list[Exchange]:
        return [*self._earlier, *self._current()]

    def mark(self) -> int:
        return self.received

    def since(self, mark: int) -> list[Exchange]:
        return self.exchanges[mark:] if self.received > mark else []

    def end(self) -> None:
        """Read the rest now: the emulator may be gone when it is asked for."""
        with suppress(Misconfigured):
            self._keep()
            self._has_ended = True
        with suppress(ValueError):
            self._emulator.before_reset.remove(self._keep)
