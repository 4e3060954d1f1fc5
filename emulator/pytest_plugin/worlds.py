"""Worlds and exchanges of a pytest session: each test begins with a new world, what came in while it ran is its own.

A test that is run again (pytest-rerunfailures, pytest-retry, flaky) makes several attempts; nothing is remembered
beyond one.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from sys import _getframe
from typing import Any, NamedTuple

import pytest

from emulator.control.emulator import Emulator, LocalEmulator
from emulator.control.recording import Recording, recording_of
from emulator.control.remote import RemoteEmulator, state_of
from emulator.core.errors import Misconfigured
from emulator.journal.exchange import Exchange
from emulator.journal.masking import readable
from emulator.journal.queries import matches_any
from emulator.pytest_plugin.sections import SECTION, TEARDOWN, UNMATCHED, html_name, property_of, section, written_page
from emulator.pytest_plugin.servers import Place, booted, place_of_session, reached, split
from emulator.pytest_plugin.settings import (
    MARKER,
    Strictness,
    folders_of,
    one_line_failures,
    report_limits,
    session_config,
    strictness_of,
    world_config,
    wrong,
)
from emulator.scenario.locate import located_config
from emulator.world.config import Config

RESET_BEFORE = {"test": "function", "module": "module", "session": ""}
"""The values of `identity_emulator_reset`, and the widest fixtures that are set up after a reset; none is empty."""

_SESSION = "_identity_emulator_session"
_FACTORIES = frozenset({"identity_emulator_factory", "make_identity_emulator"})
_MOST_NAMED = 3
"""Requests of wider fixtures that a report names."""


class Watched(NamedTuple):
    """An emulator that the plugin made, and what came in there since the attempt began."""

    emulator: Emulator
    recording: Recording


class Attempt:
    """One run of a test."""

    def __init__(self, item: pytest.Item) -> None:
        self.item = item
        self.begun = False
        """Whether its world has begun."""
        self.failed = False
        self.error: BaseException | None = None
        """Why its world could not begin when the session's emulator was started in the middle of it."""
        self.made: list[Emulator] = []
        """The emulators that were made while it ran."""
        self.ended: list[Watched] = []
        """Those that were stopped while it ran."""
        self.marks: list[tuple[Watched, object]] = []
        """Where its teardown began."""
        self.properties: list[tuple[str, object]] = []
        """For junit XML."""
        self._strictness: Strictness | None = None

    @property
    def strictness(self) -> Strictness:
        if self._strictness is None:
            self._strictness = strictness_of(self.item)
        return self._strictness

    def asked_for(self, emulator: Emulator, session: Emulator | None) -> bool:
        """Whether the test names the emulator, or has made it."""
        names = getattr(self.item, "fixturenames", ())
        return emulator in self.made or (
            _SESSION in names if emulator is session else any(name in names for name in _FACTORIES)
        )


class Worlds:
    """The emulators of a session, told by `conftest_plugin` what pytest does."""

    def __init__(self, config: pytest.Config, item: pytest.Item) -> None:
        self._config = config
        self._worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
        self.session: SessionWorld | None = None
        self._watched: list[Watched] = []
        self._attempt = Attempt(item)
        self._reset_before = _reset_before(config)
        self._configs = _Configs()

    # --- emulators ----------------------------------------------------------------------------------------------------

    @contextmanager
    def session_running(self, url: str, given: Config) -> Iterator[Emulator]:
        """The session's emulator: started here, or running at a URL."""
        with ExitStack() as stack:
            with one_line_failures():
                config = session_config(self._config, given)
                if url:
                    emulator: Emulator = stack.enter_context(reached(url, self._config, self._worker, config))
                    emulator.folders = (self._config.rootpath,)
                    emulator.begin(config)
                else:
                    emulator = stack.enter_context(booted(config, self._place()))
            watched = self._watch(emulator, stack)
            self.session = SessionWorld(watched, given, config)
            yield emulator
            self.session = None

    def _place(self) -> Place:
        return place_of_session(self._config, self._worker)

    def factory(self, given: Config) -> Callable[..., AbstractContextManager[Emulator]]:
        """`with factory(seed=7) as emulator:`, for fixtures of any scope. Files are searched beside the caller's."""

        def identity_emulator_factory(**settings: Any) -> AbstractContextManager[Emulator]:
            beside = Path(_getframe(1).f_code.co_filename).parent
            with one_line_failures():
                below = session_config(self._config, given)
            return self.running(settings, below, (beside, self._config.rootpath), "identity_emulator_factory")

        return identity_emulator_factory

    @contextmanager
    def running(
        self, settings: dict[str, Any], below: Config, folders: tuple[Path, ...], where: str
    ) -> Iterator[Emulator]:
        """An emulator more, of these keywords, over the config `below`."""
        with ExitStack() as stack:
            with one_line_failures():
                own, place = split(settings, self._place(), where)
                emulator = stack.enter_context(booted(located_config(own, folders).over(below), place))
            emulator.folders = folders
            self._watch(emulator, stack)
            yield emulator

    @contextmanager
    def watching(self, emulator: Emulator) -> Iterator[None]:
        """Count an emulator that was made elsewhere among those of the plugin."""
        with ExitStack() as stack:
            self._watch(emulator, stack)
            yield

    def _watch(self, emulator: Emulator, stack: ExitStack) -> Watched:
        watched = Watched(emulator, recording_of(emulator))
        self._watched.append(watched)
        self._attempt.made.append(emulator)
        stack.callback(self._forget, watched)
        return watched

    def _forget(self, watched: Watched) -> None:
        watched.recording.end()
        self._watched = [each for each in self._watched if each is not watched]
        self._attempt.ended.append(watched)

    # --- worlds -------------------------------------------------------------------------------------------------------

    def attempt_begins(self, item: pytest.Item) -> None:
        """Before the fixtures of a test, wider ones too, are set up."""
        self._attempt = Attempt(item)
        for each in self._watched:
            each.recording.begin()
        if self.session is not None:
            self.session.attempt_begins()

    def reached(self, is_within: Callable[[str], bool]) -> None:
        """Before the first fixture of a narrower scope is set up, or the test is called."""
        if self.session is not None and not self._attempt.begun and is_within(self._reset_before):
            with one_line_failures():
                self._begin(self.session)
            self._attempt.begun = True

    def catch_up(self, is_within: Callable[[str], bool]) -> None:
        """As `reached`; the test fails for wrong settings, the fixture of the session's emulator does not."""
        try:
            self.reached(is_within)
        except pytest.fail.Exception as error:
            self._attempt.error = error

    def _begin(self, session: "SessionWorld") -> None:
        item = self._attempt.item
        node = _module_of(item) if self._reset_before == "module" else item
        if node is session.begun_for and node is not item:
            return
        asked = self._attempt.asked_for(session.emulator, session.emulator)
        self.check_markers()
        session.begin(self._configs.of(node, _config_of(item, session.given)), node, asked=asked)

    def check_asked(self, item: pytest.Item, config: Config) -> None:
        """Fail a test whose own settings need a world that a wider `identity_emulator_reset` does not give it."""
        if self._attempt.error is not None:
            raise self._attempt.error
        session = self.session
        if self._reset_before == "function" or session is None:
            return
        with one_line_failures():
            wanted = world_config(item, config)
        other = [name for name, value in vars(wanted).items() if value != getattr(session.config, name)]
        if other:
            name = self._config.getini("identity_emulator_reset")
            raise wrong(
                f"this test has its own {', '.join(other)}, and identity_emulator_reset = {name} keeps one world for "
                f"the {name}: say it there, or make_identity_emulator({other[0]}=…) in the test"
            )

    # --- the end of a test --------------------------------------------------------------------------------------------

    def fail_for_unmatched(self) -> None:
        """Fail a test that sent a request that neither API knows."""
        if self._attempt.error is not None:
            raise self._attempt.error
        if reasons := [reason for each in self._of_attempt() for reason in self._unmatched(each)]:
            hint = "intended? @pytest.mark.identity_emulator(strict=False), or strict_ignore=[…]"
            pytest.fail("\n".join([*dict.fromkeys(reasons), hint]), pytrace=False)

    def _unmatched(self, watched: Watched, exchanges: Sequence[Exchange] | None = None) -> list[str]:
        if not watched.recording.received or not self._attempt.strictness.strict:
            return []
        try:
            found = watched.recording.exchanges if exchanges is None else exchanges
        except Misconfigured:  # a remote emulator that has stopped
            return []
        ignored = self._attempt.strictness.ignored
        unknown = [each for each in found if not each.matched and not matches_any(each.path, ignored)]
        return [readable(each.why) for each in unknown]

    def check_markers(self) -> None:
        """Fail a test with wrong keywords for strict mode."""
        assert self._attempt.strictness

    def _of_attempt(self) -> list[Watched]:
        return [*self._watched, *self._attempt.ended]

    def teardown_begins(self) -> None:
        self._attempt.marks = [(each, each.recording.mark()) for each in self._of_attempt()]

    def reported(self, report: pytest.TestReport) -> None:
        """Add to a report what came in; the last one of an attempt ends it."""
        attempt = self._attempt
        if report.failed and not attempt.failed:
            attempt.failed = True
            for number, watched in enumerate(self._of_attempt(), start=1):
                self._add_section(report, watched, number)
            report.user_properties.extend(attempt.properties)
        if report.when == "teardown":
            self._add_teardown(report)
            self._attempt = Attempt(attempt.item)

    def _add_section(self, report: pytest.TestReport, watched: Watched, number: int) -> None:
        """What came in before the teardown; `number` is that of the emulator."""
        try:
            whole = watched.recording.exchanges
            later = len(self._in_teardown(watched))
        except Misconfigured as error:  # a remote emulator that has stopped
            report.sections.append((SECTION, str(error)))
            return
        session = self.session.emulator if self.session else None
        asked = report.when != "setup" and self._attempt.asked_for(watched.emulator, session)
        if not whole and not asked:
            return
        lost = self.session.lost if self.session and watched.emulator is session else ()
        exchanges = whole[: len(whole) - later]
        page = self._page(report, watched, exchanges, lost, number)
        text = "\n".join([self._section(watched.emulator, exchanges, lost), *page])
        report.sections.append((SECTION, text))
        self._attempt.properties.append(property_of(whole))

    def _in_teardown(self, watched: Watched) -> list[Exchange]:
        marks = [mark for each, mark in self._attempt.marks if each is watched]
        return watched.recording.since(marks[0]) if marks else []

    def _section(self, emulator: Emulator, exchanges: Sequence[Exchange], lost: Sequence[str]) -> str:
        secrets = bool(self._config.getoption("identity_emulator_show_secrets"))
        return section(emulator, exchanges, lost, report_limits(self._config), secrets=secrets)

    def _page(
        self,
        report: pytest.TestReport,
        watched: Watched,
        exchanges: Sequence[Exchange],
        lost: Sequence[str],
        number: int,
    ) -> list[str]:
        """Where the page of a failed test is, if there is to be one."""
        folder = self._config.getoption("identity_emulator_html")
        if not folder:
            return []
        secrets = bool(self._config.getoption("identity_emulator_show_secrets"))
        path = self._config.invocation_params.dir / folder / html_name(report.nodeid, number)
        return [written_page(watched.emulator, exchanges, lost, path, report, secrets=secrets)]

    def _add_teardown(self, report: pytest.TestReport) -> None:
        """Requests of a teardown come too late for the report of the test, which pytest has printed by then."""
        attempt = self._attempt
        for watched, mark in attempt.marks:
            if watched.recording.mark() == mark:
                continue
            with suppress(Misconfigured):
                if not (exchanges := self._in_teardown(watched)):
                    continue
                if attempt.failed:
                    report.sections.append((TEARDOWN, self._section(watched.emulator, exchanges, ())))
                elif reasons := self._unmatched(watched, exchanges):
                    report.sections.append((UNMATCHED, "\n".join(dict.fromkeys(reasons))))
        known = [each for each in attempt.properties if each not in report.user_properties]
        report.user_properties.extend(known)


class SessionWorld:
    """The world of the session's emulator."""

    def __init__(self, watched: Watched, given: Config, config: Config) -> None:
        self.emulator = watched.emulator
        self.given = given
        """What the config fixture returned when it was started."""
        self.config = config
        """Of the current world."""
        self.begun_for: pytest.Item | pytest.Collector | None = None
        self.lost: list[str] = []
        """What wider fixtures requested, in worlds that are gone."""
        self._recording = watched.recording
        self._clean = self._changes = self._changed_elsewhere()

    def _changed_elsewhere(self) -> int:
        """Control calls over HTTP; 0 where nobody answers."""
        if isinstance(self.emulator, LocalEmulator):
            return self.emulator.stage.changes
        with suppress(Misconfigured):
            return state_of(self._remote).changes
        return 0

    @property
    def _remote(self) -> RemoteEmulator:
        assert isinstance(self.emulator, RemoteEmulator)
        return self.emulator

    def attempt_begins(self) -> None:
        self._changes = self._changed_elsewhere()

    def begin(self, config: Config, node: pytest.Item | pytest.Collector, *, asked: bool) -> None:
        """A new world of this config. Raises Misconfigured."""
        self._note_lost(node)
        self.emulator.folders = folders_of(node)
        if isinstance(self.emulator, LocalEmulator):
            self.emulator.begin(config)
        elif not self._begin_remote(config, asked=asked):
            return
        self.config, self.begun_for = config, node

    def _begin_remote(self, config: Config, *, asked: bool) -> bool:
        """Whether the world is as new: it is replaced only if something reached it, or a script's times run in it."""
        try:
            requests, changes = state_of(self._remote)
        except Misconfigured:
            if asked:
                raise
            return False
        untouched = (config, requests, changes) == (self.config, 0, self._clean)
        if not untouched or (asked and config.scenario):
            self._remote.begin(config)
            self._clean = state_of(self._remote).changes
        return True

    def _note_lost(self, node: pytest.Item | pytest.Collector) -> None:
        """Remember the requests of wider fixtures, which changed a world that is now replaced."""
        changed = [each for each in self._sent() if each.method not in _READING and each.status < 400]
        names = [f"{each.method} {readable(each.path, 100)}" for each in changed]
        if self._changed_elsewhere() > self._changes:
            names.append("calls under /_emulator")
        for name in dict.fromkeys(names):
            if len(self.lost) < _MOST_NAMED and not any(each.startswith(f"{name} (") for each in self.lost):
                self.lost.append(f"{name} (before {node.nodeid})")

    def _sent(self) -> list[Exchange]:
        with suppress(Misconfigured):
            return self._recording.exchanges if self._recording.received else []
        return []


class _Configs:
    """The configs of tests. Those of tests without a marker are made once for each folder and config fixture."""

    def __init__(self) -> None:
        self._made: dict[tuple[Path, int], tuple[object, Config]] = {}

    def of(self, node: pytest.Item | pytest.Collector, given: object) -> Config:
        """Raises Misconfigured."""
        if next(node.iter_markers(MARKER), None) is not None:
            return world_config(node, given)
        key = (node.path.parent, id(given))
        if key not in self._made:
            self._made[key] = given, world_config(node, given)
        return self._made[key][1]


_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def _reset_before(config: pytest.Config) -> str:
    value = config.getini("identity_emulator_reset")
    if value not in RESET_BEFORE:
        raise wrong(f"identity_emulator_reset is {value!r}; it is one of {', '.join(RESET_BEFORE)}")
    return RESET_BEFORE[value]


def _module_of(item: pytest.Item) -> pytest.Item | pytest.Collector:
    return item.getparent(pytest.Module) or item


def _config_of(item: pytest.Item, default: Config) -> object:
    """What the config fixture returns for a test; items without fixtures have the session's."""
    request = getattr(item, "_request", None)
    return request.getfixturevalue("identity_emulator_config") if request else default
