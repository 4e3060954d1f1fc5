"""Files that others read, written as a whole; pipes and devices, of which nobody may ever take anything."""

import errno
import os
import re
import stat
import sys
from contextlib import suppress
from pathlib import Path

from emulator.core.errors import Misconfigured

if sys.platform != "win32":
    import select

PRIVATE, SHARED = 0o600, 0o666
"""Permissions, less the umask."""

_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)
_BINARY: int = getattr(os, "O_BINARY", 0)
_PATIENCE = 0.8
"""Seconds in which a pipe must take something."""
_DESCRIPTORS = re.compile(r"/dev/fd|/proc/[^/]+(/task/[^/]+)?/fd")


def write_whole(path: Path, data: bytes, option: str, mode: int) -> None:
    """Write a file so that readers see all of it or nothing. Raises Misconfigured, with the `option` that named it.

    A device, a pipe, and what stdout or stderr goes to is written to, never replaced. A link to one is followed; a link
    to a file is replaced, since what it points to may be somebody else's.
    """
    try:
        target = _in_place(path)
        if target is None:
            _replace(path, data, mode)
        else:
            _fill(target, data)
    except (OSError, ValueError) as error:
        named = f"{option} {path}".strip()
        raise Misconfigured(f"can't write {named}: {getattr(error, 'strerror', None) or error}") from None


def _in_place(path: Path) -> Path | int | None:
    """What is written to: a path, or a descriptor that is open; None for a file to replace. Raises OSError."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    for descriptor in (1, 2):
        with suppress(OSError):
            if os.path.samestat(found, os.fstat(descriptor)):
                return descriptor
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    return None if stat.S_ISREG(found.st_mode) and not _DESCRIPTORS.fullmatch(os.path.realpath(path.parent)) else path


def _fill(target: Path | int, data: bytes) -> None:
    """Raises OSError."""
    if isinstance(target, int):
        write_patiently(target, data, _PATIENCE)
        return
    descriptor = os.open(target, os.O_WRONLY | _NO_WAIT | _BINARY)
    try:
        write_patiently(descriptor, data, _PATIENCE)
    finally:
        os.close(descriptor)


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Raises OSError."""
    # Nobody can guess the name, and so put a link to another file there.
    beside = path.with_name(f".identity-emulator-{os.urandom(8).hex()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def write_patiently(descriptor: int, data: bytes, patience: float) -> None:
    """Write to a pipe, terminal or file. Raises TimeoutError if nothing is taken for `patience` seconds, and OSError.

    On Windows, which can't tell whether a pipe takes anything, this waits as long as the reader lets it.
    """
    while data:
        if sys.platform != "win32" and not takes_text(descriptor, patience):
            raise TimeoutError(errno.ETIMEDOUT, "nobody reads it")
        with suppress(BlockingIOError):
            data = data[os.write(descriptor, data[:_PIECE]) :]


if sys.platform != "win32":
    _PIECE = select.PIPE_BUF
    """Bytes that a pipe which takes any takes at once (POSIX)."""

    def takes_text(descriptor: int, patience: float = 0.0) -> bool:
        """Whether a write would not wait, now or within `patience` seconds."""
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        return bool(poll.poll(patience * 1000))

else:
    _PIECE = 4096

    def takes_text(descriptor: int, patience: float = 0.0) -> bool:
        return True
