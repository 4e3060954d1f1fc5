"""Scenarios that a marker, the config fixture or the ini file names."""

from tests.pytest_plugin.inner import Run

SCENARIO = """
version: 1
seed: 7
spacetime: {identities: {alice: }}
script:
  - {request: "GET /v1/ping", nth: 1, do: {status: 503}}
"""


def test_a_scenario_is_searched_beside_the_test_and_then_at_the_root(run: Run) -> None:
    run.write(SCENARIO, "sub/near.yaml")
    (run.folder / "far.yaml").write_text(SCENARIO.replace("alice", "bob"))
    run.write(
        """
        import pytest

        @pytest.mark.identity_emulator(scenario="near.yaml")
        def test_near(identity_emulator):
            assert names(identity_emulator) == ["alice"]
            assert status(identity_emulator, "/v1/ping", "GET") == 503
            identity_emulator.faults.assert_done()

        @pytest.mark.identity_emulator(scenario="far.yaml")
        def test_far(identity_emulator):
            assert names(identity_emulator) == ["bob"]
            identity_emulator.load("near.yaml")
            identity_emulator.reset()
            assert names(identity_emulator) == ["alice"]

        @pytest.mark.identity_emulator(scenario=["far.yaml", "near.yaml", "rate_limited"], seed=9)
        def test_layers(identity_emulator, make_identity_emulator):
            assert names(identity_emulator) == ["bob", "alice", "ci", "web"]
            assert names(make_identity_emulator(scenario="near.yaml")) == ["alice"]

        @pytest.mark.identity_emulator(scenario={"version": 1, "spacetime": {"identities": {"eve": None}}})
        def test_document(identity_emulator):
            assert names(identity_emulator) == ["eve"]

        def test_nobody(identity_emulator):
            identity_emulator.reset()
            assert names(identity_emulator) == []
    """,
        "sub/test_it.py",
    )

    assert "5 passed" in run().summary


def test_a_plain_reset_goes_back_to_this_tests_scenario(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.mark.identity_emulator(scenario="two_friends")
        def test_it(identity_emulator):
            identity_emulator.reset()
            assert names(identity_emulator) == ["alice", "bob"]

        @pytest.mark.identity_emulator(scenario="quickstart")
        def test_another(identity_emulator):
            identity_emulator.reset()
            assert names(identity_emulator) == ["alice"]
    """)

    assert "2 passed" in run().summary


def test_the_config_and_the_ini_file_name_scenarios_for_all_tests(run: Run) -> None:
    (run.folder / "pytest.ini").write_text("[pytest]\nidentity_emulator_scenario = two_friends far.yaml\n")
    (run.folder / "far.yaml").write_text(SCENARIO.replace("alice", "zoe"))
    run.write("""
        def test_ini(identity_emulator, identity_emulator_server):
            assert names(identity_emulator) == ["alice", "bob", "zoe"]
            assert identity_emulator_server.env() == identity_emulator.env()
    """)
    run.write(
        """
        import pytest
        from emulator import Config

        @pytest.fixture(scope="session")
        def identity_emulator_config():
            return Config(scenario="rate_limited")
        """,
        "sub/conftest.py",
    )
    run.write(
        "def test_config(identity_emulator): assert names(identity_emulator) == ['ci', 'web']", "sub/test_config.py"
    )

    assert "2 passed" in run().summary


def test_all_mistakes_of_a_scenario_are_one_failure_without_traceback(run: Run) -> None:
    (run.folder / "bad.yaml").write_text("version: 1\nsead: 7\nclock: {freeze: noon}\n")
    run.write("""
        import pytest

        @pytest.mark.identity_emulator(scenario="bad.yaml")
        def test_it(identity_emulator): pass

        def test_load(identity_emulator):
            with pytest.raises(Exception, match="did you mean .seed."):
                identity_emulator.load("bad.yaml")
    """)

    outcome = run()

    assert "1 passed, 1 error" in outcome.summary
    assert f"identity-emulator: {run.folder / 'bad.yaml'}:2:1 sead: unknown key, did you mean 'seed'?" in outcome
    assert "bad.yaml:3:9 clock.freeze: " in outcome
    assert "conftest_plugin.py:" not in outcome
