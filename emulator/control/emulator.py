"""What a test holds: a running emulator, and what can be done to its world from outside.

Everything here may be called from any thread. Nothing waits for the server's loop: handlers and callers share one short
lock, and each call works on the world that stands when it is made.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Unpack

from emulator.control.actors import ActorHandle, Actors
from emulator.control.faults import FaultsHandle
from emulator.control.intuition import IntuitionHandle
from emulator.control.spacetimedb import SpacetimeHandle
from emulator.core.clock import Clock
from emulator.core.errors import is_misconfigured
from emulator.journal.queries import ExchangeQueries
from emulator.scenario.locate import located_config
from emulator.services.intuition.api_keys import DEFAULT_KEY
from emulator.world.config import Config, Given, Settings
from emulator.world.snapshot import Snapshot
from emulator.world.stage import Stage

__tracebackhide__ = is_misconfigured


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
        return self._stage.settled_world().clock

    @property
    def journal(self) -> ExchangeQueries:
        """What was asked and answered since the last reset."""
        return self._stage.world.journal

    def reset(self, config: Config | None = None, **settings: Unpack[Settings]) -> None:
        """Put a world as new in the place of the one that stands; `config` or its fields make it another one.

        A request that was received before ends in the old world, and is marked `outlived` in that world's journal; one
        that comes later belongs to the new world. Raises Misconfigured, and then the old world stays.
        """
        if config is None and not settings:
            self._stage.reset()
        else:
            self._stage.reset(self._located(Config(**settings).over(config or self._stage.config)))

    def begin(self, config: Config) -> None:
        """As `reset(config)`, and from now on a plain `reset()` goes back to it."""
        self._stage.begin(self._located(config))

    def load(self, scenario: Given) -> None:
        """Put the world of a scenario in the place of the one that stands; a plain `reset()` comes back to it.

        A bundled one's name, a file (read anew), a document, a function, or several in layers. What the config says
        goes on: its seed, clock and profiles win over the scenario's. Raises Misconfigured with all that is wrong, and
        then the old world stays.
        """
        self._stage.load(self._located(Config(scenario=scenario)).layers)

    def actors_env(self) -> dict[str, str]:
        """`ALICE_TOKEN` and its like for everybody the scenario names, but not for crowds."""
        named = [actor.name for actor in self._stage.settled_world().actors if not actor.crowd]
        return {name: value for each in named for name, value in ActorHandle(self._stage, each).env().items()}

    def api_key_of(self, config: Config) -> str:
        """The key that `env()` would give in a world of this config; no world is changed."""
        return self._stage.beginning(config).api_key

    def _located(self, config: Config) -> Config:
        """With the files of its scenario looked up. Raises Misconfigured."""
        return located_config(config, self.folders)

    def _first_key(self) -> str:
        return self._stage.settled_world().api_key

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
