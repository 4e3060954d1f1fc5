"""The log of `serve` and `exec`, on stderr.

Who starts a server often reads its stderr late or never: a pipe that is full must not stop the server. So a line is
written when stderr takes it, else dropped and counted.
"""

import json
import logging
import os
import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TextIO

from emulator.core.clock import rfc3339
from emulator.journal.masking import printable, readable

if sys.platform != "win32":
    import select

LONGEST_LINE = 4096
"""Bytes."""
_LONGEST_TRACEBACK = 3000
"""Characters, the last ones."""


@contextmanager
def log_to_stderr(style: str, level: str) -> Iterator[None]:
    """Within the block, warnings of everything and what the emulator logs from `level` on go to stderr."""
    root, ours = logging.getLogger(), logging.getLogger("emulator")
    handler, before = _handler(sys.stderr), (root.level, ours.level)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    ours.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        root.removeHandler(handler)
        root.setLevel(before[0])
        ours.setLevel(before[1])
        handler.close()


def announce(banner: Sequence[str], **fields: Any) -> None:
    """The first record, at any level: lines for people, or fields."""
    text = "\n".join(map(printable, banner))
    given = {"name": "emulator", "msg": "%s", "args": (text,), "levelno": logging.INFO, "levelname": "INFO"}
    record = logging.makeLogRecord({**given, "fields": {"event": "start", **fields}})
    logging.getLogger("emulator").handle(record)


def end(status: int) -> NoReturn:
    """End the process, once everything is written; on Windows also while a thread still waits for a reader."""
    if sys.platform == "win32":
        logging.shutdown()
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(status)
    sys.exit(status)


# --- formats ----------------------------------------------------------------------------------------------------------


class TextFormatter(logging.Formatter):
    """`2024-02-15T05:47:17.289011Z INFO    GET /v1/ping 401 …`; the lines of a traceback are indented."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        if fields.get("event") == "start":
            return record.getMessage()
        line = f"{_time(record)} {record.levelname:<7} {_message(record)}"
        return "\n    ".join([line, *_traceback(self, record)])


class JsonFormatter(logging.Formatter):
    """One JSON object in a line of ASCII. Long texts are cut until it fits."""

    def format(self, record: logging.LogRecord) -> str:
        found = {"time": _time(record), "level": record.levelname.lower(), **self._rest(record)}
        line, longest = json.dumps(found), LONGEST_LINE
        while len(line) >= LONGEST_LINE and longest > 1:
            longest //= 2
            line = json.dumps({name: _cut(value, longest) for name, value in found.items()})
        return line

    def _rest(self, record: logging.LogRecord) -> dict[str, Any]:
        if fields := _fields(record):
            return fields
        rest = {"event": "message", "logger": record.name, "message": _message(record)}
        traceback = _traceback(self, record)
        return {**rest, "traceback": "\n".join(traceback)} if traceback else rest


def _cut(value: Any, longest: int) -> Any:
    return f"{value[:longest]}…" if isinstance(value, str) and len(value) > longest else value


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = getattr(record, "fields", {})
    return found


def _time(record: logging.LogRecord) -> str:
    return rfc3339(round(record.created * 1_000_000))


def _message(record: logging.LogRecord) -> str:
    """Any library may log what a client sent."""
    return readable(record.getMessage(), LONGEST_LINE)


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    if not record.exc_info:
        return []
    text = formatter.formatException(record.exc_info)[-_LONGEST_TRACEBACK:]
    return [readable(line, _LONGEST_TRACEBACK) for line in text.splitlines()]


# --- handlers ---------------------------------------------------------------------------------------------------------


class Dropping(logging.Handler):
    """Counts the lines that were dropped, and says so before the next one that is not."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding
        self.dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - whatever is wrong with a record of some library
            self.dropped += 1
            return
        if not (self._told() and self.put(self._encoded(line))):
            self.dropped += 1

    def put(self, line: bytes) -> bool:
        """Write it, or return false at once. Never raises."""
        raise NotImplementedError

    def close(self) -> None:
        self.acquire()
        try:
            self._told()
        finally:
            self.release()
        super().close()

    def _told(self) -> bool:
        """Whether it is told how many were dropped."""
        if self.dropped:
            count = {"event": "dropped", "lines": self.dropped}
            text = f"{self.dropped:,} line{'s' if self.dropped > 1 else ''} dropped"
            record = logging.makeLogRecord({"msg": text, "levelname": "WARNING", "fields": count})
            if not self.put(self._encoded(self.format(record))):
                return False
            self.dropped = 0
        return True

    def _encoded(self, line: str) -> bytes:
        data = line.encode(self._encoding, "backslashreplace")
        if len(data) >= LONGEST_LINE:
            data = data[: LONGEST_LINE - 1].decode(self._encoding, "ignore").encode(self._encoding)
        return data + b"\n"


if sys.platform != "win32":

    class Polling(Dropping):
        """Asks the system whether the descriptor takes something."""

        def __init__(self, descriptor: int, encoding: str = "utf-8") -> None:
            super().__init__(encoding)
            self._given, self._descriptor = descriptor, _own_terminal(descriptor)
            self._poll = select.poll()
            self._poll.register(self._descriptor, select.POLLOUT)
            self._torn = False

        def close(self) -> None:
            super().close()
            if self._descriptor != self._given:
                os.close(self._descriptor)

        def put(self, line: bytes) -> bool:
            # Of a line that is torn, because it did not fit, the next one must not seem to be the end.
            left = b"\n" + line if self._torn else line
            while left:
                # What a descriptor that takes something takes at once (POSIX): 4,096 bytes on Linux, 512 on macOS.
                written = self._write(left[: select.PIPE_BUF])
                if not written:
                    self._torn = self._torn or len(left) < len(line)
                    return False
                left = left[written:]
            self._torn = False
            return True

        def _write(self, piece: bytes) -> int:
            try:
                return os.write(self._descriptor, piece) if self._poll.poll(0) else 0
            except OSError:  # nobody will ever read it, or another process made it non-blocking
                return 0

    def _own_terminal(descriptor: int) -> int:
        """A terminal that was stopped (Ctrl-S) takes less than it says: it is opened once more, without blocking."""
        try:
            return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            return descriptor


class Queueing(Dropping):
    """For Windows, where nothing tells whether a pipe takes something: a thread writes, and may wait for ever."""

    def __init__(self, descriptor: int, encoding: str = "utf-8", size: int = 1000) -> None:
        super().__init__(encoding)
        self._descriptor = descriptor
        self._lines: queue.Queue[bytes | None] = queue.Queue(size)
        self._writer = threading.Thread(target=self._write, name="identity-emulator log", daemon=True)
        self._writer.start()

    def put(self, line: bytes) -> bool:
        with suppress(queue.Full):
            self._lines.put_nowait(line)
            return True
        return False

    def close(self) -> None:
        """Waits for the writer, but not for long."""
        super().close()
        with suppress(queue.Full):
            self._lines.put(None, timeout=_PATIENCE)
            self._writer.join(_PATIENCE)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            with suppress(OSError):
                os.write(self._descriptor, line)


_PATIENCE = 0.25
"""Seconds."""


def _handler(stderr: TextIO | None) -> logging.Handler:
    if stderr is None:  # it was closed at the start
        return logging.NullHandler()
    try:
        descriptor = stderr.fileno()
    except (OSError, AttributeError):
        return logging.StreamHandler(stderr)
    if sys.platform != "win32":
        return Polling(descriptor, stderr.encoding)
    return Queueing(descriptor, stderr.encoding)
