"""A project with an `emulator` package or a conftest_plugin.py of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.limits import LIMIT
from tests.pytest_plugin.inner import Outcome, Run, neutral_environment, only

PLUGIN = """
    import pytest

    @pytest.fixture
    def theirs(): return "theirs"
"""


def script(run: Run, *options: str) -> Outcome:
    """The command `pytest`, which does not put the current folder on the path as `python -m pytest` does."""
    command = [str(Path(sys.executable).with_name("pytest")), "-p", "no:cacheprovider", *only(), *options]
    done = subprocess.run(
        command, cwd=run.folder, env=neutral_environment(), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    return Outcome(done.returncode, done.stdout + done.stderr)


@pytest.mark.parametrize(
    "fixture", ["identity_emulator", "make_identity_emulator", "identity_emulator_server", "identity_emulator_factory"]
)
def test_another_plugin_in_our_place_is_named_where_a_test_asks_for_a_fixture(run: Run, fixture: str) -> None:
    run.write(PLUGIN, "conftest_plugin.py")
    run.write(f"""
        def test_ours({fixture}): pass
        def test_theirs(theirs): assert theirs == "theirs"
    """)

    outcome = run.process(autoload=True)

    assert "1 passed, 1 error" in outcome.summary, outcome
    assert f"{run.folder / 'conftest_plugin.py'} was imported as `conftest_plugin`, in place of" in outcome
    assert "rename yours" in outcome


def test_another_package_in_our_place_is_named_where_a_test_asks_for_a_fixture(run: Run) -> None:
    run.write("", "emulator/__init__.py")
    run.write("""
        def test_ours(identity_emulator): pass
        def test_further(make_identity_emulator): pass
        def test_theirs(): import emulator
    """)

    outcome = run.process(autoload=True)

    assert "1 passed, 2 errors" in outcome.summary, outcome
    assert f"{run.folder / 'emulator' / '__init__.py'} was imported as `emulator`, in place of" in outcome
    assert "ImportError" not in outcome
    assert "ModuleNotFoundError" not in outcome


def test_both_in_our_place_disturb_no_run(run: Run) -> None:
    run.write(PLUGIN, "conftest_plugin.py")
    run.write("", "emulator/__init__.py")
    run.write("def test_theirs(theirs): import emulator")

    assert "1 passed" in run.process(autoload=True).summary


def test_our_plugin_does_not_silently_keep_theirs_from_being_loaded(run: Run) -> None:
    run.write(PLUGIN, "conftest_plugin.py")
    run.write("pytest_plugins = ['conftest_plugin']", "conftest.py")
    run.write("def test_theirs(theirs): pass")

    outcome = script(run)

    assert outcome.status == 4
    assert f"so {run.folder / 'conftest_plugin.py'} can't be imported by that name any more" in outcome


def test_switched_off_it_says_nothing(run: Run) -> None:
    run.write(PLUGIN, "conftest_plugin.py")
    run.write("def test_it(): pass")

    outcome = run.process("-p", "no:conftest_plugin", autoload=True)

    assert "1 passed" in outcome.summary
    assert "identity-emulator:" not in outcome
