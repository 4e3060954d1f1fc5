"""How signals end `serve` before it is ready, and which do not. How they end it later is in test_serve."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import requests

from tests.cli.command import COMMAND, environment, serving
from tests.limits import LIMIT
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")

ENDING = [signal.SIGTERM, signal.SIGINT, signal.Signals(1)]

FOR_EVER = """
    import pathlib, time
    def wait(*_):
        pathlib.Path({marker!r}).touch()
        while True:
            time.sleep(0.01)
"""


def told_when_there_is(marker: Path, number: signal.Signals, *options: str, **variables: str) -> tuple[int, str]:
    """Status and stderr of a `serve` that gets a signal once the file is there."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**variables),
    ) as process:
        assert eventually(marker.exists)
        process.send_signal(number)
        out, err = process.communicate(timeout=LIMIT)
    assert out == ""
    return process.returncode, err


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_while_the_world_is_made_ends_it_with_status_0(tmp_path: Path, number: signal.Signals) -> None:
    marker, scenario = tmp_path / "begun", tmp_path / "it.py"
    scenario.write_text(textwrap.dedent(FOR_EVER.format(marker=str(marker))) + "scenario = wait\n")

    assert told_when_there_is(marker, number, "--scenario", str(scenario)) == (0, "")


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_while_modules_are_imported_ends_it_with_status_0(tmp_path: Path, number: signal.Signals) -> None:
    """`click` is the first that is not of the standard library."""
    marker = tmp_path / "begun"
    (tmp_path / "click.py").write_text(textwrap.dedent(FOR_EVER.format(marker=str(marker))) + "wait()\n")

    assert told_when_there_is(marker, number, PYTHONPATH=str(tmp_path)) == (0, "")


def test_a_hangup_that_nohup_had_ignored_stays_ignored() -> None:
    with serving("--port", "0", before=("nohup",)) as (process, ready):
        process.send_signal(signal.Signals(1))

        assert requests.get(f"{ready['url']}/v1/ping", timeout=LIMIT).status_code == 200
        process.terminate()
        assert process.wait(LIMIT) == 0


def test_a_signal_that_comes_twice_ends_it_with_status_0_too(tmp_path: Path) -> None:
    target = tmp_path / "world.json"
    with serving("--port", "0", "--export-on-exit", str(target)) as (process, _):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)

        assert process.wait(LIMIT) == 0
    assert target.exists()
