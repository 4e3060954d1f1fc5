"""`identity-emulator exec`."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import click

from emulator.cli.environment import EXEC, PREFIX
from emulator.cli.logging import end
from emulator.cli.options import CONTEXT, exported, served, setting, world_options
from emulator.server.run import serving_in_thread
from emulator.server.worlds import MOST_WORLDS

MARK = PREFIX + EXEC
"""The URL again, for the pytest plugin: it uses the emulator of `exec`, but none that was left in the environment."""
NOT_FOUND, NOT_RUNNABLE, KILLED = 127, 126, 128
"""Exit statuses of POSIX shells; KILLED is added to the signal's number."""


@click.command("exec", context_settings={**CONTEXT, "allow_interspersed_args": False})
@world_options
@setting("--port", default=0, type=click.IntRange(0, 65535), help="Port to listen on; 0 lets the system pick.")
@setting(
    "--worlds",
    default=0,
    type=click.IntRange(0, MOST_WORLDS),
    help="Open so many worlds more, each at a URL of its own: IDENTITY_EMULATOR_URL_0, _1 …",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(*, port: int, worlds: int, command: tuple[str, ...], **options: Any) -> None:
    """Run COMMAND with an emulator of its own.

    For example `identity-emulator exec --seed 7 -- npm test`. Its environment has IDENTITY_EMULATOR_URL,
    SPACETIMEDB_URI, INTUITION_API_URL and INTUITION_API_KEY, and each actor's tokens and keys, like ALICE_TOKEN; where
    a proxy is set, NO_PROXY names the emulator's host. With TLS the URLs are https, and NODE_EXTRA_CA_CERTS,
    SSL_CERT_FILE and REQUESTS_CA_BUNDLE name files with its CA. The pytest plugin uses this emulator, except under
    xdist. The exit status is the command's.

    Test runners that run side by side need a world each: `--worlds 4` opens four more, with the same seed, keys and
    tokens, and names them in IDENTITY_EMULATOR_URL_0 to IDENTITY_EMULATOR_URL_3.
    """
    what = served(**options)
    with (
        exported(what),
        _Passing() as passing,
        what.listening(port) as listening,
        serving_in_thread(what.stage, what.guard, listening) as emulator,
    ):
        urls = {f"{PREFIX}URL_{number}": emulator.worlds.open().url for number in range(worlds)}
        started = {MARK: emulator.url, **urls}
        status = _run(command, {**os.environ, **emulator.env(), **emulator.actors_env(), **started}, passing)
    end(status)


def _run(command: tuple[str, ...], environment: Mapping[str, str], passing: "_Passing") -> int:
    """The command's exit status, as a shell would return it."""
    program = shutil.which(command[0])
    if program is None:
        return _not_run(command[0])
    try:
        with passing.paused():
            process = subprocess.Popen([program, *command[1:]], env=dict(environment))  # noqa: S603 - the user's own
    except OSError as error:
        return _failed(command[0], error.strerror or str(error), NOT_RUNNABLE)
    with process:
        passing.to(process)
        status = process.wait()
    return status if status >= 0 else KILLED - status


def _not_run(command: str) -> int:
    """Why there is no such program: it is nowhere, or is found and may not be executed."""
    named = bool(os.path.dirname(command))  # noqa: PTH120 - "./x" has one, for a Path it has none
    places = [Path(command)] if named else [Path(folder, command) for folder in os.get_exec_path()]
    for place in places:
        try:
            mode = place.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            if named:
                return _failed(command, error.strerror or str(error), NOT_RUNNABLE)
        else:
            if named or stat.S_ISREG(mode):
                why = "Is a directory" if stat.S_ISDIR(mode) else "Permission denied"
                return _failed(command, why, NOT_RUNNABLE)
    return _failed(command, "command not found", NOT_FOUND)


def _failed(command: str, why: str, status: int) -> int:
    click.echo(f"Error: {command}: {why}", err=True)
    return status


class _Passing:
    """Passes signals that end this process on to the command.

    Ctrl-C reaches the command by itself, which is in the same process group; passed on, it would come twice. Linux
    tells who sent a signal to those who ask for it with `sigwaitinfo`, for which it must be blocked.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def __enter__(self) -> "_Passing":
        handlers = dict.fromkeys(_PASSED, self._pass) | {signal.SIGINT: self._interrupt}
        # What was ignored at the start stays ignored here and in the command.
        taken = {number for number in handlers if signal.getsignal(number) is not signal.SIG_IGN}
        self._before = {number: signal.signal(number, handlers[number]) for number in taken}
        self._asking = sys.platform == "linux" and signal.SIGINT in taken
        self._block()
        return self

    def __exit__(self, *_: object) -> None:
        self._unblock()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is blocked within the block: a process that is started there inherits that."""
        self._unblock()
        try:
            yield
        finally:
            self._block()

    def to(self, process: "subprocess.Popen[bytes]") -> None:
        """From now on, and what came before."""
        self._process = process
        for number in self._early:
            self._pass(number)
        if self._asking:
            threading.Thread(target=self._pass_interrupts, daemon=True).start()

    def _pass(self, number: int, _: FrameType | None = None) -> None:
        if self._process is None:
            self._early.append(number)
            return
        with suppress(OSError):
            self._process.send_signal(number)

    def _interrupt(self, number: int, _: FrameType | None) -> None:
        if self._process is None or not _has_terminal():
            self._pass(number)

    if sys.platform == "linux":

        def _block(self) -> None:
            if self._asking:
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

        def _unblock(self) -> None:
            if self._asking:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

        def _pass_interrupts(self) -> None:
            while True:
                sent = signal.sigwaitinfo({signal.SIGINT})
                if sent.si_code <= 0:  # SI_USER and its like: by a process. The terminal's is SI_KERNEL, 128
                    self._pass(sent.si_signo)

    else:

        def _block(self) -> None:
            """Nobody tells who sent a signal."""

        _unblock = _pass_interrupts = _block


if sys.platform == "win32":
    _PASSED = (signal.SIGTERM,)

    def _has_terminal() -> bool:
        return True  # Ctrl-C is all there is

else:
    _PASSED = (signal.SIGTERM, signal.SIGHUP)

    def _has_terminal() -> bool:
        """Whether Ctrl-C in a terminal sends SIGINT to this process, and so to the command."""
        try:
            terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
        except OSError:
            return False
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        except OSError:
            return False
        finally:
            os.close(terminal)
