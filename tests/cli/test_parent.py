"""`serve --exit-with-parent`: a killed test runner leaves no server behind."""

import json
import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import COMMAND, environment
from tests.limits import LIMIT

PARENT = textwrap.dedent(
    """
    import subprocess, sys
    subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL)
    """
)
"""A test runner that waits for its server, and gives it /dev/null as Go's `exec.Command` does."""


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A parent whose child serves, and the ready line of the child.

    Both write to one pipe, so its end says that both have ended.
    """
    command = [sys.executable, "-c", PARENT, *COMMAND, "serve", "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment()
    ) as parent:
        assert parent.stdout
        yield parent, json.loads(parent.stdout.readline())


def test_the_server_of_a_killed_parent_ends() -> None:
    with started("--exit-with-parent") as (parent, _):
        parent.kill()

        assert parent.stdout
        assert parent.stdout.read() == ""


def test_it_ends_as_after_sigterm_with_its_export_and_without_its_ready_file(tmp_path: Path) -> None:
    ready, world = tmp_path / "ready.json", tmp_path / "world.json"
    with started("--exit-with-parent", "--ready-file", str(ready), "--export-on-exit", str(world)) as (parent, line):
        assert json.loads(ready.read_text()) == line
        parent.kill()
        assert parent.stdout
        parent.stdout.read()

    assert json.loads(world.read_text())["seed"] == line["seed"]
    assert not ready.exists()


def test_without_the_option_it_lives_on() -> None:
    with started() as (parent, line):
        parent.kill()
        parent.wait(LIMIT)
        with socket.create_connection(("127.0.0.1", line["port"]), LIMIT) as client:
            client.sendall(b"GET /v1/ping HTTP/1.0\r\n\r\n")

            assert client.recv(12) == b"HTTP/1.0 200"
        os.kill(line["pid"], 15)


@contextmanager
def serving_from(stdin: Any, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A server that is ready, whose parent is this process, and with this stdin."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--exit-with-parent", *options],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with process:
        assert process.stdout
        assert json.loads(process.stdout.readline())
        try:
            yield process
        finally:
            process.terminate()


def test_the_end_of_a_pipe_as_stdin_ends_it() -> None:
    with serving_from(subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write("what is written there is not read by anybody\n")
        process.stdin.flush()
        assert process.poll() is None
        process.stdin.close()

        assert process.wait(LIMIT) == 0
        assert process.stderr
        assert "INFO    stdin has ended: this server ends\n" in process.stderr.read()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sockets as stdin")
def test_the_end_of_a_socket_as_stdin_ends_it() -> None:
    ours, its = socket.socketpair()
    with its, ours, serving_from(its) as process:
        its.close()
        ours.close()

        assert process.wait(LIMIT) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no O_NONBLOCK")
def test_a_pipe_that_does_not_block_is_waited_for_too() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with serving_from(reader) as process:
        os.close(reader)
        assert process.poll() is None
        os.close(writer)

        assert process.wait(LIMIT) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_the_end_of_an_empty_file_as_stdin_is_none(tmp_path: Path) -> None:
    """Nor is that of /dev/null, with which the first test here begins."""
    path = tmp_path / "empty"
    path.touch()
    with path.open() as empty, serving_from(empty) as process:
        process.terminate()
        process.wait(LIMIT)

        assert process.stderr
        assert "stdin has ended" not in process.stderr.read()


def test_a_parent_that_ends_while_the_world_is_made_ends_it(tmp_path: Path) -> None:
    """The scenario never finishes; it says on stdout that it has begun."""
    scenario = tmp_path / "it.py"
    scenario.write_text(
        textwrap.dedent(
            """
            import sys, time
            def scenario(*_):
                sys.__stdout__.write("{}\\n")
                sys.__stdout__.flush()
                while True:
                    time.sleep(0.01)
            """
        )
    )
    with started("--exit-with-parent", "--scenario", str(scenario)) as (parent, _):
        parent.kill()

        assert parent.stdout
        assert parent.stdout.read() == ""


def test_it_can_be_set_in_the_environment() -> None:
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(IDENTITY_EMULATOR_EXIT_WITH_PARENT="1"),
    ) as process:
        assert process.stdin
        process.stdin.close()

        assert process.wait(LIMIT) == 0
