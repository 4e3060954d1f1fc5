"""The actors of a scenario, with their tokens and API keys."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Protocol

from emulator.control.judged import judged
from emulator.control.reach import OutOfReach
from emulator.core.arguments import all_checked
from emulator.core.clock import Seconds, to_seconds
from emulator.core.errors import is_misconfigured
from emulator.core.suggestions import did_you_mean
from emulator.services.spacetimedb.model import Database, Identity
from emulator.world.actors import Actor as ActorData
from emulator.world.stage import Stage

__tracebackhide__ = is_misconfigured

ATTRIBUTES = ("identity", "api_key", "wallet", "token")
"""Those that environment variables have too."""
_SHOWN = 10


class Actor(Protocol):
    """An actor of the scenario. An attribute that the scenario does not give raises AttributeError."""

    name: str

    @property
    def identity(self) -> str:
        """The SpacetimeDB identity, 64 hex digits."""
        return self._given("identity")

    @property
    def subject(self) -> str:
        """`sub` of the token."""
        return self._given("subject")

    @property
    def issuer(self) -> str:
        """`iss` of the token."""
        return self._given("issuer")

    @property
    def token(self) -> str:
        """The SpacetimeDB token, issued at the start of the world; equal for the same seed, file and time."""
        return self._given("token")

    @property
    def api_key(self) -> str:
        """The API key of Intuition."""
        return self._given("api_key")

    @property
    def wallet(self) -> str:
        """The Ethereum address of the API key."""
        return self._given("wallet")

    @property
    def databases(self) -> Mapping[str, Database]:
        """The actor's databases by name; if the scenario gives only their number, the names are `1`, `2` …"""
        raise OutOfReach(f'actors["{self.name}"].databases')

    def issue_token(self, *, expires_in: Seconds | None = None, null_exp: bool = False, **claims: Any) -> str:
        """Another token of this actor, with its issuer, subject, audience and claims; other arguments as in
        `spacetime.issue_token`. Raises AttributeError for an actor without an identity.
        """

    def to_json(self) -> dict[str, str]:
        """All attributes that the scenario gives, the token included."""

    def env(self) -> dict[str, str]:
        """Identity, token, API key and wallet as environment variables: `ALICE_TOKEN`, `ALICE_IDENTITY` …"""
        prefix = re.sub(r"\W", "_", self.name, flags=re.ASCII).upper()
        return {f"{prefix}_{name.upper()}": value for name, value in self.to_json().items() if name in ATTRIBUTES}

    def __repr__(self) -> str:
        return f"<actor {self.name}>"

    def _given(self, field: str) -> str:
        """Raises AttributeError if the scenario does not give this attribute."""


def actor_of(stage: Stage, name: object) -> ActorData:
    """Raises KeyError when the current world has no such actor."""
    world = stage.settled_world()
    actor = world.actors.get(name) if isinstance(name, str) else None
    if actor is None:
        raise KeyError(f"no actor {name!r}; {did_you_mean(str(name), world.actor_names)}")
    return actor


@all_checked("actor.")
class LocalActor(Actor):
    def __init__(self, stage: Stage, name: str) -> None:
        self._stage = stage
        self.name = name

    @property
    def databases(self) -> Mapping[str, Database]:
        actor, store = actor_of(self._stage, self.name), self._stage.settled_world().spacetime
        return {name: store.database_of(Identity(self.identity), name) for name in actor.databases}

    def issue_token(self, *, expires_in: Seconds | None = None, null_exp: bool = False, **claims: Any) -> str:
        self._given("identity")
        actor, ends = actor_of(self._stage, self.name), None if expires_in is None else to_seconds(expires_in)
        store, whole = self._stage.settled_world().spacetime, {**actor.claims, **claims}
        with judged("actor.issue_token"):
            return store.token(actor.issuer, actor.subject, actor.audience, ends, whole, null_exp=null_exp)

    def to_json(self) -> dict[str, str]:
        actor = actor_of(self._stage, self.name)
        fields = ("identity", "subject", "issuer", "api_key", "wallet")
        given = {field: getattr(actor, field) for field in fields if getattr(actor, field)}
        return given | ({"token": self.token} if actor.identity else {})

    def _given(self, field: str) -> str:
        if field == "token":
            self._given("identity")
            return self._stage.settled_world().token_of(actor_of(self._stage, self.name))
        value: str = getattr(actor_of(self._stage, self.name), field)
        if not value:
            part = "intuition.api_keys" if field in {"api_key", "wallet"} else "spacetime.identities"
            raise AttributeError(f"{self.name} has no {field}; add the actor to the scenario's {part}", obj=self)
        return value


class LocalActors(Mapping[str, Actor]):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def __getitem__(self, name: str) -> Actor:
        actor_of(self._stage, name)
        return LocalActor(self._stage, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stage.settled_world().actor_names)

    def __len__(self) -> int:
        return len(self._stage.settled_world().actors)

    def __repr__(self) -> str:
        return f"<actors {', '.join(islice(self, _SHOWN)) or 'none'}{' …' if len(self) > _SHOWN else ''}>"
