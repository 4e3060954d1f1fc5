"""Databases by owner, found by identity too."""

from emulator.core.copy_on_write import CopyOnWriteMap, Layer
from emulator.core.deferred_free import DeferredFree
from emulator.services.spacetimedb.model import Database, Identity

Packed = tuple[bytes, ...]
"""The databases of an owner, in order of creation, each as `Database.packed`."""


class OwnedLayer(Layer[Identity, Packed]):
    """With an index by identity, made at the first search: few worlds are ever asked for one of 100,000 databases."""

    __slots__ = ("_owners",)

    def __init__(self, deferred: DeferredFree) -> None:
        super().__init__(deferred)
        self._owners: dict[bytes, Identity] | None = None

    def __del__(self) -> None:
        super().__del__()
        if self._owners:
            self._deferred.free_later(self._owners)

    def put(self, key: Identity, value: Packed) -> None:
        super().put(key, value)
        if self._owners is not None:
            self._owners.update((packed[:32], key) for packed in value)

    def adopt(self, entries: dict[Identity, Packed]) -> None:
        super().adopt(entries)
        self._owners = None

    def owner_of(self, identity: bytes) -> Identity | None:
        if self._owners is None:
            self._owners = {packed[:32]: owner for owner, owned in self.entries.items() for packed in owned}
        return self._owners.get(identity)


class OwnedDatabases(CopyOnWriteMap[Identity, Packed]):
    """The packed databases of each owner. Forks share the layers, and so their indexes."""

    def _layer(self) -> OwnedLayer:
        return OwnedLayer(self._deferred)

    def find(self, identity: Identity) -> Database | None:
        """The database with an identity. The caller holds the world's lock, since a layer may be indexed.

        An index also has databases that were deleted later.
        """
        wanted = bytes.fromhex(identity)
        for layer in self.layers:
            assert isinstance(layer, OwnedLayer)
            owner = layer.owner_of(wanted)
            for packed in () if owner is None else self[owner]:
                if owner is not None and packed.startswith(wanted):
                    return Database.unpacked(packed, owner)
        return None
