"""Where the settings of a test's worlds come from: markers, command line, config fixture, ini file.

The plugin imports this when a test first uses an emulator.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import pytest

from emulator.control.control_token import control_token
from emulator.core.clock import parse_rfc3339
from emulator.core.errors import Misconfigured
from emulator.core.suggestions import did_you_mean
from emulator.scenario.locate import located_config
from emulator.world.config import Config

CONTROL_TOKEN = "IDENTITY_EMULATOR_CONTROL_TOKEN"  # noqa: S105 - a name
MARKER = "identity_emulator"
WORLD_KEYWORDS = ("scenario", "seed", "spacetime_profile", "intuition_profile", "freeze_at")
STRICT_KEYWORDS = ("strict", "strict_ignore")
_ICON = "/favicon.ico"
"""Browsers ask for it on their own: no test's mistake."""
KEYWORDS = WORLD_KEYWORDS + STRICT_KEYWORDS


class ReportLimits(TypedDict, total=False):
    """Keywords of `Emulator.report`."""

    lines: int
    size: int


class Strictness(NamedTuple):
    """Whether requests that neither API knows fail a test, and on which paths they don't."""

    strict: bool
    ignored: tuple[str, ...]


@contextmanager
def one_line_failures() -> Iterator[None]:
    """Turn a Misconfigured into a test failure in one line, without a traceback."""
    try:
        yield
    except Misconfigured as error:
        raise wrong(str(error)) from None


def wrong(message: str) -> BaseException:
    """The failure of a test with wrong settings, without a traceback; the message says what to change."""
    return pytest.fail.Exception(f"identity-emulator: {message}", pytrace=False)


def world_config(node: pytest.Item | pytest.Collector, config: object) -> Config:
    """A test's config from command line, markers, config fixture, ini file; the first that sets a value wins."""
    own = checked_config(config)
    if settings := marked(node, WORLD_KEYWORDS):
        own = config_from(settings, f"@pytest.mark.{MARKER}").over(own)
    return located_config(_layered(node.config, own), folders_of(node))


def session_config(pytest_config: pytest.Config, config: object) -> Config:
    """The config of tests without markers. Raises Misconfigured."""
    return located_config(_layered(pytest_config, checked_config(config)), (pytest_config.rootpath,))


def checked_config(config: object) -> Config:
    """What the config fixture returned."""
    if not isinstance(config, Config):
        raise wrong(f"identity_emulator_config returned {config!r}; return an emulator.Config")
    return config


def _layered(pytest_config: pytest.Config, config: Config) -> Config:
    return _from_command_line(pytest_config).over(config).over(_from_ini(pytest_config))


def control_token_in(environment: Mapping[str, str]) -> str | None:
    """The control token of a running emulator; an empty variable is none. Raises Misconfigured."""
    text = environment.get(CONTROL_TOKEN)
    try:
        return control_token(text) if text else None
    except Misconfigured as error:
        raise Misconfigured(f"{CONTROL_TOKEN}: {error}") from None


def folders_of(node: pytest.Item | pytest.Collector) -> tuple[Path, ...]:
    """Where scenario files are looked up: the test file's folder, then the root folder."""
    return (node.path.parent, node.config.rootpath)


def config_from(settings: dict[str, Any], where: str) -> Config:
    """A config from keywords; `freeze_at` may be a text. Fails the test for an unknown one. Raises Misconfigured."""
    known_keywords(settings, tuple(vars(Config())), where)
    if isinstance(settings.get("freeze_at"), str):
        settings = {**settings, "freeze_at": _moment(settings["freeze_at"])}
    return Config(**settings)


def strictness_of(node: pytest.Item) -> Strictness:
    """`strict` and `strict_ignore` of a test's markers and the ini file."""
    settings = marked(node, STRICT_KEYWORDS)
    strict = settings.get("strict", node.config.getini("identity_emulator_strict"))
    ignored = settings.get("strict_ignore", ())
    if not isinstance(strict, bool):
        raise wrong(f"strict is {strict!r}; it is True or False")
    if isinstance(ignored, str) or not all(isinstance(path, str) and path[:1] in {"/", "*"} for path in ignored):
        raise wrong(f"strict_ignore is {ignored!r}; it is a list of paths like ['/v1/database/**']")
    return Strictness(strict, (_ICON, *ignored, *node.config.getini("identity_emulator_strict_ignore")))


def marked(node: pytest.Item | pytest.Collector, keywords: tuple[str, ...]) -> dict[str, Any]:
    """The keywords of a test's markers, the nearest first."""
    found: dict[str, Any] = {}
    for marker in node.iter_markers(MARKER):
        if marker.args:
            raise wrong(f"@pytest.mark.{MARKER} takes keywords only: {', '.join(KEYWORDS)}")
        known_keywords(marker.kwargs, KEYWORDS, f"@pytest.mark.{MARKER}")
        found = {name: value for name, value in marker.kwargs.items() if name in keywords} | found
    return found


def known_keywords(given: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """Fail the test for an unknown keyword, and suggest a known one."""
    for name in given:
        if name not in known:
            raise wrong(f"{where} has no keyword {name!r}; {did_you_mean(name, known)}")


def _from_command_line(config: pytest.Config) -> Config:
    return Config(seed=config.getoption("identity_emulator_seed"))


_INI: pytest.StashKey[Config] = pytest.StashKey()


def _from_ini(config: pytest.Config) -> Config:
    """Read once per session."""
    if _INI not in config.stash:
        config.stash[_INI] = _ini_config(config)
    return config.stash[_INI]


def _ini_config(config: pytest.Config) -> Config:
    def ini(name: str) -> str | None:
        return config.getini(f"identity_emulator_{name}") or None

    freeze_at, seed = ini("freeze_at"), ini("seed")
    return Config(
        seed=None if seed is None else _whole_number("seed", seed),
        journal_size=_number(config, "journal_size"),
        journal_bytes=_number(config, "journal_bytes"),
        scenario=tuple((ini("scenario") or "").split()) or None,
        spacetime_profile=ini("spacetime_profile"),
        intuition_profile=ini("intuition_profile"),
        freeze_at=None if freeze_at is None else _moment(freeze_at),
    )


def _moment(text: str) -> Any:
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise Misconfigured(f"freeze_at: {error}; write it like 2024-02-15T05:47:17Z") from None


def _number(config: pytest.Config, name: str) -> int | None:
    text = config.getini(f"identity_emulator_{name}")
    return _whole_number(name, text) if text else None


def report_limits(config: pytest.Config) -> ReportLimits:
    """The most lines and bytes of a report, as far as the ini file sets them. Raises Misconfigured."""
    limits: ReportLimits = {}
    if (lines := _number(config, "report_lines")) is not None:
        limits["lines"] = lines
    if (size := _number(config, "report_bytes")) is not None:
        limits["size"] = size
    return limits


def _whole_number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Misconfigured(f"identity_emulator_{name} is {text!r}, not a whole number") from None
