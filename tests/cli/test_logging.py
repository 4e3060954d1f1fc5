"""The log on stderr: whoever reads it, or doesn't, the server answers; what is in it can be told apart."""

import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests

from emulator.cli import logging as log
from emulator.cli.logging import Dropping, JsonFormatter, Queueing, TextFormatter, announce, log_to_stderr
from tests.cli.command import COMMAND, serving
from tests.limits import LIMIT
from tests.raw import connect, exchange, read_statuses, request
from tests.waiting import eventually

ENDED = 30.0
"""Seconds until the end of a process that is told to; it takes a tenth of one, but a busy machine more."""
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


# --- nobody reads -----------------------------------------------------------------------------------------------------


def pipe() -> tuple[int, int]:
    return os.pipe()


def socket_pair() -> tuple[int, int]:
    """What Node's `spawn` gives its children."""
    ours, theirs = socket.socketpair()
    return ours.detach(), theirs.detach()


def terminal() -> tuple[int, int]:
    import pty

    return pty.openpty()


@contextmanager
def with_unread_stderr(ours: int, theirs: int, *options: str) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """A process that serves, and its URL."""
    command = [*COMMAND, "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    with process:
        assert process.stdout
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()
            os.close(ours)


def refused(url: str, times: int) -> None:
    """So many requests on one connection, each refused and logged."""
    with connect(url, timeout=LIMIT) as connection:
        for _ in range(times // 10):
            connection.sendall(request("GET", f"/nope/{'x' * 80}") * 10)
            read_statuses(connection, 404, 10)


def all_there_is(descriptor: int) -> str:
    os.set_blocking(descriptor, False)
    found = b""
    with suppress(OSError):
        while data := os.read(descriptor, 65536):
            found += data
    return found.decode().replace("\r\n", "\n")


posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither poll nor SIGTERM")


@posix
@pytest.mark.parametrize("kind", [pipe, socket_pair, terminal])
def test_a_stderr_that_nobody_reads_stops_nothing(kind: Any) -> None:
    ours, theirs = kind()
    with with_unread_stderr(ours, theirs) as (process, url):
        refused(url, 1500)
        process.terminate()

        assert process.wait(ENDED) == 0


@posix
@pytest.mark.parametrize("kind", [pipe, socket_pair, terminal])
def test_who_reads_again_is_told_how_many_lines_are_missing(kind: Any) -> None:
    ours, theirs = kind()
    sent, text = 1500, ""
    with with_unread_stderr(ours, theirs, "--log-format", "json") as (_, url):
        refused(url, sent)

        def all_is_told() -> bool:
            nonlocal sent, text
            text += all_there_is(ours)
            told = sum(line.get("lines", line["event"] == "request") for line in whole_lines(text))
            if 0 <= told - sent < 5:  # of a line that was torn off, only the line end may be missing
                return True
            refused(url, 10)
            sent += 10
            return False

        assert eventually(all_is_told)

    assert "dropped" in {line["event"] for line in whole_lines(text) if line["level"] == "warning"}


def whole_lines(text: str) -> list[dict[str, Any]]:
    found = []
    for line in text.splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


@posix
def test_a_reader_that_went_away_stops_nothing() -> None:
    ours, theirs = pipe()
    with with_unread_stderr(os.dup(ours), theirs) as (process, url):
        os.close(ours)
        refused(url, 50)
        process.terminate()

        assert process.wait(ENDED) == 0


@posix
def test_a_command_of_exec_goes_on_though_nobody_reads_its_log() -> None:
    program = (
        "import os, urllib.request, urllib.error\n"
        "for _ in range(1500):\n"
        "    try: urllib.request.urlopen(os.environ['SPACETIMEDB_URI'] + '/nope/' + 'x' * 80)\n"
        "    except urllib.error.HTTPError: pass\n"
        "print('done')"
    )
    ours, theirs = pipe()
    command = [*COMMAND, "exec", "--", sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        try:
            assert process.communicate(timeout=LIMIT)[0] == b"done\n"
        finally:
            process.kill()
            os.close(ours)


# --- what it says -----------------------------------------------------------------------------------------------------


def logged(*options: str) -> str:
    """Of a server that refused a request, was reset and was looked at."""
    with serving("--port", "0", "--seed", "7", *options) as (process, ready):
        exchange(ready["url"], request("GET", "/v1/ping?token=a.b", "User-Agent: x"), timeout=LIMIT)
        requests.post(f"{ready['url']}/_emulator/reset", timeout=LIMIT)
        requests.get(f"{ready['url']}/_emulator/state", timeout=LIMIT)
        process.terminate()
        assert process.stderr
        return process.stderr.read()


def test_each_line_begins_with_a_time_and_a_level() -> None:
    lines = logged().splitlines()[-2:]

    assert re.fullmatch(rf"{TIME} INFO    GET /v1/ping 401 segments: a token has .*", lines[0])
    assert re.fullmatch(rf"{TIME} INFO    POST /_emulator/reset 200 by 127.0.0.1 python-requests/.*", lines[1])


def test_with_json_every_line_is_json() -> None:
    start, asked, reset = map(json.loads, logged("--log-format", "json").splitlines())

    assert (start["event"], start["level"], start["seed"], start["repeat"]) == ("start", "info", 7, "--seed 7")
    assert start["url"].startswith("http://127.0.0.1:")
    names = ["time", "level", "event", "method", "path", "status", "operation", "actor", "fault", "why", "ms"]
    assert list(asked) == list(reset) == names
    assert re.fullmatch(TIME, asked["time"])
    assert (asked["event"], asked["path"], asked["operation"]) == ("request", "/v1/ping", "spacetime.ping")
    assert (reset["event"], reset["path"], reset["operation"]) == ("control", "/_emulator/reset", "control.reset")


def test_the_start_is_told_at_any_level() -> None:
    assert json.loads(logged("--log-format", "json", "--log-level", "error"))["event"] == "start"


# --- formats ----------------------------------------------------------------------------------------------------------

FORGED = "x\n2026-01-01T00:00:00.000000Z INFO    POST /forged 200 \x1b[31m"


def record(message: str, *args: object, bug: BaseException | None = None) -> logging.LogRecord:
    info = (type(bug), bug, bug.__traceback__) if bug else None
    return logging.LogRecord("aiohttp.server", logging.ERROR, "x.py", 1, message, args, info)


def raised() -> BaseException:
    try:
        raise ValueError(f"{FORGED} password=hunter2")
    except ValueError as error:
        return error


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_no_message_of_any_library_forges_a_line_or_leaks(formatter: logging.Formatter) -> None:
    line = formatter.format(record("%s token=%s", FORGED, "hunter2"))

    assert line.isprintable()
    assert "hunter2" not in line


def test_lines_of_a_traceback_are_indented() -> None:
    first, *others = TextFormatter().format(record("a bug", bug=raised())).splitlines()

    assert first.endswith("ERROR   a bug")
    assert all(line.startswith("    ") and line.isprintable() for line in others)
    assert "hunter2" not in "".join(others)


def test_a_traceback_in_json_is_one_line() -> None:
    line = JsonFormatter().format(record("a bug", bug=raised()))

    assert line.isprintable()
    assert "ValueError" in json.loads(line)["traceback"]


@pytest.mark.parametrize("char", ["x", "\n", "é", "\U0001f600"])
def test_a_long_record_is_still_json(char: str) -> None:
    line = JsonFormatter().format(record(char * 10_000))

    assert len(line) < log.LONGEST_LINE
    assert json.loads(line)["message"].endswith("…")


def test_the_banner_is_for_people_as_it_is_but_for_what_steers_a_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    with (tmp_path / "log").open("w+") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        with log_to_stderr("text", "error"):
            announce(["", "  a \x1b[31m\nb"], url="x")
        stderr.seek(0)
        assert stderr.read() == "\n  a \\x1b[31m\\nb\n"


# --- handlers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stderr", [None, io.StringIO()])
def test_without_a_descriptor_a_log_can_be_written_too(
    monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    with log_to_stderr("text", "info"):
        logging.getLogger("emulator").warning("hello")

    assert stderr is None or stderr.getvalue().endswith("WARNING hello\n")


def test_at_its_end_everything_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    root, ours = logging.getLogger(), logging.getLogger("emulator")
    before = list(root.handlers), root.level, ours.level
    with log_to_stderr("text", "info"):
        assert (ours.handlers, root.level, ours.level) == ([], logging.WARNING, logging.INFO)

    assert (list(root.handlers), root.level, ours.level) == before


class Collecting(Dropping):
    def __init__(self) -> None:
        super().__init__("latin-1")
        self.setFormatter(TextFormatter())
        self.lines: list[bytes] = []
        self.full = False

    def put(self, line: bytes) -> bool:
        if not self.full:
            self.lines.append(line.split(b" ", 1)[1])
        return not self.full


def test_what_was_dropped_is_told_when_lines_are_taken_again() -> None:
    handler = Collecting()
    handler.full = True
    for _ in range(1204):
        handler.handle(record("gone"))
    handler.full = False
    handler.handle(record("here"))

    assert handler.lines == [b"WARNING 1,204 lines dropped\n", b"ERROR   here\n"]


def test_what_was_dropped_is_told_at_the_end_at_the_latest() -> None:
    handler = Collecting()
    handler.full = True
    handler.handle(record("gone"))
    handler.full = False
    handler.close()

    assert handler.lines == [b"WARNING 1 line dropped\n"]


def test_a_record_that_can_not_be_formatted_is_dropped() -> None:
    handler = Collecting()
    for each in (record("%d", "x"), record("here")):
        handler.handle(each)

    assert handler.lines == [b"WARNING 1 line dropped\n", b"ERROR   here\n"]


def test_what_the_encoding_does_not_have_is_escaped_and_a_long_line_is_cut() -> None:
    handler = Collecting()
    handler.handle(record("\u20ac" * 3))
    handler.handle(record("\u20ac" * 4000))

    assert handler.lines[0] == b"ERROR   \\u20ac\\u20ac\\u20ac\n"
    assert len(handler.lines[1]) < log.LONGEST_LINE


def test_a_thread_writes_where_nothing_tells_whether_a_pipe_takes_something() -> None:
    """On Windows; the handler itself works everywhere."""
    ours, theirs = os.pipe()
    handler = Queueing(theirs, size=10)
    handler.setFormatter(TextFormatter())
    for _ in range(2000):
        handler.emit(record("x" * 200))

    def is_full() -> bool:
        handler.emit(record("x" * 200))
        return handler.dropped > 100

    assert eventually(is_full)

    received = b""

    def read_on() -> bool:
        nonlocal received
        received += os.read(ours, 65536)
        handler.emit(record("again"))
        return b"lines dropped\n" in received and b"again\n" in received

    assert eventually(read_on)
    handler.close()
    os.close(theirs)
    os.close(ours)
