"""What a test holds: a running emulator, and what can be done to its world from outside.

Everything here may be called from any thread. Nothing waits for the server's loop: handlers and callers share one short
lock, and each call works on the world that stands when it is made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, Unpack

from emulator.control.actors import Actor, LocalActor, LocalActors
from emulator.control.faults import Faults, LocalFaults
from emulator.control.intuition import Intuition, LocalIntuition
from emulator.control.spacetimedb import LocalSpacetime, Spacetime
from emulator.core.clock import Clock
from emulator.core.errors import is_misconfigured
from emulator.journal.queries import ExchangeQueries
from emulator.scenario.locate import located_config
from emulator.world.config import Config, Given, Settings
from emulator.world.snapshot import Snapshot
from emulator.world.stage import Stage

__tracebackhide__ = is_misconfigured


@dataclass(frozen=True)
class Address:
    """Where an emulator listens, and the API key that a client there needs, if there is one."""

    url: str
    api_key: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def env(self) -> dict[str, str]:
        """The environment variables that point a client here."""
        urls = dict.fromkeys(("IDENTITY_EMULATOR_URL", "SPACETIMEDB_URI", "INTUITION_API_URL"), self.url)
        return urls | ({"INTUITION_API_KEY": self.api_key} if self.api_key else {})


class ClockControl(Protocol):
    """The clock that both APIs go by. Seconds are real seconds of the emulated time."""

    @property
    def frozen(self) -> bool: ...

    def now(self) -> datetime:
        """The moment as an aware datetime in UTC."""

    def advance(self, by: float | timedelta) -> None:
        """Move by seconds or a timedelta, also backwards; a frozen clock stays frozen at the new moment."""

    def freeze(self, at: datetime | str | None = None) -> None:
        """Stop at `at`, a datetime or a text like 2024-02-15T05:47:17Z, or at the present moment."""

    def resume(self) -> None:
        """Run on from the moment the clock stopped at."""

    def skew(self, seconds: float) -> None:
        """Run `seconds` ahead of wall time (behind, if negative). Raises ValueError while the clock is frozen."""


SnapshotOrDocument = Snapshot | dict[str, Any]
"""In this process a `Snapshot`, over HTTP the document of `GET /_emulator/snapshot`."""


class Emulator(Protocol):
    """A running emulator and the world it shows: in this process, or elsewhere by its URL."""

    url: str
    """`http://127.0.0.1:41235`, without a slash at its end."""
    folders: tuple[Path, ...]
    """Where scenario files are looked for, the first that has it."""
    spacetime: Spacetime
    intuition: Intuition
    faults: Faults

    @property
    def port(self) -> int:
        return Address(self.url, "").port

    def env(self) -> dict[str, str]:
        """The environment variables that point a client here: the URLs, and an API key, if there is one.

        The key is the scenario's first, else the default one.
        """
        return Address(self.url, self._first_key()).env()

    def _first_key(self) -> str: ...

    @property
    def actors(self) -> Mapping[str, Actor]:
        """Those the scenario names: `actors["alice"].token`."""

    @property
    def clock(self) -> ClockControl:
        """The clock both APIs go by."""

    @property
    def journal(self) -> ExchangeQueries:
        """The exchanges since the last reset."""

    def reset(self, config: Config | None = None, **settings: Unpack[Settings]) -> None:
        """Put a new world in the place of the present one; `config` or its fields make it another one.

        A request that was received before ends in the old world, and is marked `outlived` in that world's journal; one
        that comes later belongs to the new world. Raises Misconfigured, and then the old world stays.
        """

    def begin(self, config: Config) -> None:
        """As `reset(config)`, and from now on a plain `reset()` goes back to it."""

    def load(self, scenario: Given) -> None:
        """Put the world of a scenario in the place of the present one; a plain `reset()` comes back to it.

        A bundled one's name, a file (read anew), a document, a function, or several in layers. What the config says
        goes on: its seed, clock and profiles win over the scenario's. Raises Misconfigured with all that is wrong, and
        then the old world stays.
        """

    def actors_env(self) -> dict[str, str]:
        """`ALICE_TOKEN` and its like for every actor of the scenario, crowds apart."""

    def api_key_of(self, config: Config) -> str:
        """The key that `env()` would give in a world of this config; no world is changed."""

    def snapshot(self) -> SnapshotOrDocument:
        """The world as it is, put aside; at once, however much it holds."""

    def restore(self, snapshot: SnapshotOrDocument) -> None:
        """Go on from a snapshot, as often as wanted: stores, keys, faults, chance and the clock are as they were.

        A clock that ran runs on: it is not turned back. The journal goes on too. What a request under way does then
        is lost with the world it came into.
        """

    def abort_requests(self) -> None:
        """Close the connection of every request that is still under way. Returns at once."""


class LocalEmulator(Emulator):
    def __init__(self, url: str, stage: Stage, abort: Callable[[], None]) -> None:
        self.url = url
        self._stage = stage
        self._abort = abort
        self.folders = (Path(),)
        self.spacetime = LocalSpacetime(stage)
        self.intuition = LocalIntuition(stage)
        self.faults = LocalFaults(stage)

    @property
    def actors(self) -> Mapping[str, Actor]:
        return LocalActors(self._stage)

    @property
    def clock(self) -> Clock:
        return self._stage.settled_world().clock

    @property
    def journal(self) -> ExchangeQueries:
        return self._stage.world.journal

    def reset(self, config: Config | None = None, **settings: Unpack[Settings]) -> None:
        if config is None and not settings:
            self._stage.reset()
        else:
            self._stage.reset(self._located(Config(**settings).over(config or self._stage.config)))

    def begin(self, config: Config) -> None:
        self._stage.begin(self._located(config))

    def load(self, scenario: Given) -> None:
        self._stage.load(self._located(Config(scenario=scenario)).layers)

    def actors_env(self) -> dict[str, str]:
        named = [actor.name for actor in self._stage.settled_world().actors if not actor.crowd]
        return {name: value for each in named for name, value in LocalActor(self._stage, each).env().items()}

    def api_key_of(self, config: Config) -> str:
        return self._stage.beginning(config).api_key

    def _located(self, config: Config) -> Config:
        return located_config(config, self.folders)

    def _first_key(self) -> str:
        return self._stage.settled_world().api_key

    def snapshot(self) -> Snapshot:
        return self._stage.snapshot()

    def restore(self, snapshot: SnapshotOrDocument) -> None:
        if not isinstance(snapshot, Snapshot):
            raise TypeError(f"restore takes what snapshot() of this emulator gave, not a {type(snapshot).__name__}")
        self._stage.restore(snapshot)

    def abort_requests(self) -> None:
        self._abort()
