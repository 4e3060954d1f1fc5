"""The pytest plugin of identity-emulator. docs/pytest.md is its manual.

Only pytest is imported here: whoever has the plugin installed and does not use it pays for nothing else. Types are
imported from `emulator`, never from here.
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

CONTROL_TOKEN = "IDENTITY_EMULATOR_CONTROL_TOKEN"


WATCHED: pytest.StashKey[list[Watched]] = pytest.StashKey()
"""The emulators a test uses. Kept here, so that a run without any need not import what they are."""


# --- options ----------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("identity-emulator")
    group.addoption(
        "--identity-emulator-url",
        metavar="URL",
        help="use the emulator that runs there instead of booting one; under xdist it needs {worker} in it, "
        "which is replaced by the worker's number",
    )
    group.addoption("--identity-emulator-seed", metavar="N", type=int, help="the seed of every world (default: 0)")
    group.addoption(
        "--identity-emulator-show-secrets",
        action="store_true",
        help="leave tokens and API keys in the report of a failed test as they are",
    )
    parser.addini("identity_emulator_url", "as --identity-emulator-url")
    parser.addini("identity_emulator_seed", "as --identity-emulator-seed, but below every other source of a seed")
    parser.addini("identity_emulator_scenario", "what every world holds at its beginning")
    parser.addini("identity_emulator_spacetime_profile", "documented, v1 or v2")
    parser.addini("identity_emulator_intuition_profile", "documented")
    parser.addini("identity_emulator_freeze_at", "the moment every clock stands at, like 2024-02-15T05:47:17Z")
    parser.addini("identity_emulator_strict", "fail tests that ask for a path neither API has", "bool", default=True)
    parser.addini("identity_emulator_strict_ignore", "paths that are no such failure, one a line", "linelist")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "identity_emulator(scenario=…, seed=…, spacetime_profile=…, intuition_profile=…, freeze_at=…, strict=…, "
        "strict_ignore=…): the world this test's emulator begins with, and whether an unknown path fails it",
    )
    url = _url_option(config)
    if url and "{worker}" not in url and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError(
            "--identity-emulator-url needs {worker} in it under xdist, or the workers would reset each other: "
            "start one emulator for each, like http://127.0.0.1:300{worker}"
        )
    # By its entry point, or by `-p pytest_aiohttp.plugin`.
    if any(map(config.pluginmanager.has_plugin, ("aiohttp", "pytest_aiohttp.plugin"))):
        config.pluginmanager.import_plugin("emulator.pytest_plugin.aiohttp_fixture")


def _url_option(config: pytest.Config) -> str:
    url: str = config.getoption("identity_emulator_url") or config.getini("identity_emulator_url")
    return url


# --- fixtures ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def identity_emulator_config() -> Config:
    """How worlds begin. Override it to return an `emulator.Config` of your own."""
    from emulator import Config

    return Config()


@pytest.fixture(scope="session")
def _identity_emulator_session(pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """The session's emulator: booted, or the one that runs elsewhere. Its worlds come with the tests."""
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
    """The session's server for fixtures of wider scope: `.url`, `.port`, `.env()`. Its world changes with each test."""
    from emulator.control.emulator import ServerAddress
    from emulator.pytest_plugin.settings import one_line_failures, session_config

    with one_line_failures():
        config = session_config(request.config, identity_emulator_config)
        return ServerAddress(_identity_emulator_session.url, _identity_emulator_session.api_key_of(config))


@pytest.fixture
def identity_emulator(
    request: pytest.FixtureRequest, _identity_emulator_session: Emulator, identity_emulator_config: Config
) -> Iterator[Emulator]:
    """An `Emulator` as new: the session's server with a world of this test's own."""
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
    """A factory for further servers: `make_identity_emulator(seed=7)`. All are stopped at the test's end."""
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
    """Has the test's report and its strictness look at an emulator; for fixtures in other modules."""
    return partial(watch, request)


@pytest.fixture
def identity_emulator_client() -> None:
    """An aiohttp `TestClient` on an emulator in the test's own loop. This one stands in where pytest-aiohttp is not."""
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
    """Have the test's report and its strictness look at this emulator."""
    from emulator.pytest_plugin.settings import watched

    request.node.stash.setdefault(WATCHED, []).append(watched(request, emulator))


def _remote(url: str) -> Emulator:
    from emulator.control.remote import RemoteEmulator

    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    emulator = RemoteEmulator(url.replace("{worker}", worker), os.environ.get(CONTROL_TOKEN))
    emulator.reset()
    return emulator


# --- what a failed test shows -----------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that asked for a path neither API has is failed here, not in teardown: "1 failed", not "1 error"."""
    yield
    for watched in item.stash.get(WATCHED, ()):
        if watched.strict:
            _fail_for_unmatched(watched)


def _fail_for_unmatched(watched: Watched) -> None:
    unmatched = watched.emulator.journal.unmatched
    if not unmatched:
        return
    from emulator.journal.queries import fits_any

    reasons = [exchange.why for exchange in unmatched if not fits_any(exchange.path, watched.strict_ignore)]
    if reasons:
        hint = "meant? @pytest.mark.identity_emulator(strict=False), or strict_ignore=[…]"
        pytest.fail("\n".join([*dict.fromkeys(reasons), hint]), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A section with the test's exchanges, and a line of them for junit, which has no sections."""
    report = yield
    watched = item.stash.get(WATCHED, None)
    if report.failed and watched:
        _add_exchanges(item, report, watched)
    return report


def _add_exchanges(item: pytest.Item, report: pytest.TestReport, watched: list[Watched]) -> None:
    from emulator import Misconfigured
    from emulator.journal.report import report as written
    from emulator.journal.report import short

    secrets = item.config.getoption("identity_emulator_show_secrets")
    for emulator, _, _ in watched:
        try:
            exchanges = emulator.journal.exchanges
        except Misconfigured as error:  # it ran elsewhere, and ended
            report.sections.append(("identity emulator", str(error)))
            continue
        text = written(exchanges, emulator.url, secrets=secrets)
        waiting = [f"ordered, and not all done: {fault!r}" for fault in emulator.faults if not fault.done]
        report.sections.append(("identity emulator", "\n".join([text, *waiting])))
        if report.when != "teardown":
            # junit writes the properties of the teardown's report, which are the item's.
            item.user_properties.append(("identity_emulator", short(exchanges)))
            report.user_properties.append(("identity_emulator", short(exchanges)))
