"""The stack of a loop that is stuck, on stderr."""

import asyncio
import faulthandler
import sys
from types import TracebackType

import click

from emulator.cli.signals import end_at_once
from emulator.core.clock import monotonic
from emulator.core.files import takes_text

STUCK = 2.0
"""Seconds within which a loop must turn."""
_LOOK = 0.5
_SURELY_NOT_DUE = STUCK * 0.75


class StuckLoop:
    """Prints the stack, once, when the watched loop has not turned for `STUCK` seconds.

    A thread of `faulthandler` prints it, also while code in C holds the interpreter. That thread waits when nobody
    reads stderr, and stopping it would wait too: so it is left alone while it may be at work and stderr takes nothing.
    """

    def __init__(self) -> None:
        self._armed: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stderr = _stderr()

    def watch(self) -> None:
        """The running loop, from now on."""
        self._timer = asyncio.get_running_loop().call_later(_LOOK, self.watch)
        self._disarm()
        if self._armed is None and self._stderr is not None and takes_text(self._stderr):
            faulthandler.dump_traceback_later(STUCK, file=self._stderr)
            self._armed = monotonic()

    def close(self) -> None:
        """The loop has ended."""
        if self._timer is not None:
            self._timer.cancel()
        self._disarm()

    def _disarm(self) -> None:
        """Unless that would wait."""
        if self._armed is None or self._stderr is None:
            return
        if monotonic() - self._armed < _SURELY_NOT_DUE or takes_text(self._stderr):
            faulthandler.cancel_dump_traceback_later()
            self._armed = None

    def __enter__(self) -> "StuckLoop":
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        self.close()
        if self._armed is None:
            return
        if error is not None:
            click.echo(f"Error: {error}", err=True)
        end_at_once(2 if error else 0)  # Python's own end would wait for the thread


def _stderr() -> int | None:
    """Its descriptor."""
    try:
        return sys.stderr.fileno()
    except (OSError, AttributeError):
        return None
