"""How signals end `serve`.

`loop.add_signal_handler` has the loop call a function, which a stuck loop never does. What `signal.signal` installs,
Python calls in the main thread: between two instructions, and within a regular expression. Other code in C that holds
the interpreter, like `10 ** 10 ** 9`, can't be ended so.

Only light modules are imported here, since signals may come while the heavy ones are.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

GRACE = 0.8
"""Seconds that the loop has to end by itself."""
_LAST = 5.0
"""Seconds for the export of a server whose loop did not; a lock that the stuck code holds could stop it."""

Action = Callable[[], object]


def end_at_once(status: int = 0) -> None:
    """End the process without a word: there is nothing to close or to write yet, or nothing more."""
    os._exit(status)


def end_at_once_when_told() -> None:
    """While modules are imported, have signals end the process with status 0."""
    for number in _ending():
        signal.signal(number, lambda *_: end_at_once())


def tell() -> None:
    """Do what SIGTERM would, from any thread."""
    if sys.platform == "win32":  # where `kill` would end the process without asking it
        signal.raise_signal(signal.SIGTERM)
    else:
        # To the main thread, or it could go on waiting for its sockets.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def _ending() -> list[signal.Signals]:
    """Ctrl-C, `kill`, a closed terminal, Ctrl-Break on Windows."""
    if sys.platform == "win32":
        return [signal.SIGINT, signal.SIGTERM, signal.SIGBREAK]
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # by `nohup`
        return [signal.SIGINT, signal.SIGTERM]
    return [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class Signals:
    """What signals do to a server while the block lasts. Only the first does anything."""

    def __init__(self) -> None:
        self._first: Action = end_at_once
        self._alarm = _Alarm()
        self._before = {
            number: signal.signal(number, lambda *_: self._told())
            for number in (_ending() if threading.current_thread() is threading.main_thread() else [])
        }

    def __enter__(self) -> "Signals":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def running(self, loop: "asyncio.AbstractEventLoop", stop: Action, finish: Callable[[], int]) -> None:
        """From now on, a signal has the loop call `stop`.

        If the loop has not ended after `GRACE` seconds, `finish` is called in its place. It returns the exit status.
        """

        def first() -> None:
            self._alarm.set(GRACE, lambda: self._finish(finish))
            with suppress(RuntimeError):  # it is closed already
                loop.call_soon_threadsafe(stop)

        self._first = first

    def close(self) -> None:
        """The loop has ended by itself."""
        self._first = lambda: None
        self._alarm.cancel()

    def _told(self) -> None:
        first, self._first = self._first, lambda: None
        first()

    def _finish(self, finish: Callable[[], int]) -> None:
        self._alarm.set(_LAST, lambda: end_at_once(2))
        end_at_once(finish())


if sys.platform == "win32":

    class _Alarm:
        """Calls a function after some time, in a thread: Windows has no timer that reaches the main thread."""

        def __init__(self) -> None:
            self._timer = threading.Timer(0, lambda: None)

        def set(self, seconds: float, action: Action) -> None:
            self.cancel()
            self._timer = threading.Timer(seconds, action)
            self._timer.daemon = True
            self._timer.start()

        def cancel(self) -> None:
            self._timer.cancel()

else:

    class _Alarm:
        """Calls a function after some time, in the main thread.

        A thread would wait for the interpreter, which a regular expression does not let go.
        """

        def set(self, seconds: float, action: Action) -> None:
            signal.signal(signal.SIGALRM, lambda *_: action())
            signal.setitimer(signal.ITIMER_REAL, seconds)

        def cancel(self) -> None:
            signal.setitimer(signal.ITIMER_REAL, 0)
