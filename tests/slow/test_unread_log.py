"""A server whose log nobody reads, as that of a child process often is."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from time import monotonic

import pytest

from tests.limits import LIMIT
from tests.raw import connect, read_statuses, request
from tests.slow.conftest import Figure

REFUSALS, AT_ONCE = 100_000, 100
SOON = 5.0
"""Seconds until the end of a process on a busy machine."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")


@pytest.fixture
def server() -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """With a pipe for its stderr that nobody reads, and its URL."""
    ours, theirs = os.pipe()
    command = [sys.executable, "-m", "emulator", "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    with process:
        assert process.stdout
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()
            os.close(ours)


def test_a_hundred_thousand_refusals_are_answered_and_logged_for_nobody(
    server: tuple["subprocess.Popen[bytes]", str], figure: Figure
) -> None:
    process, url = server
    began = monotonic()
    with connect(url, timeout=LIMIT) as connection:
        for _ in range(REFUSALS // AT_ONCE):
            connection.sendall(request("GET", "/nope") * AT_ONCE)
            read_statuses(connection, 404, AT_ONCE)
    figure(f"{REFUSALS:,} refusals with a log that nobody reads: a second", f"{REFUSALS / (monotonic() - began):.0f}")

    began = monotonic()
    process.terminate()
    assert process.wait(SOON) == 0
    figure("… SIGTERM to the end of the process, s", f"{monotonic() - began:.2f}")
