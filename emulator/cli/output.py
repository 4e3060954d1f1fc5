"""What the command prints.

Within `printing()`, `click.echo` can print any text: what a terminal can't show is escaped. Where stdout can't be
written, the command ends with one line and status 2. Nothing that is printed on stderr raises or waits.
"""

import errno
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import click

from emulator.core.files import write_patiently

_PATIENCE = 0.1
"""Seconds that a text waits for a stderr whose pipe is full; then it is dropped."""


class Unwritable(click.ClickException):
    exit_code = 2


@contextmanager
def printing() -> Iterator[None]:
    """Have stdout and stderr take any text within the block."""
    stdout, stderr = sys.stdout, sys.stderr
    _occupy_closed_descriptors()
    sys.stdout, sys.stderr = _Stdout(stdout), _Stderr(stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = stdout, stderr


def allow_end_of_reader() -> None:
    """Of a command whose output is read by others: `identity-emulator ctl journal | head`."""
    if isinstance(sys.stdout, _Stdout):
        sys.stdout.is_quiet = True


def _occupy_closed_descriptors() -> None:
    """A process may start without 0, 1 or 2. A socket that got such a number would be sent what is meant for stderr."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, and is not inherited


class ReaderGone(Unwritable):
    """Who read stdout has ended, like `head`: that is no mistake. The status is a shell's for SIGPIPE."""

    exit_code = 141

    def show(self, file: Any = None) -> None:
        """Says nothing."""


class _Stream(io.TextIOBase):
    """Has no `buffer`, or click would write to that."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        if self._stream is None:
            raise io.UnsupportedOperation("it is closed")
        return self._stream.fileno()


_NO_READER = (errno.EPIPE, errno.EINVAL) if sys.platform == "win32" else (errno.EPIPE,)


class _Stdout(_Stream):
    is_quiet = False
    """Whether a reader that has ended is no mistake."""

    def write(self, text: str) -> int:
        """Raises Unwritable."""
        if not _is_text(text):
            return 0
        try:
            if self._stream is None:
                raise OSError(errno.EBADF, "it is closed")
            self._stream.write(printable(text, self.encoding))
            self._stream.flush()
        except OSError as error:
            self._discard()
            if error.errno in _NO_READER and self.is_quiet:
                raise ReaderGone("nobody reads stdout") from None
            raise Unwritable(f"can't write to stdout: {error.strerror or error}") from None
        return len(text)

    def _discard(self) -> None:
        """Whatever is still buffered: Python would try to write it once more at its end."""
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())


class _Stderr(_Stream):
    def write(self, text: str) -> int:
        with suppress(OSError):
            if _is_text(text):
                _offer(printable(text, self.encoding), self._stream)
        return len(text)


def _is_text(given: object) -> bool:
    """Whether there is anything to write. click writes b"" and "" to find out what a stream takes."""
    if not isinstance(given, str):
        raise TypeError("text is written here, not bytes")
    return given != ""


def _offer(text: str, stream: TextIO | None) -> None:
    """Write what fits. Raises OSError."""
    if stream is None:
        return
    try:
        descriptor = stream.fileno()
    except OSError:  # of click's test runner
        stream.write(text)
        return
    write_patiently(descriptor, text.encode(stream.encoding, "backslashreplace"), _PATIENCE)


def printable(text: str, encoding: str) -> str:
    """The text with escapes for what the encoding does not have and for what steers a terminal."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(char if _shows(char, encoding) else char.encode("unicode_escape").decode() for char in text)


def _shows(char: str, encoding: str) -> bool:
    if not char.isprintable():
        return char in "\n\t"
    try:
        char.encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def printable_json(value: Any) -> str:
    """Indented JSON for stdout, with JSON's own escapes where `printable` would put others."""
    encoding = sys.stdout.encoding
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "".join(char if _shows(char, encoding) else json.dumps(char)[1:-1] for char in text)
