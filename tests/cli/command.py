"""The command, as a process and within this one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any, TextIO

import pytest
from click.testing import CliRunner

from emulator.cli.main import main
from tests.limits import LIMIT

COMMAND = [sys.executable, "-m", "emulator"]
NAME = "identity-emulator"


def environment(**variables: str) -> dict[str, str]:
    """This process's, without settings of its own for an emulator."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("IDENTITY_EMULATOR_")}
    return {**mine, **variables}


@contextmanager
def serving(
    *options: str, before: tuple[str, ...] = (), stderr: int = subprocess.PIPE, **variables: str
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A process that serves, and its ready line; `before` is a command that runs it."""
    process = subprocess.Popen(
        [*before, *COMMAND, "serve", *options],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=environment(**variables),
    )
    with process:
        assert process.stdout
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()


def run(*arguments: str, charset: str = "utf-8", **variables: str) -> tuple[int, str]:
    """Status and output of the command within this process, stderr included."""
    result = CliRunner(charset=charset).invoke(main, arguments, env=variables, prog_name=NAME)
    return result.exit_code, result.output


def printed_to(stdout: TextIO | None, *arguments: str) -> tuple[object, str]:
    """Status and stderr of the command within this process, with this stdout."""
    errors = StringIO()
    with redirect_stdout(stdout), redirect_stderr(errors), pytest.raises(SystemExit) as ended:
        main(arguments, prog_name=NAME)
    return ended.value.code, errors.getvalue()


def execute(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return called("exec", *arguments, **variables)


def called(*arguments: str, stdin: bytes | str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """A process of the command, and what it printed."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=given,
        capture_output=True,
        env=environment(**variables),
        check=False,
        timeout=LIMIT,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, *(text.decode(errors="surrogateescape") for text in (done.stdout, done.stderr))
    )
