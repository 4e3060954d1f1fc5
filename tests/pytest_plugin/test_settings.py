"""Where the settings of a world come from: marker, command line, config fixture, ini file."""

import re

from emulator.pytest_plugin.settings import KEYWORDS
from tests.pytest_plugin.inner import Run


def test_the_config_fixture_and_the_marker_make_the_world(run: Run) -> None:
    run.write("""
        import pytest
        from emulator import Config

        @pytest.fixture(scope="session")
        def identity_emulator_config():
            return Config(seed=5, spacetime_profile="v1")

        def health(emulator):
            import json
            return json.load(urllib.request.urlopen(emulator.url + "/_emulator/health"))

        def test_config(identity_emulator):
            assert health(identity_emulator)["seed"] == 5
            assert health(identity_emulator)["profiles"]["spacetime"] == "v1"

        @pytest.mark.identity_emulator(seed=6, spacetime_profile="v2", freeze_at="2024-02-15T05:47:17Z")
        class TestMarked:
            def test_marker(self, identity_emulator):
                assert health(identity_emulator)["seed"] == 6
                assert identity_emulator.clock.now().isoformat() == "2024-02-15T05:47:17+00:00"

            @pytest.mark.identity_emulator(seed=7)
            def test_the_nearest_marker_wins(self, identity_emulator):
                assert health(identity_emulator)["seed"] == 7
                assert health(identity_emulator)["profiles"]["spacetime"] == "v2.14"
    """)

    assert "3 passed" in run().summary


def test_the_ini_file_is_below_and_the_command_lines_seed_above_everything(run: Run) -> None:
    (run.folder / "pytest.ini").write_text(
        "[pytest]\nidentity_emulator_seed = 3\nidentity_emulator_spacetime_profile = v2\n"
        "identity_emulator_freeze_at = 2024-02-15T05:47:17Z\n"
    )
    run.write("""
        import json, os, pytest

        @pytest.mark.identity_emulator(seed=int(os.environ.get("MARKED", "3")))
        def test_it(identity_emulator):
            found = json.load(urllib.request.urlopen(identity_emulator.url + "/_emulator/health"))
            assert found["seed"] == int(os.environ["EXPECTED"])
            assert found["profiles"]["spacetime"] == "v2.14"
            assert identity_emulator.clock.frozen
    """)

    assert "1 passed" in run(EXPECTED="3").summary
    assert "1 passed" in run("--identity-emulator-seed", "9", EXPECTED="9", MARKED="4").summary


MISTAKES = {
    "sead=1": "@pytest.mark.identity_emulator has no keyword 'sead'; did you mean 'seed'?",
    "x_y_z=1": "has no keyword 'x_y_z'; there is scenario, seed,",
    "'v2'": "takes keywords only: scenario, seed,",
    "scenario='two_freinds'": "there is no scenario 'two_freinds'",
    "spacetime_profile='v3'": "there is no spacetime profile 'v3'; there is documented, v1, v2.8, v2.14, v2",
    "freeze_at='yesterday'": "freeze_at: 'yesterday' is not a time",
    "seed='7'": "Config: seed: expected a whole number, got '7'",
    "strict='no'": "strict is 'no'; it is True or False",
    "strict_ignore='/v1/nope'": "strict_ignore is '/v1/nope'; it is a list of paths",
}


def test_a_marker_with_a_mistake_is_one_sentence_without_traceback(run: Run) -> None:
    tests = [
        f"@pytest.mark.identity_emulator({mistake})\ndef test_{number}(identity_emulator): pass\n"
        for number, mistake in enumerate(MISTAKES)
    ]
    (run.folder / "test_it.py").write_text("import pytest\n\n" + "\n".join(tests))

    outcome = run()

    assert f"{len(MISTAKES)} errors" in outcome.summary
    for message in MISTAKES.values():
        assert re.search(rf"^identity-emulator: .*{re.escape(message)}", outcome, re.MULTILINE), message
    assert "conftest_plugin.py:" not in outcome


def test_a_config_fixture_that_returns_something_else_is_an_error(run: Run) -> None:
    run.write("""
        import pytest

        @pytest.fixture(scope="session")
        def identity_emulator_config(): return {"seed": 7}

        def test_it(identity_emulator): pass
    """)

    assert "identity_emulator_config returned {'seed': 7}; return an emulator.Config" in run()


def test_the_list_of_markers_names_every_keyword(run: Run) -> None:
    listed = run("--markers")

    assert all(f"{keyword}=…" in listed for keyword in KEYWORDS)
