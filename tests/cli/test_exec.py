"""`identity-emulator exec`."""

import json
import subprocess
import sys

import pytest

from tests.cli.command import COMMAND, execute
from tests.conftest import API_KEY
from tests.limits import LIMIT

PROGRAM = """
import os, sys, urllib.request
print(urllib.request.urlopen(os.environ["SPACETIMEDB_URI"] + "/v1/ping").status)
sys.exit(3)
"""


def test_exec_runs_a_command_with_an_emulator_and_ends_as_it_does() -> None:
    done = execute("--seed", "7", "--", sys.executable, "-c", PROGRAM)

    assert (done.returncode, done.stdout, done.stderr) == (3, "200\n", "")


def test_exec_tells_the_command_where_everything_is() -> None:
    done = execute("--", sys.executable, "-c", "import os, json; print(json.dumps(dict(os.environ)))")

    found = json.loads(done.stdout)
    assert found["IDENTITY_EMULATOR_URL"] == found["SPACETIMEDB_URI"] == found["INTUITION_API_URL"]
    assert found["INTUITION_API_KEY"] == API_KEY


def test_exec_of_an_unknown_command_is_an_error() -> None:
    done = execute("--", "no-such-command")

    assert (done.returncode, done.stderr) == (127, "Error: no-such-command: command not found\n")


def test_exec_without_a_command_is_a_usage_error() -> None:
    done = execute()

    assert (done.returncode, "Missing argument 'COMMAND...'" in done.stderr) == (2, True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to end by")
def test_exec_tells_of_a_command_that_was_killed_as_a_shell_does() -> None:
    assert execute("--", sys.executable, "-c", "import os; os.kill(os.getpid(), 9)").returncode == 137


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_exec_passes_sigterm_on_to_the_command() -> None:
    program = "import signal, sys; signal.signal(15, lambda *_: sys.exit(5)); print('up', flush=True); signal.pause()"
    with subprocess.Popen([*COMMAND, "exec", "--", sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.terminate()

        assert process.wait(LIMIT) == 5
