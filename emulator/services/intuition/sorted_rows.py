"""Rows by their number, and in the order of any sort key, so that no list sorts the world."""

from bisect import bisect_left
from collections.abc import Iterator
from heapq import merge
from typing import Any

from emulator.core.copy_on_write import CopyOnWriteMap, Layer
from emulator.core.deferred_free import DeferredFree
from emulator.services.intuition.listing import SORT_KEYS
from emulator.services.intuition.model import Identity, hashed

Entry = tuple[Any, int]
"""A row's sort key and its number."""


class RowLayer(Layer[int, Identity]):
    """Some rows, and their order by each sort key that was asked for; shared with the rows."""

    __slots__ = ("_orders",)

    def __init__(self, deferred: DeferredFree) -> None:
        super().__init__(deferred)
        self._orders: dict[str, list[Entry]] = {}

    def __del__(self) -> None:
        super().__del__()
        self._deferred.free_later(*self._orders.values())

    def order(self, key: str) -> list[Entry]:
        if key not in self._orders:
            key_of = SORT_KEYS[key]
            self._orders[key] = sorted((key_of(row), number) for number, row in self.entries.items())
        return self._orders[key]

    def put(self, number: int, row: Identity) -> None:
        """A row's older entries stay; `Rows.ordered` tells by the row that they are stale."""
        self.entries[number] = row
        for key, order in self._orders.items():
            entry = SORT_KEYS[key](row), number
            place = bisect_left(order, entry)
            if order[place : place + 1] != [entry]:
                order.insert(place, entry)

    def adopt(self, entries: dict[int, Identity]) -> None:
        super().adopt(entries)
        self._orders.clear()


class Rows(CopyOnWriteMap[int, Identity]):
    """Rows are numbered from 0 as they are made; a changed row keeps its number.

    Those of a crowd come without their hash, the costliest part of a row, and get it when somebody looks.
    """

    def get(self, key: int) -> Identity | None:
        row = super().get(key)
        return row if row is None or row.identity_hash else self._hashed(key)

    def _hashed(self, number: int) -> Identity:
        """The row stays hashed, for all that share its layer."""
        layer = next(layer for layer in self.layers if number in layer.entries)
        layer.entries[number] = row = hashed(layer.entries[number])
        return row

    def merged(self) -> dict[int, Identity]:
        return {number: self[number] for number in self.unhashed()}

    def unhashed(self) -> dict[int, Identity]:
        """All rows; the hash may be missing."""
        return super().merged()

    def _layer(self) -> RowLayer:
        return RowLayer(self._deferred)

    def ordered(self, key: str, *, descending: bool) -> Iterator[Identity]:
        """All rows by a sort key, then by their numbers; the hash may be missing."""
        key_of = SORT_KEYS[key]
        last = None
        for entry in self._entries(key, descending=descending):
            row = super().get(entry[1])
            if row is not None and entry != last and key_of(row) == entry[0]:
                yield row
            last = entry

    def _entries(self, key: str, *, descending: bool) -> Iterator[Entry]:
        """Of every layer, stale ones too; an entry that two layers have comes twice."""
        orders = [layer.order(key) for layer in self.layers if isinstance(layer, RowLayer) and layer.entries]
        if descending:
            return merge(*map(reversed, orders), reverse=True)
        return merge(*orders)
