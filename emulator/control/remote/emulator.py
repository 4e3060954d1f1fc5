"""The handle of an emulator in another process, and of the other worlds of its server."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Unpack

from emulator.control.actors import Actor
from emulator.control.control_token import control_token
from emulator.control.emulator import ClockControl, Emulator, SnapshotOrDocument
from emulator.control.new_world import new_stage
from emulator.control.remote.actors import RemoteActors
from emulator.control.remote.client import Control, RefusedCall, judged_there
from emulator.control.remote.clock import RemoteClock
from emulator.control.remote.faults import RemoteFaults
from emulator.control.remote.intuition import RemoteIntuition
from emulator.control.remote.journal import RemoteJournal
from emulator.control.remote.spacetimedb import RemoteSpacetime
from emulator.control.remote.stubs import RemoteStubs
from emulator.control.worlds import Worlds, not_open
from emulator.core.arguments import all_checked, checked, shown
from emulator.core.clock import rfc3339, to_micros
from emulator.core.errors import Misconfigured, WrongArgument
from emulator.journal.queries import ExchangeQueries
from emulator.services.spacetimedb.releases import resolved
from emulator.world.config import Config, Given, Settings, is_bundled_name

_RESETTABLE = frozenset({"seed", "scenario"})
_OF_WORLDS = frozenset({*_RESETTABLE, "spacetime_profile", "intuition_profile", "freeze_at"})
"""The settings that a world beside the first can have."""


class RemoteWorlds(Worlds["RemoteEmulator"]):
    def __init__(self, control: Control, emulator: "RemoteEmulator") -> None:
        self._control = control
        self._emulator = emulator

    @checked("worlds.open")
    def open(
        self, config: Config | None = None, *, idle_exit: float | None = None, **settings: Unpack[Settings]
    ) -> "RemoteEmulator":
        full = Config(**settings).over(config or Config())
        wanted = {name: value for name, value in vars(full).items() if value is not None}
        if others := wanted.keys() - _OF_WORLDS:
            raise Misconfigured(
                f"a world opened over HTTP has no {min(others)} of its own, only {', '.join(sorted(_OF_WORLDS))}"
            )
        if full.scenario is not None:
            wanted["scenario"] = self._emulator._sent(full.scenario) or []
        if full.frozen_at is not None:
            wanted["freeze_at"] = rfc3339(to_micros(full.frozen_at))
        return self._of(self._control("POST", "/worlds", {**wanted, "idle_exit": idle_exit}))

    def close(self, world: "RemoteEmulator") -> None:
        found = next((each["id"] for each in self._open() if each["url"] == world.url), None)
        if found is None:
            raise not_open(world)
        self._control("DELETE", f"/worlds/{found}")

    def __iter__(self) -> Iterator["RemoteEmulator"]:
        return map(self._of, self._open())

    def _open(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._control("GET", "/worlds")["worlds"]
        return found

    def _of(self, world: Mapping[str, Any]) -> "RemoteEmulator":
        found = RemoteEmulator(world["url"], self._emulator.control_token)
        found.folders = self._emulator.folders
        return found


_NO_TOKEN = frozenset({400, 413})
"""The answers to what can't be a token: text that no JSON holds, or too much of it."""


class State(NamedTuple):
    """How often an emulator was asked for something since its last reset, and changed since its start."""

    requests: int
    changes: int


@all_checked("")
class RemoteEmulator(Emulator):
    """A running emulator, by URL. Operations without a control route raise OutOfReach."""

    @checked("RemoteEmulator")
    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = self.plain_url = url.rstrip("/")
        self.trust = None
        self.control_token = control_token(token) if token else None
        self.folders = (Path(),)
        self._control = Control(self.url, token)
        self._journal = RemoteJournal(self._control)
        self._config = Config()
        self.before_reset: list[Callable[[], object]] = []
        """Called before this handle has the world replaced."""
        self.spacetime = RemoteSpacetime(self._control)
        self.intuition = RemoteIntuition(self._control)
        self.faults = RemoteFaults(self._control)
        self.stubs = RemoteStubs(self._control)
        self.worlds: Worlds[RemoteEmulator] = RemoteWorlds(self._control, self)  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Emulator {self.url} in another process>"

    @property
    def actors(self) -> Mapping[str, Actor]:
        return RemoteActors(self._control)

    def actors_env(self) -> dict[str, str]:
        env: dict[str, str] = self._control("GET", "/actors")["env"]
        return {name: value for name, value in env.items() if name != "INTUITION_API_KEY"}

    def api_key_of(self, config: Config) -> str:
        there = Config(seed=self._control("GET", "/health")["seed"])
        return new_stage(config, there).world.api_key

    def stub_reducer(self, database: str, reducer: str) -> None:
        with judged_there("stub_reducer"):
            self._control("POST", "/spacetime/reducers", {"database": database, "reducer": reducer})

    def _first_key(self) -> str:
        key: str = self._control("GET", "/actors")["env"].get("INTUITION_API_KEY", "")
        return key

    @property
    def clock(self) -> ClockControl:
        return RemoteClock(self._control)

    @property
    def journal(self) -> ExchangeQueries:
        return self._journal

    def reset(self, config: Config | None = None, **settings: Unpack[Settings]) -> None:
        self._tell()
        full = Config(**settings).over(config or self._config)
        wanted = {name: value for name, value in vars(full).items() if value is not None}
        seed = {} if full.seed is None else {"seed": full.seed}
        answer = self._control("POST", "/reset", {**seed, "scenario": self._sent(full.scenario)})
        wanted.pop("freeze_at", None)
        if full.frozen_at is not None:
            self.clock.freeze(full.frozen_at)
        profiles = {f"{api}_profile": profile for api, profile in answer["profiles"].items()}
        for name, value in wanted.items():
            if name not in _RESETTABLE and profiles.get(name) != resolved(str(value)):
                option = name.replace("_", "-")
                raise Misconfigured(
                    f"this test needs {name}={value!s}, the emulator at {self.url} was started with "
                    f"{profiles.get(name, 'something else')}; start it with --{option} {value!s}"
                )

    def snapshot(self) -> dict[str, Any]:
        document: dict[str, Any] = self._control("GET", "/snapshot")
        return document

    def restore(self, snapshot: SnapshotOrDocument) -> None:
        if not isinstance(snapshot, dict):
            raise WrongArgument(
                f"restore: snapshot: expected what this emulator's snapshot() returned, got {shown(snapshot)}"
            )
        self._control("PUT", "/snapshot", snapshot)

    def begin(self, config: Config) -> None:
        self.reset(config)
        self._config = config

    def _tell(self) -> None:
        for tell in self.before_reset:
            tell()

    def load(self, scenario: Given) -> None:
        self._tell()
        self._control("POST", "/scenario", {"scenario": self._sent(scenario)})
        self._config = Config(scenario=scenario).over(self._config)

    def _sent(self, scenario: Given | None) -> Any:
        """Bundled scenarios by name; files are read in this process and sent as one document."""
        layers = Config(scenario=scenario).layers
        if all(map(is_bundled_name, layers)):
            return list(layers) or None
        from emulator.scenario.loader import find
        from emulator.scenario.locate import is_python

        if any(map(is_python, layers)):
            raise Misconfigured("a Python scenario runs in the emulator's own process only; load it without a URL")
        return find(layers, self.folders).good().plain

    def _heading(self) -> tuple[str, str]:
        lines: list[str] = self._control("GET", "/report?last=0").splitlines()
        return lines[0], self._journal.lost_in_words

    def _answers(self) -> dict[str, Any]:
        from emulator.control.report_file import ANSWERS

        return {name: self._control("GET", f"/{name}") for name in ANSWERS}

    def _inspected(self, token: str, micros: int) -> Mapping[str, Any] | None:
        wanted = {"token": token, "at": rfc3339(micros)}
        try:
            found: dict[str, Any] = self._control("POST", "/spacetime/tokens/inspect", wanted)
        except RefusedCall as refused:
            if refused.status not in _NO_TOKEN:
                raise
            return None
        return found

    def abort_requests(self) -> None:
        """Does nothing: there is no control route for it."""


def state_of(emulator: RemoteEmulator) -> State:
    """Raises Misconfigured."""
    found = emulator._control("GET", "/state")
    return State(found["journal"]["total"], found.get("changes", 0))
