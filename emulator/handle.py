"""What a test holds: a running emulator, and what can be done to its world from outside.

Everything here may be called from any thread. Nothing waits for the server's loop: handlers and callers share one short
lock, and each call works on the world that stands when it is made.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, Unpack

import msgspec

from emulator.actors import Actor
from emulator.clock import Clock
from emulator.faults import Fault, Kind, matrix
from emulator.inquiry import Inquiry
from emulator.intuition.credentials import DEFAULT_KEY
from emulator.intuition.model import Draft, Identity, Lifecycle, NotFound, Position
from emulator.rust import base64url
from emulator.scenario.source import Given
from emulator.spacetime.model import (
    AUDIENCE,
    LOCAL_ISSUER,
    STANDARD_HEADER,
    Database,
    identity_of,
    parse_identity,
)
from emulator.steps import LONGEST, made_step, step_of
from emulator.world import Config, Settings, Snapshot, Stage, located


class Address:
    """Where an emulator listens."""

    def __init__(self, url: str, api_key: str = DEFAULT_KEY) -> None:
        self.url = url
        """`http://127.0.0.1:41235`, without a slash at its end."""
        self._api_key = api_key

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def env(self) -> dict[str, str]:
        """The environment variables that point a client here: the URLs, and an API key, if there is one.

        The key is the scenario's first, else the default one.
        """
        return {
            "IDENTITY_EMULATOR_URL": self.url,
            "SPACETIMEDB_URI": self.url,
            "INTUITION_API_URL": self.url,
            **({"INTUITION_API_KEY": self._first_key()} if self._first_key() else {}),
        }

    def _first_key(self) -> str:
        return self._api_key


class NewIdentity(msgspec.Struct, frozen=True):
    """`identity` is 64 hex digits; `token` is a JWT that never expires."""

    identity: str
    token: str


class SpacetimeHandle:
    """SpacetimeDB's side of the world."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def create_identity(
        self,
        *,
        subject: str | None = None,
        issuer: str = LOCAL_ISSUER,
        email: str | None = None,
        databases: int = 0,
        **claims: Any,
    ) -> NewIdentity:
        """An identity and its token, as `POST /v1/identity` makes them.

        `subject` is a fresh UUID unless given, `email` is stored in lower case, `databases` is how many the identity
        owns, and every other keyword is an extra claim of the token.
        """
        store = self._stage.world.spacetime
        name = subject or store.new_subject()
        token = store.issue_token(issuer, name, AUDIENCE, None, claims)
        identity = identity_of(issuer, name)
        if email is not None:
            store.set_email(identity, email)
        for _ in range(databases):
            store.add_database(identity)
        return NewIdentity(identity, token)

    def issue_token(
        self,
        *,
        subject: str,
        issuer: str = LOCAL_ISSUER,
        audience: str | tuple[str, ...] = AUDIENCE,
        expires_in: float | None = None,
        **claims: Any,
    ) -> str:
        """A token of this server's key.

        `expires_in` is seconds from now, negative for one that has ended; None is never. Every other keyword is an
        extra claim. Raises ValueError for one that `sign` has to write.
        """
        audiences = (audience,) if isinstance(audience, str) else tuple(audience)
        return self._stage.world.spacetime.issue_token(issuer, subject, audiences, expires_in, claims)

    def sign(self, claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> str:
        """Any claims at all under any header, signed with this server's key (ES256, whatever the header says).

        Nothing is added: not `iat`, not `iss`. The header is `{"typ": "JWT", "alg": "ES256"}` unless given.
        """
        header = STANDARD_HEADER if headers is None else base64url.encode(_compact(headers))
        return self._stage.world.spacetime.keyring.key.sign_token(header, _compact(claims))

    def add_database(self, owner: str) -> Database:
        """A new database of `owner`, an identity in hex. It has an `.identity` and a 32-digit `.address`.

        Raises ValueError when `owner` is no identity.
        """
        return self._stage.world.spacetime.add_database(parse_identity(owner))

    def rotate_key(self) -> None:
        """Lose the signing key and make another: every token given out so far becomes invalid.

        That is what happens to a real server whose key files were lost.
        """
        self._stage.world.spacetime.rotate_key()

    def email_of(self, identity: str) -> str | None:
        """The address that was set last, in lower case. Raises ValueError when `identity` is none."""
        return self._stage.world.spacetime.emails.get(parse_identity(identity))


class Identities(Mapping[str, Identity]):
    """Intuition's rows by the names the scenario gave them, the others by `id`. Any of their ids finds them too."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def __getitem__(self, name: str) -> Identity:
        world = self._stage.world
        try:
            return world.intuition.rows[world.row_number(name)]
        except NotFound as error:
            raise KeyError(f"{error.why}; the scenario names {', '.join(self._names().values()) or 'none'}") from None

    def __iter__(self) -> Iterator[str]:
        names = self._names()
        rows = self._stage.world.intuition.rows.unhashed()
        return iter([names.get(number, row.id) for number, row in rows.items()])

    def __len__(self) -> int:
        return len(self._stage.world.intuition)

    def _names(self) -> dict[int, str]:
        return {number: name for name, number in self._stage.world.intuition.names.merged().items()}


class IntuitionHandle:
    """Intuition's side of the world."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def identities(self) -> Identities:
        """`identities["jp"]`, by the scenario's name or any id: the row as it is now."""
        return Identities(self._stage)

    def issue_api_key(self, wallet: str) -> str:
        """A new key for a wallet, a UUID."""
        return self._stage.world.intuition.issue_api_key(wallet).key

    def revoke_api_key(self, key: str) -> None:
        """Requests with it are 401 from now on. Raises KeyError when there is no such key."""
        self._stage.world.intuition.revoke_api_key(key)

    def create_identity(
        self,
        *,
        display_name: str,
        creator: str,
        description: str | None = None,
        image: str | None = None,
        external_reference: str | None = None,
    ) -> Identity:
        """A row, as `POST /identity` makes it."""
        return self._stage.world.intuition.create(Draft(display_name, creator, description, image, external_reference))

    def add_position(self, identity: str, wallet: str, amount: int) -> Position:
        """A stake of `amount` wei in an identity, by its name in the scenario or any of its ids.

        It is listed under `/identity/{id}/positions`, and the identity's sums grow by it. Raises ValueError for an
        amount that is not positive, `emulator.intuition.model.NotFound` for an identity that is not there.
        """
        world = self._stage.world
        return world.intuition.add_position(world.row_number(identity), wallet, amount)

    def lifecycle(self, *, pending: bool = True, complete_after: float | None = None) -> None:
        """From now on new identities are pending, in vault "0".

        `complete_after` seconds of the clock, or a call of `complete`, gives them the status `complete` and the next
        vault. `lifecycle(pending=False)` makes new ones complete at once again, as the documentation page shows them.
        """
        if complete_after is not None and not 0 <= complete_after <= LONGEST:
            raise ValueError(f"complete_after is {complete_after}; it is from 0 to {LONGEST:.0e} seconds")
        self._stage.world.intuition.lifecycle = Lifecycle(
            pending, float(complete_after) if pending and complete_after is not None else None
        )

    def complete(self, identity: str) -> Identity:
        """A pending identity is on the chain now: it gets the next vault. Raises `NotFound`."""
        return self._move(identity, "complete")

    def fail(self, identity: str) -> Identity:
        """Its status becomes `error`. Raises `NotFound`."""
        return self._move(identity, "error")

    def remove(self, identity: str) -> Identity:
        """Its status becomes `removed`; it is found as before. Raises `NotFound`."""
        return self._move(identity, "removed")

    def _move(self, identity: str, status: str) -> Identity:
        world = self._stage.world
        return world.intuition.move(world.row_number(identity), status, world.clock.micros())


class Doable(Protocol):
    @property
    def done(self) -> bool: ...


def assert_done(faults: Iterable[Doable]) -> None:
    """Raises AssertionError with the faults that have not done all they can."""
    __tracebackhide__ = True
    if waiting := [repr(fault) for fault in faults if not fault.done]:
        raise AssertionError("\n".join(["not everything that was ordered happened:", *waiting]))


class FaultsHandle:
    """What is ordered to go wrong: the steps of the scenario's script, and those added here."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def add(
        self,
        request: str | None = None,
        *,
        nth: int | None = None,
        times: int | None = None,
        skip: int = 0,
        actor: str | None = None,
        probability: float | None = None,
        **do: Any,
    ) -> Fault:
        """Have something go wrong with requests like `POST /v1/identity`: `add("POST /identity", nth=2, status=503)`.

        In the path `*` is one segment, `**` any number. Conditions are the fields of `emulator.steps.Step` (`at` and
        `until` too), what can be done those of `emulator.steps.Do`; docs/faults.md has both. The first step whose turn
        it is wins. Raises ValueError for a step that could never do anything.
        """
        conditions = {"nth": nth, "times": times, "skip": skip, "actor": actor, "probability": probability}
        return self._stage.world.add_step(made_step(step_of(request, conditions | do)))

    def clear(self) -> None:
        """Nothing goes wrong any more, the scenario's script included, until the next reset."""
        self._stage.world.faults.clear()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._stage.world.faults)

    def __len__(self) -> int:
        return len(self._stage.world.faults)

    def assert_done(self) -> None:
        """Every step has done all it can. Raises AssertionError with those that have not."""
        __tracebackhide__ = True
        assert_done(self)

    @staticmethod
    def matrix() -> tuple[Kind, ...]:
        """All kinds, as `emulator.faults.matrix()` gives them where there is no emulator yet."""
        return matrix()


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
        world = self._stage.world
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
        world = self._stage.world
        actor = world.actors.get(self.name)
        if actor is None:
            known = ", ".join(each.name for each in islice(world.actors, 20))
            raise KeyError(f"no actor {self.name!r}; the scenario names {known or 'none'}")
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
        store = self._stage.world.spacetime
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
        return iter([actor.name for actor in self._stage.world.actors])

    def __len__(self) -> int:
        return len(self._stage.world.actors)


def _compact(value: Mapping[str, Any]) -> bytes:
    """Python's json, not msgspec's: a broken token may hold NaN or a lone surrogate."""
    return json.dumps(value, separators=(",", ":")).encode()


class Emulator(Address):
    """A running emulator and the world it shows."""

    def __init__(self, url: str, stage: Stage, abort: Callable[[], None]) -> None:
        super().__init__(url)
        self._stage = stage
        self._abort = abort
        self.folders: tuple[Path, ...] = (Path(),)
        """Where scenario files are looked for, the first that has it."""
        self.spacetime = SpacetimeHandle(stage)
        self.intuition = IntuitionHandle(stage)
        self.faults = FaultsHandle(stage)

    @property
    def actors(self) -> Mapping[str, ActorHandle]:
        """Those the scenario names: `actors["alice"].token`."""
        return Actors(self._stage)

    @property
    def clock(self) -> Clock:
        """The clock both APIs go by."""
        return self._stage.world.clock

    @property
    def journal(self) -> Inquiry:
        """What was asked and answered since the last reset."""
        return self._stage.world.journal

    def reset(self, config: Config | None = None, **settings: Unpack[Settings]) -> None:
        """Put a world as new in the place of the one that stands; `config` or its fields make it another one.

        A request that was received before ends in the old world, and is marked `outlived` in that world's journal; one
        that comes later belongs to the new world. Raises Misconfigured, and then the old world stays.
        """
        other = Config(**settings).over(config or self._stage.config)
        self._stage.reset(None if other == self._stage.config else self._located(other))

    def begin(self, config: Config) -> None:
        """As `reset(config)`, and from now on a plain `reset()` goes back to it."""
        self._stage.begin(self._located(config))

    def load(self, scenario: Given) -> None:
        """Put the world of a scenario in the place of the one that stands; a plain `reset()` comes back to it.

        A bundled one's name, a file (read anew), a document, a function, or several in layers. What the config says
        goes on: its seed, clock and profiles win over the scenario's. Raises Misconfigured with all that is wrong, and
        then the old world stays.
        """
        config = self._located(Config(scenario=scenario))
        assert config.scenario is not None
        self._stage.load(config.scenario)

    def actors_env(self) -> dict[str, str]:
        """`ALICE_TOKEN` and its like for everybody the scenario names, but not for crowds."""
        named = [actor.name for actor in self._stage.world.actors if not actor.crowd]
        return {name: value for each in named for name, value in ActorHandle(self._stage, each).env().items()}

    def api_key_of(self, config: Config) -> str:
        """The key that `env()` would give in a world of this config; no world is changed."""
        return self._stage.beginning(config).api_key

    def _located(self, config: Config) -> Config:
        """With the files of its scenario looked up. Raises Misconfigured."""
        return located(config, self.folders)

    def _first_key(self) -> str:
        return self._stage.world.api_key

    def snapshot(self) -> Snapshot:
        """The world as it is, put aside; at once, however much it holds."""
        return self._stage.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot, as often as wanted: stores, keys, faults, chance and the clock are as they were.

        A clock that ran runs on: it is not turned back. The journal goes on too. What a request under way does then
        is lost with the world it came into.
        """
        self._stage.restore(snapshot)

    def abort_requests(self) -> None:
        """Hang up on every request that is still under way. Returns at once."""
        self._abort()
