"""The pytest plugin of identity-emulator. docs/pytest.md is its manual.

Only pytest is imported at import time, so that test runs that do not use the plugin stay fast. Import types from
`emulator`, not from here.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from emulator import Config, Emulator
    from emulator.control.emulator import Address
    from emulator.pytest_plugin.settings import Watched

WATCHED: pytest.StashKey[list[Watched]] = pytest.StashKey()
"""The emulators that a test uses."""


# --- options ----------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("identity-emulator")
    group.addoption(
        "--identity-emulator-url",
        metavar="URL",
        help="use the running emulator at URL instead of starting one; under xdist the URL needs {worker}, "
        "which is replaced by the worker's number",
    )
    group.addoption("--identity-emulator-seed", metavar="N", type=int, help="the seed of every world (default: 0)")
    group.addoption(
        "--identity-emulator-show-secrets",
        action="store_true",
        help="do not mask tokens and API keys in the report of a failed test",
    )
    parser.addini("identity_emulator_url", "like --identity-emulator-url")
    parser.addini("identity_emulator_seed", "like --identity-emulator-seed, with the lowest precedence")
    parser.addini("identity_emulator_scenario", "scenarios for the initial data of every test: names or files")
    parser.addini(
        "identity_emulator_spacetime_profile", "profile of SpacetimeDB's API: documented, v1, v2.8, v2.14 or v2"
    )
    parser.addini("identity_emulator_intuition_profile", "profile of Intuition's API: documented")
    parser.addini("identity_emulator_freeze_at", "freeze every clock at this time, like 2024-02-15T05:47:17Z")
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
    url = _url_option(config)
    if url and "{worker}" not in url and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError(
            "--identity-emulator-url needs {worker} in it under xdist, or the workers would reset each other's data: "
            "start one emulator for each, like http://127.0.0.1:300{worker}"
        )
    # Loaded by its entry point, or by `-p pytest_aiohttp.plugin`.
    if any(map(config.pluginmanager.has_plugin, ("aiohttp", "pytest_aiohttp.plugin"))):
        config.pluginmanager.import_plugin("emulator.pytest_plugin.aiohttp_fixture")


def _url_option(config: pytest.Config) -> str:
    url: str = config.getoption("identity_emulator_url") or config.getini("identity_emulator_url")
    return url


# --- fixtures ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def identity_emulator_config() -> Config:
    """The default settings of emulators. Override it to return your own `emulator.Config`."""
    from emulator import Config

    return Config()


@pytest.fixture(scope="session")
def _identity_emulator_session(pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """The session's emulator: started here, or running elsewhere. Each test gives it a new world."""
    from emulator import Config
    from emulator.pytest_plugin.settings import one_line_failures

    url = _url_option(pytestconfig)
    with ExitStack() as stack:
        with one_line_failures():
            emulator = _remote(url) if url else stack.enter_context(_booted(Config()))
        yield emulator


@pytest.fixture(scope="session")
def identity_emulator_server(
    request: pytest.FixtureRequest, _identity_emulator_session: Emulator, identity_emulator_config: Config
) -> Address:
    """The session's server for fixtures of wider scope: `.url`, `.port`, `.env()`. Its data is reset for each test."""
    from emulator.control.emulator import Address
    from emulator.pytest_plugin.settings import one_line_failures, session_config

    with one_line_failures():
        config = session_config(request.config, identity_emulator_config)
        return Address(_identity_emulator_session.url, _identity_emulator_session.api_key_of(config))


@pytest.fixture
def identity_emulator(
    request: pytest.FixtureRequest, _identity_emulator_session: Emulator, identity_emulator_config: Config
) -> Iterator[Emulator]:
    """An `Emulator`: the session's server, reset to the settings of this test."""
    from emulator.pytest_plugin.settings import folders_of, one_line_failures, world_config, wrong

    if "identity_emulator_client" in request.fixturenames:
        raise wrong(
            "a test has identity_emulator or identity_emulator_client, not both: they are two emulators. "
            "The client's own is `identity_emulator_client.emulator`"
        )
    emulator = _identity_emulator_session
    with one_line_failures():
        emulator.folders = folders_of(request)
        emulator.begin(world_config(request, identity_emulator_config))
    watch(request, emulator)
    yield emulator
    emulator.abort_requests()


@pytest.fixture
def make_identity_emulator(
    request: pytest.FixtureRequest, identity_emulator_config: Config
) -> Iterator[Callable[..., Emulator]]:
    """A factory for more servers: `make_identity_emulator(seed=7)`. All are stopped at the end of the test."""
    from emulator.pytest_plugin.settings import config_from, folders_of, one_line_failures, world_config
    from emulator.scenario.locate import located_config

    with ExitStack() as stack:

        def make(**settings: Any) -> Emulator:
            with one_line_failures():
                own = located_config(config_from(settings, "make_identity_emulator"), folders_of(request))
                config = own.over(world_config(request, identity_emulator_config))
                emulator = stack.enter_context(_booted(config))
            emulator.folders = folders_of(request)
            watch(request, emulator)
            return emulator

        yield make


@pytest.fixture
def _identity_emulator_watch(request: pytest.FixtureRequest) -> Callable[[Emulator], None]:
    """Includes an emulator in the test's report and its strict mode; for fixtures in other modules."""
    return partial(watch, request)


@pytest.fixture
def identity_emulator_client() -> None:
    """An aiohttp `TestClient` on an emulator in the test's own event loop. Needs pytest-aiohttp."""
    from emulator.pytest_plugin.settings import wrong

    raise wrong(
        "identity_emulator_client needs pytest-aiohttp: pip install 'identity-emulator[pytest-aiohttp]'. "
        "With any other event loop plugin, or none, use identity_emulator and its .url"
    )


@contextmanager
def _booted(config: Config) -> Iterator[Emulator]:
    from emulator import running_in_thread

    with running_in_thread(config) as emulator:
        yield emulator


def watch(request: pytest.FixtureRequest, emulator: Emulator) -> None:
    """Include this emulator in the test's report and its strict mode."""
    from emulator.pytest_plugin.settings import watched

    request.node.stash.setdefault(WATCHED, []).append(watched(request, emulator))


def _remote(url: str) -> Emulator:
    from emulator.control.remote import RemoteEmulator
    from emulator.pytest_plugin.settings import control_token_in

    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    emulator = RemoteEmulator(url.strip().replace("{worker}", worker), control_token_in(os.environ))
    emulator.reset()
    return emulator


# --- report of a failed test ------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that requested an unknown path. In teardown pytest would report it as an error, not as failed."""
    yield
    for watched in item.stash.get(WATCHED, ()):
        if watched.strict:
            _fail_for_unmatched(watched)


def _fail_for_unmatched(watched: Watched) -> None:
    unmatched = watched.emulator.journal.unmatched
    if not unmatched:
        return
    from emulator.journal.masking import readable
    from emulator.journal.queries import matches_any

    reasons = [
        readable(exchange.why) for exchange in unmatched if not matches_any(exchange.path, watched.strict_ignore)
    ]
    if reasons:
        hint = "intended? @pytest.mark.identity_emulator(strict=False), or strict_ignore=[…]"
        pytest.fail("\n".join([*dict.fromkeys(reasons), hint]), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add a section with the test's exchanges, and a property with a summary for junit XML, which has no sections."""
    report = yield
    watched = item.stash.get(WATCHED, None)
    if report.failed and watched:
        _add_exchanges(item, report, watched)
    return report


def _add_exchanges(item: pytest.Item, report: pytest.TestReport, watched: list[Watched]) -> None:
    from emulator import Misconfigured
    from emulator.journal.report import short
    from emulator.pytest_plugin.settings import report_limits

    secrets = item.config.getoption("identity_emulator_show_secrets")
    for emulator, _, _ in watched:
        try:
            exchanges = emulator.journal.exchanges
        except Misconfigured as error:  # a remote emulator that has stopped
            report.sections.append(("identity emulator", str(error)))
            continue
        text = emulator.report(exchanges, secrets=secrets, **report_limits(item.config))
        waiting = [f"fault not done: {fault!r}" for fault in emulator.faults if not fault.done]
        report.sections.append(("identity emulator", "\n".join([text, *waiting])))
        if report.when != "teardown":
            # pytest writes the properties of the teardown's report to junit XML, which are the item's.
            item.user_properties.append(("identity_emulator", short(exchanges)))
            report.user_properties.append(("identity_emulator", short(exchanges)))
