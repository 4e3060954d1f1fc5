"""The command, as a process and within this one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from click.testing import CliRunner

from emulator.cli.main import main
from tests.limits import LIMIT

COMMAND = [sys.executable, "-m", "emulator"]


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


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.output


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
