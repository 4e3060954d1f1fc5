"""The actors of a scenario, found by name, identity or API key."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from emulator.core.copy_on_write import CopyOnWriteMap
from emulator.core.deferred_free import DeferredFree


class Actor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An actor of a scenario; fields that the scenario does not give are empty.

    `identity` is SpacetimeDB's, in hex, computed from `issuer` and `subject`; `expires_in` is seconds from the start of
    the world.
    """

    name: str
    identity: str = ""
    issuer: str = ""
    subject: str = ""
    audience: tuple[str, ...] = ()
    claims: Mapping[str, Any] = msgspec.field(default_factory=dict)
    expires_in: float | None = None
    databases: tuple[str, ...] = ()
    api_key: str = ""
    wallet: str = ""
    crowd: bool = False
    """Whether it is a member of a `crowd`, which lists of actors omit."""


class ActorRegistry:
    """The actors of a world."""

    def __init__(self, deferred: DeferredFree) -> None:
        self._by_name: CopyOnWriteMap[str, Actor] = CopyOnWriteMap(deferred)
        self._by_identity: CopyOnWriteMap[str, str] = CopyOnWriteMap(deferred)
        self._by_key: CopyOnWriteMap[str, str] = CopyOnWriteMap(deferred)

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[Actor]:
        return iter(self._by_name.merged().values())

    def get(self, name: str) -> Actor | None:
        return self._by_name.get(name)

    def add(self, actor: Actor) -> None:
        """Add an actor. If the name exists, the new fields that are not empty replace the old ones."""
        known = self.get(actor.name)
        self._by_name[actor.name] = actor if known is None else _both(known, actor)
        if actor.identity:
            self._by_identity[actor.identity] = actor.name
        if actor.api_key:
            self._by_key[actor.api_key] = actor.name

    def name_of(self, *, identity: str = "", api_key: str = "") -> str:
        """The name of the actor with this identity or this API key, empty without one."""
        return self._by_key.get(api_key) or self._by_identity.get(identity) or ""

    def fork(self) -> "ActorRegistry":
        copy = object.__new__(ActorRegistry)
        copy._by_name, copy._by_identity = self._by_name.fork(), self._by_identity.fork()
        copy._by_key = self._by_key.fork()
        return copy


def _both(known: Actor, more: Actor) -> Actor:
    given = {name: getattr(more, name) for name in Actor.__struct_fields__ if getattr(more, name)}
    return msgspec.structs.replace(known, **given)
