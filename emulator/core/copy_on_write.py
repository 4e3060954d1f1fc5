"""A mapping that is copied in constant time, whatever its size."""

from typing import Generic, Self, TypeVar

from emulator.core.deferred_free import DeferredFree

K = TypeVar("K")
V = TypeVar("V")


class Layer(Generic[K, V]):
    """Some entries of a map. They are freed later (`DeferredFree`) when the last reference to the layer is dropped."""

    __slots__ = ("_deferred", "entries")

    def __init__(self, deferred: DeferredFree) -> None:
        self.entries: dict[K, V] = {}
        self._deferred = deferred

    def __del__(self) -> None:
        self._deferred.free_later(self.entries)

    def put(self, key: K, value: V) -> None:
        self.entries[key] = value

    def adopt(self, entries: dict[K, V]) -> None:
        self.entries = self.entries | entries if self.entries else entries


class CopyOnWriteMap(Generic[K, V]):
    """Entries in layers, the newest first; only the first is written to, the others are shared with the forks.

    Entries are never removed. Writers hold the world's lock, so that no fork happens during a write.
    """

    _SMALL = 1000
    """Shared layers with fewer entries are merged, so that lookups stay fast after many forks of a growing world."""

    def __init__(self, deferred: DeferredFree, layers: tuple[Layer[K, V], ...] = (), count: int = 0) -> None:
        self._deferred = deferred
        self.layers = layers
        self._own = False
        """Whether the first layer is not shared; it is made at the first write."""
        self._count = count

    def _layer(self) -> Layer[K, V]:
        return Layer(self._deferred)

    def __len__(self) -> int:
        return self._count

    def get(self, key: K) -> V | None:
        for layer in self.layers:
            found = layer.entries.get(key)
            if found is not None:
                return found
        return None

    def __contains__(self, key: K) -> bool:
        for layer in self.layers:  # noqa: SIM110 - three times as fast as any(), and called for each new row
            if key in layer.entries:
                return True
        return False

    def __getitem__(self, key: K) -> V:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: K, value: V) -> None:
        self._count += key not in self
        self._writable().put(key, value)

    def adopt(self, entries: dict[K, V]) -> None:
        """Add many entries. The caller must not use the dict afterwards."""
        self._count += sum(key not in self for key in entries) if self._count else len(entries)
        self._writable().adopt(entries)

    def _writable(self) -> Layer[K, V]:
        if not self._own:
            self.layers, self._own = (self._layer(), *self.layers), True
        return self.layers[0]

    def merged(self) -> dict[K, V]:
        """All entries in one dict, those of the oldest layer first."""
        merged: dict[K, V] = {}
        for layer in reversed(self.layers):
            merged.update(layer.entries)
        return merged

    def fork(self) -> Self:
        """A copy with the same entries; later writes to one do not change the other."""
        if self._own:
            self.layers, self._own = self._compacted(), False
        return type(self)(self._deferred, self.layers, self._count)

    def _compacted(self) -> tuple[Layer[K, V], ...]:
        own, *shared = self.layers
        if not shared or len(own.entries) + len(shared[0].entries) > self._SMALL:
            return self.layers
        both = self._layer()
        both.entries = shared[0].entries | own.entries
        return (both, *shared[1:])
