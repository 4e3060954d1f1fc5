"""The handle for tests: inspects and changes the world of a running emulator.

All methods may be called from any thread, and never wait for the server's loop: handlers and callers share one short
lock. Each call works on the world that is current at the time.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Unpack, runtime_checkable

import msgspec

from emulator.control.actors import Actor, LocalActor, LocalActors
from emulator.control.faults import Faults, LocalFaults
from emulator.control.heading import heading
from emulator.control.intuition import Intuition, LocalIntuition
from emulator.control.judged import judged
from emulator.control.no_proxy import without_proxy
from emulator.control.spacetimedb import LocalSpacetime, Spacetime
from emulator.control.stubs import AnyBody, LocalStubs, Stub, Stubs, stub_of
from emulator.control.trust import Trust, client_context
from emulator.control.worlds import LocalWorlds, NoWorlds, OpenWorld, Worlds, WorldServers
from emulator.core.arguments import Judged, all_checked, checked, shown
from emulator.core.clock import Clock, Moment, Seconds
from emulator.core.errors import WrongArgument, is_misconfigured
from emulator.core.words import counted
from emulator.journal.exchange import Exchange
from emulator.journal.queries import ExchangeQueries
from emulator.journal.report import MOST_BYTES, MOST_LINES
from emulator.journal.report import report as written
from emulator.scenario.locate import located_config
from emulator.world.config import Config, Given, Settings
from emulator.world.snapshot import Snapshot
from emulator.world.stage import Stage
from emulator.world.stubs import Auth, StubFunction

if TYPE_CHECKING:
    import ssl

__tracebackhide__ = is_misconfigured


class Setenv(Protocol):
    """What sets environment variables, like pytest's `monkeypatch`."""

    def setenv(self, name: str, value: str, /) -> object: ...


def _wrong_variables(given: object) -> str:
    return "" if hasattr(given, "setenv") else f"expected pytest's monkeypatch, got {shown(given)}"


Variables = Annotated[Setenv, Judged(_wrong_variables)]


@dataclass(frozen=True)
class Address:
    """The URL of an emulator, an API key for its clients, and its control token; empty or None when there is none."""

    url: str
    api_key: str
    control_token: str | None = None
    trust: Trust | None = None
    """With which clients verify the server of an https URL."""

    @property
    def scheme(self) -> str:
        return self.url.partition("://")[0].lower()

    @property
    def host(self) -> str:
        """Without brackets."""
        return self.url.partition("://")[2].rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def env(self) -> dict[str, str]:
        """Environment variables for clients: the URL, the API key, the control token.

        With TLS also those with which clients trust its CA (docs/tls.md). Where a proxy is set, `NO_PROXY` and
        `no_proxy` too, with this host besides those that are in them.
        """
        urls = dict.fromkeys(("IDENTITY_EMULATOR_URL", "SPACETIMEDB_URI", "INTUITION_API_URL"), self.url)
        given = {"INTUITION_API_KEY": self.api_key, "IDENTITY_EMULATOR_CONTROL_TOKEN": self.control_token}
        known = {name: value for name, value in given.items() if value}
        trusted = {} if self.trust is None else self.trust.env()
        return urls | known | trusted | without_proxy(self.host, os.environ, self.scheme)

    def ssl_context(self) -> "ssl.SSLContext":
        """For clients in this process: trusts the server's CA besides the system's."""
        return client_context(self.trust)

    @checked("patch_env")
    def patch_env(self, monkeypatch: Variables) -> None:
        """Set the variables of `env()` in this process, with pytest's `monkeypatch` until the test ends."""
        for name, value in self.env().items():
            monkeypatch.setenv(name, value)


def _wrong_path(given: object) -> str:
    return "" if isinstance(given, str | PathLike) and given else f"expected the path of a file, got {shown(given)}"


class ClockControl(Protocol):
    """The clock that both APIs use."""

    @property
    def frozen(self) -> bool: ...

    def now(self) -> datetime:
        """The current time as an aware datetime in UTC."""

    def advance(self, by: Seconds) -> None:
        """Move the clock by seconds or a timedelta, backwards if negative. A frozen clock stays frozen."""

    def freeze(self, at: Moment | None = None) -> None:
        """Freeze the clock at a datetime or a string like 2024-02-15T05:47:17Z, by default at the current time."""

    def resume(self) -> None:
        """Let a frozen clock run on from the time at which it was frozen."""

    def skew(self, seconds: Seconds) -> None:
        """Set the clock so far ahead of wall time, behind if negative. Raises ValueError while it is frozen."""


SnapshotOrDocument = Snapshot | dict[str, Any]
"""In-process a `Snapshot`, over HTTP the document of `GET /_emulator/snapshot`."""


@runtime_checkable
class Emulator(Protocol):
    """A running emulator, in this process or, by URL, in another one."""

    url: str
    """Like `http://127.0.0.1:41235`, without a trailing slash; https with TLS."""
    plain_url: str
    """The address without TLS; without TLS the same as `url`."""
    trust: Trust | None
    """The CA of an emulator in this process with TLS, and the files for its clients."""
    folders: tuple[Path, ...]
    """The folders that are searched for scenario files, in this order."""
    spacetime: Spacetime
    intuition: Intuition
    faults: Faults
    stubs: Stubs
    worlds: "Worlds[Emulator]"
    """Other worlds of the same process, each on a port of its own."""
    control_token: str | None
    """What the control routes demand; None where they demand nothing."""

    @checked("stub", request="POST /claims", body="done", headers={"x-request-id": "7"})
    def stub(
        self,
        request: str,
        *,
        json: AnyBody = msgspec.UNSET,
        text: str | None = None,
        body: str | bytes | None = None,
        answer: StubFunction | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        times: int | None = None,
        auth: Auth | None = None,
    ) -> Stub:
        """Answer requests that the emulator does not emulate: `stub("POST /v1/database/chat/call/*", json=[])`.

        In the path `*` is one segment, `**` any number. The body is `json`, `text` (plain text), or `body` (no content
        type but that of `headers`), else empty; the default status is 200. `answer`, a function of the exchange, makes
        the response instead, in-process only. Without `times` there is no limit. `auth` says whose credentials are
        judged first: "spacetime", "intuition" or "none", by default those of the API that has the path. docs/stubs.md
        describes all of it. Raises WrongArgument, also for requests that are emulated: they can have faults.
        """
        given = None if headers is None else dict(headers)
        more = {"status": status, "headers": given, "times": times, "auth": auth, "text": text}
        with judged("stub"):
            found = stub_of(request, json=json, body=body, answer=answer, **more)
            return self.stubs._add(found, answer)

    def stub_reducer(self, database: str, reducer: str) -> None:
        """Have calls of a reducer over a WebSocket succeed; the database is given by its name or its identity.

        Raises WrongArgument when there is no such database.
        """

    @property
    def port(self) -> int:
        return Address(self.url, "").port

    @property
    def seed(self) -> int:
        """The seed of the current world: `serve --seed` and `reset(seed=…)` make the same world again."""

    def env(self) -> dict[str, str]:
        """Environment variables for clients: the URLs, and an API key and a control token, if there are any.

        The key is the scenario's first valid one, else the default one. With TLS the URLs are https, and further
        variables have clients trust its CA (docs/tls.md). Where a proxy is set, `NO_PROXY` names this host too.
        """
        return self._address().env()

    @checked("patch_env")
    def patch_env(self, monkeypatch: Variables) -> None:
        """Set the variables of `env()` in this process, with pytest's `monkeypatch` until the test ends."""
        self._address().patch_env(monkeypatch)

    def ssl_context(self) -> "ssl.SSLContext":
        """For clients in this process, like `ssl=` of aiohttp and `verify=` of httpx: trusts the emulator's CA too.

        It verifies certificates and names as any other. Without TLS it trusts the system's CAs alone.
        """
        return self._address().ssl_context()

    def _address(self) -> Address:
        return Address(self.url, self._first_key(), self.control_token, self.trust)

    def _first_key(self) -> str: ...

    @property
    def actors(self) -> Mapping[str, Actor]:
        """The actors of the scenario by name: `actors["alice"].token`."""

    @property
    def clock(self) -> ClockControl:
        """The clock that both APIs use."""

    @property
    def journal(self) -> ExchangeQueries:
        """The exchanges since the last reset."""

    def reset(self, config: Config | None = None, **settings: Unpack[Settings]) -> None:
        """Replace the world by a new one; for this reset only, of another `config` or with other fields of it.

        A request that was received before finishes in the old world, and is marked `outlived` in its journal. Raises
        Misconfigured; the old world stays then.
        """

    def begin(self, config: Config) -> None:
        """As `reset(config)`; later calls of `reset()` use this config too."""

    def load(self, scenario: Given) -> None:
        """Replace the world by the start of a scenario; later calls of `reset()` return to it.

        `scenario` is a bundled scenario's name, a file (read again at each call), a document, a function, or a list of
        them as layers. Seed, clock and profiles of the config override those of the scenario. Raises Misconfigured with
        all mistakes; the old world stays then.
        """

    def actors_env(self) -> dict[str, str]:
        """Environment variables such as `ALICE_TOKEN` for every actor of the scenario, without crowds."""

    def api_key_of(self, config: Config) -> str:
        """The API key that `env()` would return in a world of this config; no world is changed."""

    def snapshot(self) -> SnapshotOrDocument:
        """The current world, to be restored later. In-process it takes the same time for a world of any size."""

    def restore(self, snapshot: SnapshotOrDocument) -> None:
        """Replace the world by that of a snapshot: its stores, keys, faults, randomness and clock.

        A snapshot can be restored many times. A clock that was running is not set back. The journal is kept. A request
        in flight finishes in the old world, so its effects are lost.
        """

    def abort_requests(self) -> None:
        """Close the connection of every request in flight. Returns at once."""

    @checked("report")
    def report(
        self,
        exchanges: Sequence[Exchange] | None = None,
        *,
        secrets: bool = False,
        lines: int = MOST_LINES,
        size: int = MOST_BYTES,
    ) -> str:
        """What a failed test shows: the world, the refused exchanges and all others, at most `lines` and `size` bytes.

        By default of all exchanges in the journal. Secrets are masked unless `secrets` is true.
        """
        found = self.journal.exchanges if exchanges is None else exchanges
        heading, lost = self._heading()
        return written(found, self.url, heading=heading, lost=lost, secrets=secrets, lines=lines, size=size)

    @checked("report_html", path="report.html", notes=["it was the third request"])
    def report_html(
        self,
        path: Annotated[str | PathLike[str], Judged(_wrong_path)],
        exchanges: Sequence[Exchange] | None = None,
        *,
        title: str = "",
        notes: Sequence[str] = (),
        secrets: bool = False,
    ) -> Path:
        """Write the page of this world and its exchanges as one file, which opens without a server; returns its path.

        By default it has all exchanges in the journal, and at most the last 1,000. `title` and `notes` are shown on
        top. Secrets are masked unless `secrets` is true; then only its owner can read it. Folders are made. Raises
        Misconfigured when it can't be written.
        """
        from emulator.control.report_file import report_page, write_page

        found = self.journal.exchanges if exchanges is None else exchanges
        page = report_page(self, found, title=title, notes=notes, secrets=secrets)
        return write_page(Path(path), page, private=secrets)

    def _heading(self) -> tuple[str, str]:
        """The first line of a report, and the reason if exchanges are missing in the journal, else empty."""

    def _answers(self) -> dict[str, Any]:
        """What the control routes say of the world, by their paths below `/_emulator/`; secrets included."""

    def _inspected(self, token: str, micros: int) -> Mapping[str, Any] | None:
        """What the world says to a token at a time (microseconds); None for what can't be a token."""


@all_checked("")
class LocalEmulator(Emulator):
    def __init__(
        self,
        url: str,
        stage: Stage,
        abort: Callable[[], None],
        control_token: str | None = None,
        *,
        plain_url: str = "",
        trust: Trust | None = None,
        worlds: WorldServers | None = None,
    ) -> None:
        self.url = url
        self.plain_url = plain_url or url
        self.trust = trust
        self.control_token = control_token
        self.stage = stage
        self._abort = abort
        self.folders = (Path(),)
        self.spacetime = LocalSpacetime(stage, url)
        self.intuition = LocalIntuition(stage)
        self.faults = LocalFaults(stage)
        self.stubs = LocalStubs(stage)
        self._servers = worlds or NoWorlds()
        self.worlds: Worlds[Emulator] = LocalWorlds(self._servers, self._beside, self._located)

    def _beside(self, world: OpenWorld) -> "Emulator":
        found = LocalEmulator(world.url, world.stage, world.abort, self.control_token, worlds=self._servers)
        found.folders = self.folders
        return found

    def __repr__(self) -> str:
        world = self.stage.world
        exchanges = counted(len(world.journal), "exchange")
        return f"<Emulator {self.url} seed={world.seed} {world.spacetime.profile.name} {exchanges}>"

    @property
    def actors(self) -> Mapping[str, Actor]:
        return LocalActors(self.stage)

    @property
    def seed(self) -> int:
        return self.stage.world.seed

    @property
    def clock(self) -> Clock:
        return self.stage.settled_world().clock

    @property
    def journal(self) -> ExchangeQueries:
        return self.stage.world.journal

    def reset(self, config: Config | None = None, **settings: Unpack[Settings]) -> None:
        if config is None and not settings:
            self.stage.reset()
        else:
            self.stage.reset(self._located(Config(**settings).over(config or self.stage.config)))

    def begin(self, config: Config) -> None:
        self.stage.begin(self._located(config))

    def load(self, scenario: Given) -> None:
        self.stage.load(self._located(Config(scenario=scenario)).layers)

    def actors_env(self) -> dict[str, str]:
        named = [actor.name for actor in self.stage.settled_world().actors if not actor.crowd]
        return {name: value for each in named for name, value in LocalActor(self.stage, each).env().items()}

    def api_key_of(self, config: Config) -> str:
        return self.stage.beginning(config).api_key

    def _located(self, config: Config) -> Config:
        return located_config(config, self.folders)

    def stub_reducer(self, database: str, reducer: str) -> None:
        with judged("stub_reducer"):
            self.stage.settled_world().spacetime.stub_reducer(database, reducer)

    def _first_key(self) -> str:
        return self.stage.settled_world().api_key

    def _answers(self) -> dict[str, Any]:
        from emulator.control.report_file import answers

        return answers(self.stage, self.url)

    def _inspected(self, token: str, micros: int) -> Mapping[str, Any] | None:
        from emulator.control.report_file import inspected_now

        return inspected_now(token, self.stage.settled_world().spacetime, micros)

    def snapshot(self) -> Snapshot:
        return self.stage.snapshot()

    def restore(self, snapshot: SnapshotOrDocument) -> None:
        if not isinstance(snapshot, Snapshot):
            raise WrongArgument(
                f"restore: snapshot: expected what this emulator's snapshot() returned, got {shown(snapshot)}"
            )
        self.stage.restore(snapshot)

    def abort_requests(self) -> None:
        self._abort()

    def _heading(self) -> tuple[str, str]:
        return heading(self.stage, self.port), self.journal.lost_in_words
