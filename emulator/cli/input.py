"""What is given to a command as `-` or as a file."""

import sys
from pathlib import Path

from emulator.core.errors import Misconfigured

MOST = 16 * 1024 * 1024
"""Bytes. A device can go on for ever."""


def stdin() -> bytes:
    """Raises Misconfigured."""
    if sys.stdin is None:
        raise Misconfigured("can't read stdin: it is closed")
    try:
        return sys.stdin.buffer.read(MOST)
    except OSError as error:
        raise Misconfigured(f"can't read stdin: {error.strerror or error}") from None


def file(path: Path) -> bytes:
    """Raises Misconfigured."""
    try:
        with path.open("rb") as opened:
            return opened.read(MOST)
    except OSError as error:
        raise Misconfigured(f"can't read {path}: {error.strerror or error}") from None
