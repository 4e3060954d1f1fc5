"""The pytest plugin of identity-emulator. docs/pytest.md is its manual.

Only pytest is imported at import time, so that test runs that do not use the plugin stay fast. Import types from
`emulator`, not from here.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from emulator import Config, Emulator
    from emulator.pytest_plugin.servers import ServerAddress
    from emulator.pytest_plugin.worlds import Worlds

EXEC = "IDENTITY_EMULATOR_EXEC"
"""Set by `identity-emulator exec`: the URL of the emulator that it started."""


# --- options ----------------------------------------------------------------------------------------------------------

_OF_ITS_SUITE = "with --pyargs emulator.conformance"
CONFORMANCE = {
    "profile": ("NAME", "what the server at the URL is held against: v1, v2.8, … (default: documented)"),
    "jwt-priv-key-path": ("FILE", "the key that signs its tokens, in PEM form"),
    "jwt-pub-key-path": ("FILE", "its public key"),
    "database": ("NAME", "one of its databases"),
    "api-key": ("KEY", "one of its API keys"),
}
"""Options of the cases as tests, which pytest takes from plugins alone: emulator/conformance/test_conformance.py."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("identity-emulator")
    group.addoption(
        "--identity-emulator-url",
        metavar="URL",
        help="use the running emulator at URL instead of starting one, under xdist a world of it for each worker; "
        "{worker} in the URL is replaced by the worker's number",
    )
    group.addoption("--identity-emulator-seed", metavar="N", type=int, help="the seed of every world (default: 0)")
    group.addoption(
        "--identity-emulator-show-secrets",
        action="store_true",
        help="do not mask tokens and API keys in the report of a failed test",
    )
    for name, (metavar, about) in CONFORMANCE.items():
        group.addoption(f"--identity-emulator-conformance-{name}", metavar=metavar, help=f"{_OF_ITS_SUITE}: {about}")
    group.addoption(
        "--identity-emulator-html",
        metavar="DIR",
        help="write the exchanges of each failed test as a page into this folder",
    )
    parser.addini("identity_emulator_url", "like --identity-emulator-url")
    parser.addini("identity_emulator_seed", "like --identity-emulator-seed, with the lowest precedence")
    parser.addini("identity_emulator_scenario", "scenarios for the initial data of every test: names or files")
    parser.addini(
        "identity_emulator_spacetime_profile", "profile of SpacetimeDB's API: documented, v1, v2.8, v2.14 or v2"
    )
    parser.addini("identity_emulator_intuition_profile", "profile of Intuition's API: documented")
    parser.addini("identity_emulator_freeze_at", "freeze every clock at this time, like 2024-02-15T05:47:17Z")
    parser.addini(
        "identity_emulator_reset",
        "when the session's emulator gets a new world: before each test, module or session (default: test)",
        default="test",
    )
    parser.addini(
        "identity_emulator_host", "where the session's emulator listens, one or more (default: 127.0.0.1)", default=""
    )
    parser.addini("identity_emulator_port", "its port, {worker} for the worker's number (default: free)", default="")
    parser.addini("identity_emulator_tls", "serve over TLS too, and give its URL to tests", "bool", default=False)
    parser.addini("identity_emulator_control_token", "what its control routes demand", default="")
    parser.addini("identity_emulator_journal_size", "most exchanges in a journal (default: 10000)")
    parser.addini("identity_emulator_journal_bytes", "most bytes in a journal (default: 33554432)")
    parser.addini("identity_emulator_report_lines", "most lines in the report of a failed test (default: 200)")
    parser.addini("identity_emulator_report_bytes", "most bytes in the report of a failed test (default: 20000)")
    parser.addini("identity_emulator_strict", "fail tests with requests to unknown paths", "bool", default=True)
    parser.addini("identity_emulator_strict_ignore", "paths that strict mode ignores, one per line", "linelist")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "identity_emulator(scenario=…, seed=…, spacetime_profile=…, intuition_profile=…, freeze_at=…, strict=…, "
        "strict_ignore=…): settings of this test's emulator, and whether a request to an unknown path fails the test",
    )
    _check_names()
    if getattr(config.option, "numprocesses", None):
        _check_for_workers(config)
    if folder := config.getoption("identity_emulator_html"):
        _check_folder(config.invocation_params.dir / folder)
    config.stash[TESTS] = _Tests(config)
    config.pluginmanager.register(config.stash[TESTS], "identity_emulator_tests")
    # Loaded by its entry point, or by `-p pytest_aiohttp.plugin`.
    with_aiohttp = any(map(config.pluginmanager.has_plugin, ("aiohttp", "pytest_aiohttp.plugin")))
    if with_aiohttp and not _other_package():
        config.pluginmanager.import_plugin("emulator.pytest_plugin.aiohttp_fixture")


def _check_for_workers(config: pytest.Config) -> None:
    port = config.getini("identity_emulator_port").strip()
    if port not in {"", "0"} and "{worker}" not in port:
        raise pytest.UsageError(
            "identity_emulator_port needs {worker} in it under xdist, since each worker has a server of its own: "
            "write it like 300{worker}"
        )


def _check_folder(path: Path) -> None:
    """It is made when a first test fails, unless a file is in its place."""
    with suppress(OSError, ValueError):  # what else is wrong with the name is said when a page is written
        there = next(each for each in (path, *path.parents) if each.exists())
        if not there.is_dir():
            raise pytest.UsageError(f"--identity-emulator-html is a folder for pages, and {there} is a file")


def _url_option(config: pytest.Config) -> str:
    url: str = config.getoption("identity_emulator_url") or config.getini("identity_emulator_url")
    return url


def _url(config: pytest.Config) -> tuple[str, str]:
    """The URL of a running emulator, and who named it; empty when the session has one of its own."""
    if url := _url_option(config):
        return url, "--identity-emulator-url" if config.getoption("identity_emulator_url") else "the ini file"
    # Workers would reset each other's data, and there is one of `exec` for all of them.
    workers = hasattr(config, "workerinput") or getattr(config.option, "numprocesses", None)
    return ("" if workers else os.environ.get(EXEC, "")), "identity-emulator exec"


def pytest_report_header(config: pytest.Config) -> str:
    """Which emulator the run uses."""
    url, source = _url(config)
    if url:
        hidden = url.rpartition("@")[2] if "@" in url else url.partition("://")[2]
        scheme = "https" if url.lower().startswith("https://") else "http"
        return f"identity-emulator: {scheme}://{ascii(hidden)[1:-1]} (from {source})"
    each = "one for each worker" if getattr(config.option, "numprocesses", None) else "one for this run"
    left = " (IDENTITY_EMULATOR_URL is not used; --identity-emulator-url is)"
    unused = left if "IDENTITY_EMULATOR_URL" in os.environ and EXEC not in os.environ else ""
    return f"identity-emulator: {each}, started when a test needs it{unused}"


# --- which test runs --------------------------------------------------------------------------------------------------

_RANK = {"session": 0, "package": 1, "module": 2, "class": 3, "function": 4}
_CALL = 5


class _Tests:
    """Which test runs, and how far: what it costs a session that uses no emulator.

    A plugin of its own, registered after those that run tests again: its reports are the last.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._item: pytest.Item | None = None
        self._rank = 0
        """Of the narrowest fixture that was set up for it."""
        self._worlds: Worlds | None = None
        self._failed: set[str] = set()
        """The tests of which a failure was reported, until their teardown is."""

    def worlds(self) -> Worlds:
        """What knows the emulators; the first call imports it."""
        if self._worlds is None:
            _load()
            from emulator.pytest_plugin.worlds import Worlds

            assert self._item is not None, "fixtures are set up for a test"
            self._worlds = Worlds(self._config, self._item)
        return self._worlds

    def _is_within(self, scope: str) -> bool:
        return self._rank >= _RANK.get(scope, inf)

    def catch_up(self) -> None:
        """For an emulator that is started in the middle of a test."""
        self.worlds().catch_up(self._is_within)

    def _reached(self, rank: int) -> None:
        if rank > self._rank:
            self._rank = rank
            if self._worlds is not None:
                self._worlds.reached(self._is_within)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        self._item, self._rank = item, 0
        if self._worlds is not None:
            self._worlds.attempt_begins(item)
        result = yield
        self._reached(_CALL)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
        try:
            self._reached(_RANK[request.scope])
        except BaseException as error:
            # As for an error in the fixture itself; without it pytest would not finish the fixture
            # (`FixtureDef.finish` in _pytest/fixtures.py, 8.3 to 9.2).
            fixturedef.cached_result = (None, fixturedef.cache_key(request), (error, error.__traceback__))  # type: ignore[arg-type]
            raise

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Fail a test that requested an unknown path. In teardown pytest would report it as an error, not as failed."""
        result = yield
        if self._worlds is not None:
            self._worlds.fail_for_unmatched()
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        if self._worlds is not None:
            self._worlds.teardown_begins()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add what came in, as sections, and as a property for junit XML, which has no sections."""
        if call.excinfo is not None:
            _explain_scope(call.excinfo.value)
        report = yield
        if self._worlds is not None:
            self._worlds.reported(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Leave the property to the last of several attempts: junit XML lists each of them, with its teardown's."""
        if report.failed:
            self._failed.add(report.nodeid)
        if report.when == "teardown":
            if report.nodeid not in self._failed:
                kept = [each for each in report.user_properties if each[0] != "identity_emulator"]
                report.user_properties[:] = kept
            self._failed.discard(report.nodeid)


TESTS: pytest.StashKey[_Tests] = pytest.StashKey()


def _worlds(request: pytest.FixtureRequest) -> Worlds:
    return request.config.stash[TESTS].worlds()


def _explain_scope(error: BaseException) -> None:
    """Say what a fixture of wider scope can ask for instead."""
    message = getattr(error, "msg", None)
    narrow = ("identity_emulator", "make_identity_emulator", "identity_emulator_client")
    if not isinstance(error, pytest.fail.Exception) or not str(message).startswith("ScopeMismatch"):
        return
    if any(f" fixture {name} " in str(message) for name in narrow):
        from emulator.pytest_plugin.servers import with_scope_hint

        error.msg = with_scope_hint(str(message))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Requests to unknown paths in the teardown of tests that passed: they could not fail them any more."""
    found = {
        report.nodeid: text
        for report in terminalreporter.stats.get("", ())
        for title, text in getattr(report, "sections", ())
        if title == "identity emulator, unmatched in teardown"
    }
    if found:
        terminalreporter.section("identity emulator: unknown paths in teardowns")
    for nodeid, text in found.items():
        terminalreporter.write_line(f"{nodeid}: {text}")


# --- the names of this package ----------------------------------------------------------------------------------------


def _check_names() -> None:
    """Refuse to take the place of a user's own plugin of the same name."""
    from identity_emulator_names import found_elsewhere, in_their_place

    if theirs := found_elsewhere("conftest_plugin"):
        raise pytest.UsageError(in_their_place(theirs, __file__))


def _other_package() -> str | None:
    from identity_emulator_names import imported_instead

    return imported_instead("emulator")


def _load() -> None:
    """Import what the fixtures need. Fails a test that gets another package than ours as `emulator`."""
    from identity_emulator_names import in_our_place

    if theirs := _other_package():
        raise pytest.fail.Exception(in_our_place("emulator", theirs), pytrace=False)
    from emulator.core.fake_files import real_files

    with real_files():  # pyfakefs forgets modules that are imported while it is on, and their classes are others then
        import emulator.pytest_plugin.worlds  # noqa: F401


# --- fixtures ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def identity_emulator_config() -> Config:
    """The default settings of emulators. Override it to return your own `emulator.Config`."""
    _load()
    from emulator import Config

    return Config()


@pytest.fixture(scope="session")
def _identity_emulator_session(request: pytest.FixtureRequest, identity_emulator_config: Config) -> Iterator[Emulator]:
    """The session's emulator: started here, or running elsewhere. Each test begins with a new world."""
    url, _ = _url(request.config)
    with _worlds(request).session_running(url, identity_emulator_config) as emulator:
        request.config.stash[TESTS].catch_up()
        yield emulator


@pytest.fixture(scope="session")
def identity_emulator_server(
    request: pytest.FixtureRequest, _identity_emulator_session: Emulator, identity_emulator_config: Config
) -> ServerAddress:
    """The session's server for fixtures of wider scope: `.url`, `.port`, `.env()`. Its world is new in each test."""
    from emulator.pytest_plugin.servers import ServerAddress
    from emulator.pytest_plugin.settings import one_line_failures, session_config

    emulator = _identity_emulator_session
    with one_line_failures():
        key = emulator.api_key_of(session_config(request.config, identity_emulator_config))
        return ServerAddress(emulator.url, key, emulator.control_token, emulator.trust)


@pytest.fixture(scope="session")
def identity_emulator_factory(
    request: pytest.FixtureRequest, identity_emulator_config: Config
) -> Callable[..., AbstractContextManager[Emulator]]:
    """`with identity_emulator_factory(seed=7) as emulator: yield emulator`: a world for a fixture of any scope."""
    return _worlds(request).factory(identity_emulator_config)


@pytest.fixture
def identity_emulator(
    request: pytest.FixtureRequest, _identity_emulator_session: Emulator, identity_emulator_config: Config
) -> Iterator[Emulator]:
    """An `Emulator`: the session's server, whose world is this test's."""
    from emulator.pytest_plugin.settings import wrong

    if "identity_emulator_client" in request.fixturenames:
        raise wrong(
            "a test has identity_emulator or identity_emulator_client, not both: they are two emulators. "
            "The client's own is `identity_emulator_client.emulator`"
        )
    _worlds(request).check_asked(request.node, identity_emulator_config)
    yield _identity_emulator_session
    _identity_emulator_session.abort_requests()


@pytest.fixture
def make_identity_emulator(
    request: pytest.FixtureRequest, identity_emulator_config: Config
) -> Iterator[Callable[..., Emulator]]:
    """A factory for more servers: `make_identity_emulator(seed=7)`. All are stopped at the end of the test."""
    worlds = _worlds(request)
    worlds.check_markers()
    from emulator.pytest_plugin.settings import folders_of, one_line_failures, world_config

    with ExitStack() as stack:

        def make(**settings: Any) -> Emulator:
            with one_line_failures():
                below = world_config(request.node, identity_emulator_config)
            running = worlds.running(settings, below, folders_of(request.node), "make_identity_emulator")
            return stack.enter_context(running)

        yield make


@pytest.fixture
def _identity_emulator_watch(request: pytest.FixtureRequest) -> Callable[[Emulator], AbstractContextManager[None]]:
    """Includes an emulator in the test's report and its strict mode; for fixtures in other modules."""
    return _worlds(request).watching


@pytest.fixture
def identity_emulator_client() -> None:
    """An aiohttp `TestClient` on an emulator in the test's own event loop. Needs pytest-aiohttp."""
    from emulator.pytest_plugin.settings import wrong

    raise wrong(
        "identity_emulator_client needs pytest-aiohttp: pip install 'identity-emulator[pytest-aiohttp]'. "
        "With any other event loop plugin, or none, use identity_emulator and its .url"
    )
