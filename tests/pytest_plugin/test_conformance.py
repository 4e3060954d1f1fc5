"""The cases of `emulator.conformance` as tests of a server that somebody else has started."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import Config, Emulator, running_in_thread
from tests.conftest import write_key_pair
from tests.pytest_plugin.inner import Outcome, Run


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_key_pair(tmp_path_factory.mktemp("keys"), 21)


@pytest.fixture(scope="module")
def server(keys: tuple[Path, Path]) -> Iterator[Emulator]:
    private, public = keys
    config = Config(spacetime_profile="v2.8", jwt_priv_key_path=private, jwt_pub_key_path=public)
    with running_in_thread(config) as emulator:
        emulator.spacetime.add_database(emulator.spacetime.create_identity().identity, "alpha")
        yield emulator


def against(run: Run, server: Emulator, profile: str, *options: str) -> Outcome:
    url = f"--identity-emulator-url={server.url}"
    return run("--pyargs", "emulator.conformance", url, f"--identity-emulator-conformance-profile={profile}", *options)


def test_each_case_is_a_test_with_a_readable_name(run: Run, server: Emulator) -> None:
    outcome = against(run, server, "v2.8", "--collect-only", "-q")

    assert "test_conformance.py::test_the_response_is_the_expected_one[v2.8 ping " in outcome
    assert "test_conformance.py::test_the_response_is_the_expected_one[v2.8 first message " in outcome


def test_what_needs_more_than_the_url_is_skipped_with_the_reason(run: Run, server: Emulator) -> None:
    outcome = against(run, server, "v2.8", "-rs", "-k", "verify or message")

    assert "tokens must be signed with the target's key" in outcome
    assert "--database" in outcome
    assert (outcome.status, "skipped" in outcome.summary, "failed" in outcome.summary) == (0, True, False)


def test_with_keys_and_a_database_every_case_is_held(run: Run, server: Emulator, keys: tuple[Path, Path]) -> None:
    private, public = keys
    prefix = "--identity-emulator-conformance"
    given = (f"{prefix}-jwt-priv-key-path={private}", f"{prefix}-jwt-pub-key-path={public}", f"{prefix}-database=alpha")

    outcome = against(run, server, "v2.8", "-k", "verify or message", *given)

    assert (outcome.status, "skipped" in outcome.summary) == (0, False), outcome


def test_a_failed_test_shows_the_cause_both_beside_each_other_and_the_rule(run: Run, server: Emulator) -> None:
    outcome = against(run, server, "v1", "-k", "databases and not database_identity")

    assert outcome.status == 1
    assert "\ndiffers: the " in outcome
    assert "rule: an unknown name is a 404 with it" in outcome
    assert "  expected " in outcome


@pytest.mark.parametrize("plugin", [(), ("-p", "no:conftest_plugin")])
def test_without_a_url_it_says_what_to_give(run: Run, plugin: tuple[str, ...]) -> None:
    outcome = run.process("--pyargs", "emulator.conformance", *plugin)

    assert "name it with --identity-emulator-url URL" in outcome
    assert "Traceback" not in outcome


@pytest.mark.parametrize("name", ["v2", "V2.14"])
def test_a_profile_has_the_names_that_it_has_for_the_command(run: Run, server: Emulator, name: str) -> None:
    assert "[v2.14 ping " in against(run, server, name, "--collect-only", "-q")


def test_an_unknown_profile_is_told_with_those_there_are(run: Run, server: Emulator) -> None:
    outcome = against(run, server, "v3")

    assert "there is no profile 'v3'; there is documented, v1, v2.8, v2.14, intuition, v2" in outcome


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "with workers"])
def test_a_server_that_is_not_there_ends_the_run(run: Run, workers: tuple[str, ...]) -> None:
    outcome = run("--pyargs", "emulator.conformance", "--identity-emulator-url=http://127.0.0.1:1", *workers)

    assert "127.0.0.1:1 can't be reached" in outcome
    assert "INTERNALERROR" not in outcome
    assert (outcome.status != 0, "passed" in outcome.summary, "error" in outcome.summary) == (True, False, True)


def test_a_server_that_goes_away_ends_the_run(run: Run, server: Emulator) -> None:
    run.write(
        """
        import pytest

        from emulator.conformance.run import Runner
        from emulator.conformance.target import Unusable

        @pytest.fixture(autouse=True)
        def gone(monkeypatch):
            def outcome(self, case):
                raise Unusable("it said nothing to 3 cases in a row")

            monkeypatch.setattr(Runner, "outcome", outcome)
        """,
        "going_away.py",
    )

    outcome = against(run, server, "v2.8", "-p", "going_away")

    assert "it said nothing to 3 cases in a row" in outcome
    assert "1 failed in" in outcome.summary


def test_half_a_key_pair_ends_the_run(run: Run, server: Emulator, keys: tuple[Path, Path]) -> None:
    half = f"--identity-emulator-conformance-jwt-pub-key-path={keys[1]}"

    assert "give the private and the public one, or none" in against(run, server, "v2.8", half)
