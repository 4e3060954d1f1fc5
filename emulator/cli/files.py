"""The files that a server writes for others: the ready line, and the world at its end."""

import json
import os
import stat
import sys
import threading
from contextlib import suppress
from pathlib import Path

from emulator.core.files import SHARED, write_whole

_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)
_BINARY: int = getattr(os, "O_BINARY", 0)
_LONGEST = 65536
"""Bytes of a ready file that are read."""


def has_folder(path: Path) -> bool:
    """Whether there is the folder to write a file into, which a working directory that was deleted is not."""
    try:
        return stat.S_ISDIR(path.absolute().parent.stat().st_mode)
    except (OSError, ValueError):
        return False


def write_ready(path: Path, line: str) -> None:
    """Raises Misconfigured. The reader of a named pipe may come later; the server does not wait for it."""
    data = f"{line}\n".encode()
    with suppress(OSError, ValueError):
        if stat.S_ISFIFO(path.stat().st_mode):
            threading.Thread(target=_fill_when_read, args=(path, data), daemon=True).start()
            return
    write_whole(path, data, "--ready-file", SHARED)


def _fill_when_read(path: Path, data: bytes) -> None:
    with suppress(OSError):
        path.write_bytes(data)


def remove_own(path: Path) -> None:
    """Remove a ready file at the end of the server that it names; not another's, which started later."""
    if _pid_in(path) == os.getpid():
        with suppress(OSError):
            path.unlink()


def remove_stale(path: Path) -> None:
    """Remove a ready file of a server that ended without removing it."""
    pid = _pid_in(path)
    # A container's first process has the same number in every container.
    if pid is not None and (pid == os.getpid() or not _runs(pid)):
        with suppress(OSError):
            path.unlink()


def _pid_in(path: Path) -> int | None:
    """The pid in a ready file; None for anything else."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with os.fdopen(os.open(path, os.O_RDONLY | _NO_WAIT | _NO_FOLLOW | _BINARY), "rb") as file:
            found = json.loads(file.read(_LONGEST))
    except (OSError, ValueError, RecursionError):
        return None
    pid = found.get("pid") if isinstance(found, dict) else None
    return pid if type(pid) is int and pid > 0 else None


if sys.platform == "win32":

    def _runs(pid: int) -> bool:
        import ctypes

        query, still_active = 0x1000, 259  # PROCESS_QUERY_LIMITED_INFORMATION, STILL_ACTIVE
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(query, False, pid)  # noqa: FBT003 - the system's own signature
        if not handle:
            return bool(kernel.GetLastError() == 5)  # ERROR_ACCESS_DENIED: somebody else's
        status = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(status))
        kernel.CloseHandle(handle)
        return status.value == still_active

else:

    def _runs(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except PermissionError:
            return True
        except (ProcessLookupError, OverflowError):
            return False
        return not _is_zombie(pid)

    def _is_zombie(pid: int) -> bool:
        """Whether it has ended and only its parent has not asked how."""
        try:
            status = Path(f"/proc/{pid}/stat").read_bytes()
        except OSError:  # macOS has no /proc
            return False
        return status.rpartition(b")")[2].split()[:1] == [b"Z"]
