"""The pytest plugin of identity-emulator. docs/pytest.md is its manual.

Only pytest is imported here: whoever has the plugin installed and does not use it pays for nothing else. Types are
imported from `emulator`, never from here.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from emulator import Config, Emulator
    from emulator.handle import Address

MARKER = "identity_emulator"
WORLD_KEYWORDS = ("scenario", "seed", "spacetime_profile", "intuition_profile", "freeze_at")
STRICT_KEYWORDS = ("strict", "strict_ignore")
KEYWORDS = WORLD_KEYWORDS + STRICT_KEYWORDS
CONTROL_TOKEN = "IDENTITY_EMULATOR_CONTROL_TOKEN"


class Watched(NamedTuple):
    """An emulator a test uses, and how strictly its requests are looked at."""

    emulator: Emulator
    strict: bool
    strict_ignore: tuple[str, ...]


WATCHED = pytest.StashKey[list[Watched]]()
CONFIGS: pytest.StashKey[dict[Config, Config]] = pytest.StashKey()
"""Each config a test asked for, and what it is with command line and ini file."""


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
        f"{MARKER}({', '.join(f'{keyword}=…' for keyword in KEYWORDS)}): the world this test's emulator begins with, "
        "and whether an unknown path fails it",
    )
    url = _url_option(config)
    if url and "{worker}" not in url and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError(
            "--identity-emulator-url needs {worker} in it under xdist, or the workers would reset each other: "
            "start one emulator for each, like http://127.0.0.1:300{worker}"
        )
    # By its entry point, or by `-p pytest_aiohttp.plugin`.
    if any(map(config.pluginmanager.has_plugin, ("aiohttp", "pytest_aiohttp.plugin"))):
        config.pluginmanager.import_plugin("emulator.pytest_client")


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

    url = _url_option(pytestconfig)
    with ExitStack() as stack:
        with told():
            emulator = _remote(url) if url else stack.enter_context(_booted(Config()))
        yield emulator


@pytest.fixture(scope="session")
def identity_emulator_server(_identity_emulator_session: Emulator) -> Address:
    """The session's server for fixtures of wider scope: `.url`, `.port`, `.env()`. Its world changes with each test."""
    from emulator.handle import Address

    return Address(_identity_emulator_session.url)


@pytest.fixture
def identity_emulator(
    request: pytest.FixtureRequest, _identity_emulator_session: Emulator, identity_emulator_config: Config
) -> Iterator[Emulator]:
    """An `Emulator` as new: the session's server with a world of this test's own."""
    if "identity_emulator_client" in request.fixturenames:
        raise wrong(
            "a test has identity_emulator or identity_emulator_client, not both: they are two emulators. "
            "The client's own is `identity_emulator_client.emulator`"
        )
    emulator = _identity_emulator_session
    with told():
        emulator.reset(world_config(request, identity_emulator_config))
    watch(request, emulator)
    yield emulator
    emulator.abort_requests()


@pytest.fixture
def make_identity_emulator(
    request: pytest.FixtureRequest, identity_emulator_config: Config
) -> Iterator[Callable[..., Emulator]]:
    """A factory for further servers: `make_identity_emulator(seed=7)`. All are stopped at the test's end."""
    from emulator import Config

    with ExitStack() as stack:

        def make(**settings: Any) -> Emulator:
            with told():
                known_keywords(settings, tuple(vars(Config())), "make_identity_emulator")
                if isinstance(settings.get("freeze_at"), str):
                    settings["freeze_at"] = _moment(settings["freeze_at"])
                config = Config(**settings).over(world_config(request, identity_emulator_config))
                emulator = stack.enter_context(_booted(config))
            watch(request, emulator)
            return emulator

        yield make


@pytest.fixture
def identity_emulator_client() -> None:
    """An aiohttp `TestClient` on an emulator in the test's own loop. This one stands in where pytest-aiohttp is not."""
    raise wrong(
        "identity_emulator_client needs pytest-aiohttp: pip install 'identity-emulator[pytest-aiohttp]'. "
        "With any other event loop plugin, or none, use identity_emulator and its .url"
    )


@contextmanager
def _booted(config: Config) -> Iterator[Emulator]:
    from emulator import running_in_thread

    with running_in_thread(config) as emulator:
        yield emulator


def _remote(url: str) -> Emulator:
    from emulator.remote import RemoteEmulator

    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    emulator = RemoteEmulator(url.replace("{worker}", worker), os.environ.get(CONTROL_TOKEN))
    emulator.reset()
    return emulator


@contextmanager
def told() -> Iterator[None]:
    """What was configured wrongly is said in one line, without a traceback through our own code."""
    from emulator import Misconfigured

    try:
        yield
    except Misconfigured as error:
        raise wrong(str(error)) from None


def wrong(message: str) -> BaseException:
    """What ends a test that was set up wrongly: a sentence that says what to do, without a traceback."""
    return pytest.fail.Exception(f"identity-emulator: {message}", pytrace=False)


# --- where a world's settings come from -------------------------------------------------------------------------------


def world_config(request: pytest.FixtureRequest, config: Config) -> Config:
    """This test's config: its markers, then the config fixture, then the ini file. The command line's seed wins."""
    from emulator import Config

    if not isinstance(config, Config):
        raise wrong(f"identity_emulator_config returned {config!r}; return an emulator.Config")
    settings = _marked(request.node, WORLD_KEYWORDS)
    known = request.config.stash.setdefault(CONFIGS, {})
    if settings:
        if isinstance(settings.get("freeze_at"), str):
            settings["freeze_at"] = _moment(settings["freeze_at"])
        config = Config(**settings).over(config)
    if not _hashable(config):
        return config
    if config not in known:
        known[config] = _from_command_line(request.config).over(config).over(_from_ini(request.config))
    return known[config]


def _hashable(config: Config) -> bool:
    """One with a field of a wrong type may not be; the world says which."""
    try:
        hash(config)
    except TypeError:
        return False
    return True


def watch(request: pytest.FixtureRequest, emulator: Emulator) -> None:
    """Have the test's report and its strictness look at this emulator."""
    settings = _marked(request.node, STRICT_KEYWORDS)
    strict = settings.get("strict", request.config.getini("identity_emulator_strict"))
    ignored = settings.get("strict_ignore", ())
    if not isinstance(strict, bool):
        raise wrong(f"strict is {strict!r}; it is True or False")
    if isinstance(ignored, str) or not all(isinstance(path, str) and path[:1] in {"/", "*"} for path in ignored):
        raise wrong(f"strict_ignore is {ignored!r}; it is a list of paths like ['/v1/database/**']")
    ignore = (*ignored, *request.config.getini("identity_emulator_strict_ignore"))
    request.node.stash.setdefault(WATCHED, []).append(Watched(emulator, strict, ignore))


def _marked(node: pytest.Item, keywords: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for marker in node.iter_markers(MARKER):
        if marker.args:
            raise wrong(f"@pytest.mark.{MARKER} takes keywords only: {', '.join(KEYWORDS)}")
        known_keywords(marker.kwargs, KEYWORDS, f"@pytest.mark.{MARKER}")
        found = {name: value for name, value in marker.kwargs.items() if name in keywords} | found
    return found


def known_keywords(given: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """Fails the test for a keyword nobody knows, and names the one that was meant."""
    for name in given:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(known)}"
            raise wrong(f"{where} has no keyword {name!r}; {hint}")


def _from_command_line(config: pytest.Config) -> Config:
    from emulator import Config

    return Config(seed=config.getoption("identity_emulator_seed"))


def _from_ini(config: pytest.Config) -> Config:
    from emulator import Config

    def ini(name: str) -> str | None:
        return config.getini(f"identity_emulator_{name}") or None

    freeze_at, seed = ini("freeze_at"), ini("seed")
    return Config(
        seed=None if seed is None else _whole_number(seed),
        scenario=ini("scenario"),
        spacetime_profile=ini("spacetime_profile"),
        intuition_profile=ini("intuition_profile"),
        freeze_at=None if freeze_at is None else _moment(freeze_at),
    )


def _moment(text: str) -> Any:
    from emulator import Misconfigured
    from emulator.clock import parse_rfc3339

    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise Misconfigured(f"freeze_at: {error}; write it like 2024-02-15T05:47:17Z") from None


def _whole_number(text: str) -> int:
    from emulator import Misconfigured

    try:
        return int(text)
    except ValueError:
        raise Misconfigured(f"identity_emulator_seed is {text!r}, not a whole number") from None


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
    from emulator.inquiry import fits_any

    reasons = [exchange.why for exchange in unmatched if not fits_any(exchange.path, watched.strict_ignore)]
    if reasons:
        hint = f"meant? @pytest.mark.{MARKER}(strict=False), or strict_ignore=[…]"
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
    from emulator.report import report as written
    from emulator.report import short

    secrets = item.config.getoption("identity_emulator_show_secrets")
    for emulator, _, _ in watched:
        try:
            exchanges = emulator.journal.exchanges
        except Misconfigured as error:  # it ran elsewhere, and ended
            report.sections.append(("identity emulator", str(error)))
            continue
        report.sections.append(("identity emulator", written(exchanges, emulator.url, secrets=secrets)))
        if report.when != "teardown":
            # junit writes the properties of the teardown's report, which are the item's.
            item.user_properties.append(("identity_emulator", short(exchanges)))
            report.user_properties.append(("identity_emulator", short(exchanges)))
