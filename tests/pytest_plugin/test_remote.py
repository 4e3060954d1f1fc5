"""With --identity-emulator-url: the same tests against an emulator in another process."""

import pytest

from tests.cli.command import serving
from tests.pytest_plugin.inner import Run


def test_the_same_tests_run_against_an_emulator_elsewhere(run: Run, elsewhere: str) -> None:
    run.write("""
        import pytest

        def test_one(identity_emulator, identity_emulator_server):
            assert identity_emulator.url == identity_emulator_server.url
            create(identity_emulator)
            identity_emulator.journal.assert_requested("POST", "/v1/identity", times=1)
            identity_emulator.journal.wait_for("POST", "/v1/identity")
            identity_emulator.reset()
            assert len(identity_emulator.journal) == 0

        @pytest.mark.identity_emulator(seed=8)
        def test_two(identity_emulator):
            assert len(identity_emulator.journal) == 0

        @pytest.mark.identity_emulator(freeze_at="2024-02-15T05:47:17Z")
        def test_steered(identity_emulator):
            import datetime
            clock = identity_emulator.clock
            token = identity_emulator.spacetime.issue_token(subject="alice", role="admin")
            assert clock.frozen
            clock.advance(datetime.timedelta(seconds=1))
            assert clock.now().isoformat() == "2024-02-15T05:47:18+00:00"
            clock.freeze("2024-02-15T05:47:17Z")
            clock.resume()
            clock.skew(5)
            assert not clock.frozen
            assert identity_emulator.spacetime.sign({"sub": 5}).count(".") == token.count(".") == 2
            identity_emulator.spacetime.rotate_key()
            key = identity_emulator.intuition.issue_api_key("0x81")
            identity_emulator.intuition.revoke_api_key(key)
            with pytest.raises(Exception, match="answered 404: there is no such API key"):
                identity_emulator.intuition.revoke_api_key(key)

        def test_ordered(identity_emulator):
            fault = identity_emulator.faults.add("POST /v1/identity", nth=1, status=503)
            assert len(identity_emulator.faults) == 1
            assert status(identity_emulator, "/v1/identity") == 503
            assert (fault.fired, fault.seen, fault.status, fault.done) == (1, 1, "done", True)
            identity_emulator.faults.assert_done()
            assert [each.number for each in identity_emulator.faults] == [1]
            fault.remove()
            assert fault.status == "removed"
            identity_emulator.faults.clear()
            identity_emulator.intuition.lifecycle()
            assert dict(identity_emulator.actors) == {}

        def test_put_aside(identity_emulator):
            snapshot = identity_emulator.snapshot()
            identity_emulator.spacetime.rotate_key()
            identity_emulator.restore(snapshot)
            assert identity_emulator.snapshot() == snapshot
    """)

    outcome = run("--identity-emulator-url", elsewhere)

    assert "5 passed" in outcome.summary, outcome


def test_an_unknown_path_fails_a_test_there_too(run: Run, elsewhere: str) -> None:
    run.write("def test_it(identity_emulator): status(identity_emulator, '/v1/nonsense')")

    outcome = run("--identity-emulator-url", elsewhere)

    assert "1 failed" in outcome.summary
    assert "POST /v1/nonsense: no such route" in outcome


def test_operations_that_work_only_in_process_say_so(run: Run, elsewhere: str) -> None:
    run.write("def test_it(identity_emulator): identity_emulator.spacetime.create_identity()")

    outcome = run("--identity-emulator-url", elsewhere)

    assert "1 failed" in outcome.summary
    assert "emulator.spacetime.create_identity needs the emulator in this process" in outcome


def test_a_database_can_be_added_there_too(run: Run, elsewhere: str) -> None:
    run.write("""
        import pytest
        from emulator import Misconfigured

        OWNER = "c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38"

        def test_it(identity_emulator):
            added = identity_emulator.spacetime.add_database(OWNER, "chat")
            assert added.name == "chat"
            assert status(identity_emulator, f"/v1/database/{added.identity}", "GET") == 200

        def test_a_name_that_no_server_accepts_is_refused(identity_emulator):
            with pytest.raises(Misconfigured, match="no database can be called 'my_db'"):
                identity_emulator.spacetime.add_database(OWNER, "my_db")
    """)

    assert "2 passed" in run("--identity-emulator-url", elsewhere).summary


def test_another_profile_is_an_error_that_says_how_to_start_the_emulator(run: Run, elsewhere: str) -> None:
    run.write("""
        import pytest

        @pytest.mark.identity_emulator(spacetime_profile="v2")
        def test_it(identity_emulator): pass
    """)

    outcome = run("--identity-emulator-url", elsewhere)

    assert "1 error" in outcome.summary
    assert "needs spacetime_profile=v2" in outcome
    assert "start it with --spacetime-profile v2" in outcome


def test_without_an_emulator_the_error_says_how_to_start_one(run: Run) -> None:
    run.write("def test_it(identity_emulator): pass")

    outcome = run("--identity-emulator-url", "http://127.0.0.1:9")

    assert "no emulator answers at http://127.0.0.1:9" in outcome
    assert "start one with `identity-emulator serve`" in outcome


@pytest.mark.parametrize("token", ["s3cret\n", "\ts3cret \r\n"])
def test_a_control_token_from_a_secret_file_is_trimmed(run: Run, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_EMULATOR_CONTROL_TOKEN", token)
    run.write("def test_it(identity_emulator): assert create(identity_emulator)[0] == 200")

    with serving("--port", "0", "--control-token", "s3cret") as (_, ready):
        outcome = run("--identity-emulator-url", ready["url"])

    assert "1 passed" in outcome.summary


def test_a_control_token_that_no_header_can_carry_is_named_and_not_shown(
    run: Run, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_EMULATOR_CONTROL_TOKEN", "s3c\nret")
    run.write("def test_it(identity_emulator): pass")

    outcome = run("--identity-emulator-url", elsewhere)

    assert "IDENTITY_EMULATOR_CONTROL_TOKEN: character 4 of the control token is U+000A" in outcome
    assert "no emulator answers" not in outcome
    assert "s3c" not in outcome


def test_an_empty_control_token_is_none(run: Run, elsewhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a CI system leaves it where a secret is not available."""
    monkeypatch.setenv("IDENTITY_EMULATOR_CONTROL_TOKEN", "")
    run.write("def test_it(identity_emulator): pass")

    assert "1 passed" in run("--identity-emulator-url", elsewhere).summary


SCENARIO = """
version: 1
extends: below.yaml
spacetime: {identities: {alice: }}
script:
  - {request: "GET /v1/ping", nth: 1, do: {status: 503}}
"""


def test_scenarios_go_there(run: Run, elsewhere: str) -> None:
    run.write(SCENARIO, "it.yaml")
    run.write("version: 1\nspacetime: {identities: {bob: }}\n", "below.yaml")
    run.write("""
        import pytest

        @pytest.mark.identity_emulator(scenario="two_friends")
        def test_a_name(identity_emulator):
            alice = identity_emulator.actors["alice"]
            assert names(identity_emulator) == ["alice", "bob"] and len(identity_emulator.actors) == 2
            assert alice.token.count(".") == 2 and alice.wallet.startswith("0x")
            assert identity_emulator.env()["INTUITION_API_KEY"] == alice.api_key
            assert identity_emulator.actors_env()["ALICE_TOKEN"] == alice.token
            with pytest.raises(KeyError, match="no actor 'eve'; there is alice, bob"):
                identity_emulator.actors["eve"]
            with pytest.raises(AttributeError, match="no attribute 'email'"):
                alice.email

        @pytest.mark.identity_emulator(scenario="it.yaml")
        def test_a_file(identity_emulator, identity_emulator_server):
            assert names(identity_emulator) == ["bob", "alice"]
            assert status(identity_emulator, "/v1/ping", "GET") == 503
            assert identity_emulator_server.env()["INTUITION_API_KEY"].endswith("0001")

        def test_load(identity_emulator):
            assert names(identity_emulator) == []
            identity_emulator.load("it.yaml")
            identity_emulator.reset()
            assert names(identity_emulator) == ["bob", "alice"]
            identity_emulator.load({"version": 1})

        def test_nothing_is_left(identity_emulator):
            assert names(identity_emulator) == []
            identity_emulator.reset()
            assert names(identity_emulator) == []
    """)

    outcome = run("--identity-emulator-url", elsewhere)

    assert "4 passed" in outcome.summary, outcome


def test_a_scenario_in_python_can_not_go_there(run: Run, elsewhere: str) -> None:
    run.write("def scenario(emulator): pass", "it.py")
    run.write("""
        import pytest

        @pytest.mark.identity_emulator(scenario="it.py")
        def test_it(identity_emulator): pass
    """)

    outcome = run("--identity-emulator-url", elsewhere)

    assert "1 error" in outcome.summary
    assert "a Python scenario runs in the emulator's own process only" in outcome


def test_the_report_says_that_the_emulator_has_stopped(run: Run) -> None:
    run.write("""
        import os, signal

        def test_it(identity_emulator):
            os.kill(int(os.environ["PID"]), signal.SIGTERM)
            import socket
            while True:
                try:
                    socket.create_connection(("127.0.0.1", identity_emulator.port)).close()
                except OSError:
                    break
            assert 0
    """)

    with serving("--port", "0") as (_, ready):
        outcome = run("--identity-emulator-url", ready["url"], PID=str(ready["pid"]))

    assert "1 failed" in outcome.summary, outcome
    assert f"no emulator answers at {ready['url']}" in outcome
