"""`identity-emulator exec`."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

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
    program = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(5)); print('up', flush=True)\n"
        "while True: time.sleep(0.05)"
    )
    with subprocess.Popen([*COMMAND, "exec", "--", sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.terminate()

        assert process.wait(LIMIT) == 5


WAITS = """
import signal, sys, time
numbers = []
signal.signal(2, lambda number, _: (numbers.append(number), print("got", number, flush=True)))
signal.signal(15, lambda *_: (print(len(numbers)), sys.exit(5)))
print("up", flush=True)
while True:
    time.sleep(0.05)  # signal.pause() would wait for ever, if the signal came just before it
"""
"""Prints each SIGINT; at SIGTERM, how many there were."""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_exec_passes_a_sigint_that_it_alone_gets_on_to_the_command() -> None:
    with subprocess.Popen(
        [*COMMAND, "exec", "--", sys.executable, "-c", WAITS], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"got 2\n"
        process.terminate()

        assert (process.stdout.read(), process.wait(LIMIT)) == (b"1\n", 5)


TERMINAL = """
import os, pty, subprocess, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
def line():
    text = b""
    while not text.endswith(b"\\n"):
        text += os.read(terminal, 1)
    return text.decode().strip()
assert line() == "up"
{interrupt}
assert line() in ("got 2", "^Cgot 2")
os.kill(pid, 15)
print(line())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a terminal's SIGINT from another")
@pytest.mark.parametrize("interrupt", ["os.write(terminal, bytes([3]))", "os.kill(pid, 2)"])
def test_in_a_terminal_the_command_gets_each_interrupt_once(interrupt: str) -> None:
    """Ctrl-C reaches it by itself, `kill` does not."""
    program = TERMINAL.format(interrupt=interrupt)
    done = subprocess.run(
        [sys.executable, "-c", program, *COMMAND, "exec", "--", sys.executable, "-c", WAITS],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )

    assert (done.returncode, done.stdout.strip()) == (5, "1"), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission to execute")
def test_what_may_not_be_executed_ends_with_126_and_says_so(tmp_path: Path) -> None:
    plain, broken = tmp_path / "plain", tmp_path / "broken"
    plain.touch(0o644)
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    found = {name: execute("--", str(name)) for name in (plain, tmp_path, broken)}

    assert [done.returncode for done in found.values()] == [126, 126, 126]
    assert [done.stderr for done in found.values()] == [
        f"Error: {plain}: Permission denied\n",
        f"Error: {tmp_path}: Is a directory\n",
        f"Error: {broken}: No such file or directory\n",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission to execute")
def test_a_file_on_the_path_that_may_not_be_executed_is_no_missing_one(tmp_path: Path) -> None:
    (tmp_path / "plain").touch(0o644)
    (tmp_path / "folder").mkdir()
    path = f"{tmp_path}:{os.environ['PATH']}"

    assert execute("--", "plain", PATH=path).returncode == 126
    assert execute("--", "folder", PATH=path).returncode == 127


@pytest.mark.parametrize("name", ["a" * 300, f"./{'a' * 300}"])
def test_a_name_that_no_file_can_have_is_one_line(name: str) -> None:
    done = execute("--", name)

    assert done.returncode in {126, 127}
    assert done.stderr.count("\n") == 1
