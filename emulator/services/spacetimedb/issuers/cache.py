"""The server's cache of key sets, on the emulator's clock.

The crate async_cache 0.3.2 (src/lib.rs) with the server's options: refreshed every 300 s, dropped after 7,200 s without
use, in two rounds. Both tickers start with the server.
"""

import msgspec

from emulator.services.spacetimedb.issuers.key_set import KeySet

REFRESH, EXPIRY = 300_000_000, 7_200_000_000
"""Microseconds between two ticks."""

MOST = 1000
"""Issuers that are cached; of the real server's there is no end."""


class Entry(msgspec.Struct):
    """The keys of an issuer, the document they were read from, and whether they were unused since the last tick."""

    keys: KeySet
    document: bytes
    marked: bool = False


class Round(msgspec.Struct):
    """A refresh: all issuers that were cached at its tick are asked, and new keys count when all have answered."""

    found: dict[str, bytes | None]
    """The documents of those that have answered, None of those that can't be reached."""
    hanging: set[str]
    unfetched: set[str]
    """Those that only a request can ask."""

    @property
    def is_complete(self) -> bool:
        return not self.hanging and not self.unfetched


class Cache:
    """Entries by `iss`, as it is in tokens; `started` is the time (microseconds) from which the ticks count."""

    def __init__(self, started: int) -> None:
        self.started = self.seen = started
        self.entries: dict[str, Entry] = {}
        """The least recently used first."""
        self.round: Round | None = None
        """The refresh that is under way. While it lasts no other begins."""
        self.refreshes = self.expiries = 0
        """The ticks that were handled."""

    def fork(self) -> "Cache":
        copy = Cache(self.started)
        copy.entries = {iss: msgspec.structs.replace(entry) for iss, entry in self.entries.items()}
        copy.seen, copy.refreshes, copy.expiries = self.seen, self.refreshes, self.expiries
        if self.round is not None:
            copy.round = Round(dict(self.round.found), set(self.round.hanging), set(self.round.unfetched))
        return copy

    def see(self, now: int) -> None:
        """Look at the clock. When a test has set it back, the ticks go on: the real server's never go back."""
        self.started += min(now - self.seen, 0)
        self.seen = now

    def get(self, iss: str) -> KeySet | None:
        """The keys of an issuer, which are in use then."""
        entry = self.entries.pop(iss, None)
        if entry is None:
            return None
        self.entries[iss] = entry
        entry.marked = False
        return entry.keys

    def put(self, iss: str, keys: KeySet, document: bytes) -> None:
        self.entries[iss] = Entry(keys, document)
        while len(self.entries) > MOST:
            del self.entries[next(iter(self.entries))]

    def expire(self, now: int) -> None:
        """Handle the ticks of the expiry up to now: mark what is not marked, drop what is."""
        ticks = self._ticks(now, EXPIRY)
        for _ in range(min(ticks - self.expiries, 2)):
            self.entries = {iss: entry for iss, entry in self.entries.items() if not entry.marked}
            for entry in self.entries.values():
                entry.marked = True
        self.expiries = ticks

    def refresh_is_due(self, now: int) -> bool:
        """Whether a refresh begins now. Ticks that passed during another refresh count once, after it."""
        if self.round is not None:
            return False
        ticks, before = self._ticks(now, REFRESH), self.refreshes
        self.refreshes = ticks
        return ticks > before and bool(self.entries)

    def _ticks(self, now: int, every: int) -> int:
        return max(now - self.started, 0) // every
