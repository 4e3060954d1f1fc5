"""`--exit-with-parent`: a server that ends when the process that started it has ended, however that was.

There are two signs of it. A process whose parent ends gets another one (POSIX). And the pipe or socket that a parent
gave as stdin has no writer then: also where a shell or a launcher stands between, which lives on. /dev/null, a terminal
and a file say nothing; Go's `exec.Command` gives /dev/null.
"""

import os
import stat
import sys
import threading
from collections.abc import Callable

PARENT = os.getppid()
"""Asked before anything slow is imported: a parent can end meanwhile."""

_LOOK_AGAIN = 0.2
"""Seconds."""
_STDIN = 0
_PIECE = 65536
"""Bytes of stdin that are read, and dropped, at once."""

Ended = Callable[[str], object]
"""Called with what has ended, in words."""


def watch(ended: Ended) -> None:
    """Have a thread call `ended`, once, when the parent has ended, and another when stdin has."""
    once = _Once(ended)
    threading.Thread(target=_watch_parent, args=(once,), name="watch-parent", daemon=True).start()
    if _is_from_a_program(_STDIN):
        threading.Thread(target=_watch_stdin, args=(once,), name="watch-stdin", daemon=True).start()


class _Once:
    def __init__(self, ended: Ended) -> None:
        self._ended = ended
        self._lock = threading.Lock()
        self._is_over = False

    def __call__(self, what: str) -> None:
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
        self._ended(what)


def _is_from_a_program(descriptor: int) -> bool:
    """Whether it is a pipe or a socket, whose end tells that nobody holds the other side."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _watch_stdin(ended: Ended) -> None:
    try:
        while _read_some(_STDIN):
            pass
    except OSError:  # a socket that was reset
        pass
    ended("stdin has ended")


if sys.platform == "win32":
    _SYNCHRONIZE, _SIGNALLED = 0x0010_0000, 0

    def _read_some(descriptor: int) -> bytes:
        return os.read(descriptor, _PIECE)

    def _watch_parent(ended: Ended) -> None:
        """Windows keeps the number of a parent that has ended, so a handle is waited for."""
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.OpenProcess.restype = ctypes.c_void_p
        handle = kernel.OpenProcess(_SYNCHRONIZE, False, PARENT)  # noqa: FBT003 - the system's own signature
        denied = not handle and kernel.GetLastError() == 5  # ERROR_ACCESS_DENIED: it runs, and is somebody else's
        if denied:
            return
        while handle and kernel.WaitForSingleObject(ctypes.c_void_p(handle), int(_LOOK_AGAIN * 1000)) != _SIGNALLED:
            pass
        ended(f"the parent process {PARENT} has ended")

else:
    import select

    def _read_some(descriptor: int) -> bytes:
        """What came, nothing at the end. Who shares the pipe may have set it to O_NONBLOCK. Raises OSError."""
        ready = select.poll()
        ready.register(descriptor, select.POLLIN)
        while True:
            ready.poll()
            try:
                return os.read(descriptor, _PIECE)
            except BlockingIOError:
                continue

    def _watch_parent(ended: Ended) -> None:
        wait = threading.Event().wait
        while os.getppid() == PARENT:
            wait(_LOOK_AGAIN)
        ended(f"the parent process {PARENT} has ended")
