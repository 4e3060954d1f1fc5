"""Rows in the order of a sort key, kept in order as rows come and change, so that no list sorts the world."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import Any

from emulator.intuition.listing import SORT_KEYS
from emulator.intuition.model import Identity


class Index:
    """Ids by one sort key, then by the order in which the rows were made."""

    def __init__(self, key: str, rows: Iterable[Identity], made: dict[str, int]) -> None:
        self._key = SORT_KEYS[key]
        self._made = made
        self.entries: list[tuple[Any, int, str]] = sorted(map(self._entry, rows))

    def add(self, row: Identity) -> None:
        insort(self.entries, self._entry(row))

    def remove(self, row: Identity) -> None:
        del self.entries[bisect_left(self.entries, self._entry(row))]

    def ids(self, *, descending: bool) -> Iterator[str]:
        return (row for _, _, row in (reversed(self.entries) if descending else self.entries))

    def _entry(self, row: Identity) -> tuple[Any, int, str]:
        return self._key(row), self._made[row.id], row.id
