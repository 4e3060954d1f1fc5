"""Rows by number, with an index for each sort key, so that a list does not sort all rows."""

from bisect import bisect_left
from collections.abc import Iterator
from heapq import merge
from typing import Any

from msgspec import structs

from emulator.core.copy_on_write import CopyOnWriteMap, Layer
from emulator.core.deferred_free import DeferredFree
from emulator.services.intuition.content_address import hash_of
from emulator.services.intuition.listing import SORT_KEYS
from emulator.services.intuition.model import Identity

Entry = tuple[Any, int]
"""A row's sort key and its number."""


class RowLayer(Layer[int, Identity]):
    """Some rows, and their order by each sort key used so far, both shared between forks."""

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
        """Older entries of a changed row stay in the order; `Rows.ordered` skips them, comparing with the row."""
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
    """Rows, numbered from 0 in order of creation; a changed row keeps its number.

    Rows of a scenario have no hash, the slowest part of a row, until they are read.
    """

    def get(self, key: int) -> Identity | None:
        row = super().get(key)
        return row if row is None or row.identity_hash else self._hashed(key)

    def _hashed(self, number: int) -> Identity:
        """The row with its hash, which is kept for all maps that share its layer."""
        layer = next(layer for layer in self.layers if number in layer.entries)
        row = layer.entries[number]
        layer.entries[number] = row = structs.replace(row, identity_hash=hash_of(row.identity_id))
        return row

    def merged(self) -> dict[int, Identity]:
        return {number: self[number] for number in self.unhashed()}

    def unhashed(self) -> dict[int, Identity]:
        """All rows, some without their hash."""
        return super().merged()

    def _layer(self) -> RowLayer:
        return RowLayer(self._deferred)

    def ordered(self, key: str, *, descending: bool) -> Iterator[Identity]:
        """All rows by a sort key, then by number, some without their hash."""
        key_of = SORT_KEYS[key]
        last = None
        for entry in self._entries(key, descending=descending):
            row = super().get(entry[1])
            if row is not None and entry != last and key_of(row) == entry[0]:
                yield row
            last = entry

    def _entries(self, key: str, *, descending: bool) -> Iterator[Entry]:
        """The entries of all layers, with stale ones, and with duplicates when two layers have the same entry."""
        orders = [layer.order(key) for layer in self.layers if isinstance(layer, RowLayer) and layer.entries]
        if descending:
            return merge(*map(reversed, orders), reverse=True)
        return merge(*orders)
