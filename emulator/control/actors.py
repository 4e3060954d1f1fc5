"""Whom the scenario names, from outside."""

import re
from collections.abc import Iterator, Mapping

from emulator.core.errors import is_misconfigured
from emulator.core.suggestions import did_you_mean
from emulator.services.spacetimedb.model import Database
from emulator.world.actors import Actor
from emulator.world.stage import Stage

__tracebackhide__ = is_misconfigured


class ActorHandle:
    """Somebody the scenario names. What the scenario does not give is an error that says so."""

    def __init__(self, stage: Stage, name: str) -> None:
        self._stage = stage
        self.name = name

    def __repr__(self) -> str:
        return f"<actor {self.name}>"

    @property
    def identity(self) -> str:
        """SpacetimeDB's, in hex."""
        return self._given("identity")

    @property
    def token(self) -> str:
        """Given out when the world began; the same on every machine for the same seed and moment."""
        self._given("identity")
        world = self._stage.settled_world()
        return world.token_of(self._actor)

    @property
    def api_key(self) -> str:
        """Intuition's."""
        return self._given("api_key")

    @property
    def wallet(self) -> str:
        """The Ethereum address of the API key."""
        return self._given("wallet")

    @property
    def _actor(self) -> Actor:
        world = self._stage.settled_world()
        actor = world.actors.get(self.name)
        if actor is None:
            raise KeyError(f"no actor {self.name!r}; {did_you_mean(self.name, (each.name for each in world.actors))}")
        return actor

    def _given(self, field: str) -> str:
        value: str = getattr(self._actor, field)
        if not value:
            part = "spacetime.identities" if field == "identity" else "intuition.api_keys"
            raise AttributeError(f"{self.name} has no {field}; name them in the scenario's {part}", obj=self)
        return value

    @property
    def databases(self) -> dict[str, Database]:
        """What the scenario has them own, by its names; those that are only counted are called `1`, `2` …"""
        store = self._stage.settled_world().spacetime
        return {name: store.database_named(self.identity, name) for name in self._actor.databases}

    def to_json(self) -> dict[str, str]:
        """All that the scenario gives, the token too."""
        actor = self._actor
        given = {field: getattr(actor, field) for field in ("identity", "api_key", "wallet") if getattr(actor, field)}
        return given | ({"token": self.token} if actor.identity else {})

    def env(self) -> dict[str, str]:
        """The same as environment variables: `ALICE_TOKEN`, `ALICE_IDENTITY` …"""
        prefix = re.sub(r"\W", "_", self.name, flags=re.ASCII).upper()
        return {f"{prefix}_{name.upper()}": value for name, value in self.to_json().items()}


class Actors(Mapping[str, ActorHandle]):
    """Those the scenario names: `actors["alice"].token`."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def __getitem__(self, name: str) -> ActorHandle:
        found = ActorHandle(self._stage, name)
        _ = found._actor
        return found

    def __iter__(self) -> Iterator[str]:
        return iter([actor.name for actor in self._stage.settled_world().actors])

    def __len__(self) -> int:
        return len(self._stage.settled_world().actors)
