"""`identity-emulator exec`."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from emulator.cli.logging import end
from emulator.cli.options import CONTEXT, exported, served, world_options
from emulator.server.run import bind, serving_in_thread

NOT_FOUND, NOT_RUNNABLE, KILLED = 127, 126, 128
"""Exit statuses of POSIX shells; KILLED is added to the signal's number."""


@click.command("exec", context_settings={**CONTEXT, "allow_interspersed_args": False})
@world_options
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port to listen on; 0 lets the system pick.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(*, port: int, command: tuple[str, ...], **options: Any) -> None:
    """Run COMMAND with an emulator of its own: `identity-emulator exec --seed 7 -- npm test`.

    Its environment has IDENTITY_EMULATOR_URL, SPACETIMEDB_URI, INTUITION_API_URL and INTUITION_API_KEY, and each
    actor's tokens and keys, like ALICE_TOKEN. The exit status is the command's.
    """
    what = served(**options)
    listener = bind(what.host, port)
    with exported(what), serving_in_thread(what.stage, what.guard, listener) as emulator:
        token = {"IDENTITY_EMULATOR_CONTROL_TOKEN": what.guard.token} if what.guard.token else {}
        status = _run(command, {**os.environ, **emulator.env(), **emulator.actors_env(), **token})
    end(status)


def _run(command: tuple[str, ...], environment: Mapping[str, str]) -> int:
    """The command's exit status, as a shell would return it."""
    program = shutil.which(command[0])
    if program is None:
        click.echo(f"Error: {command[0]}: command not found", err=True)
        return NOT_FOUND
    try:
        process = subprocess.Popen([program, *command[1:]], env=dict(environment))  # noqa: S603 - the user's own
    except OSError as error:
        click.echo(f"Error: {command[0]}: {error.strerror}", err=True)
        return NOT_RUNNABLE
    with process, _passing_signals(process):
        status = process.wait()
    return status if status >= 0 else KILLED - status


@contextmanager
def _passing_signals(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Forward signals that end this process to the command. Ctrl-C reaches it directly: same process group."""
    passed = (signal.SIGTERM,) if sys.platform == "win32" else (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda number, _: process.send_signal(number)) for number in passed}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
