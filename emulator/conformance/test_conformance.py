"""The cases of a profile as tests: `pytest --pyargs emulator.conformance --identity-emulator-url URL`.

The options are those of the command, with `--identity-emulator-conformance-` before them (docs/conformance.md).
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest

from emulator.conformance.cases import ALIASES, PROFILES, Case, table
from emulator.conformance.report import difference
from emulator.conformance.run import Given, Runner
from emulator.conformance.target import Target, Unusable
from emulator.conformance.tokens import BadKey, Keys


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each case."""
    if not _url(metafunc.config):
        raise pytest.Collector.CollectError(
            "these tests hold a running server against recorded responses: name it with --identity-emulator-url URL"
        )
    profile = _profile(metafunc.config)
    if profile not in PROFILES:
        names = ", ".join((*PROFILES, *ALIASES))
        raise pytest.Collector.CollectError(f"there is no profile {profile!r}; there is {names}")
    cases = table(profile).cases
    metafunc.parametrize("case", cases, ids=[f"{profile} {case.group} {case.name}" for case in cases])


def _url(config: pytest.Config) -> str:
    """Of the option or the ini file; empty if neither has it, or the plugin is switched off."""
    with suppress(ValueError):  # an ini key that no plugin has
        url: str = config.getoption("identity_emulator_url", None) or config.getini("identity_emulator_url")
        return url
    return ""


def _option(config: pytest.Config, name: str) -> str | None:
    value: str | None = config.getoption(f"identity_emulator_conformance_{name}", None)
    return value


def _profile(config: pytest.Config) -> str:
    name = (_option(config, "profile") or "documented").lower()
    return ALIASES.get(name, name)


@pytest.fixture(scope="session")
def runner(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Runner:
    try:
        target = Target.of(_url(pytestconfig), os.environ.get("IDENTITY_EMULATOR_CA_FILE"))
        return Runner(table(_profile(pytestconfig)).cases, target, _given(pytestconfig))
    except (Unusable, BadKey, OSError) as error:
        _end(request.session, str(error))


def _end(session: pytest.Session, why: str) -> NoReturn:
    """Fail this test, and send nothing more. (`pytest.exit` would be the crash of a worker of pytest-xdist.)"""
    session.shouldfail = why
    raise pytest.fail.Exception(why, pytrace=False) from None


def _given(config: pytest.Config) -> Given:
    """Raises BadKey or OSError."""
    paths = [_option(config, f"jwt_{half}_key_path") for half in ("priv", "pub")]
    pair = [Path(path).read_bytes() for path in paths if path]
    if len(pair) == 1:
        raise BadKey("the keys of a server are two files: give the private and the public one, or none")
    return Given(Keys.of(*pair) if pair else None, _option(config, "database"), _option(config, "api_key"))


def test_the_response_is_the_expected_one(case: Case, runner: Runner, request: pytest.FixtureRequest) -> None:
    try:
        outcome = runner.outcome(case)
    except Unusable as error:
        _end(request.session, str(error))
    if outcome.left_out:
        pytest.skip(outcome.left_out)
    if outcome.difference:
        pytest.fail("\n".join(difference(outcome)), pytrace=False)
