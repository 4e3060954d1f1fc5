"""What the command prints where it can't be shown, can't be written, or nobody reads it."""

import json
import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cli.command import COMMAND, called, environment, printed_to, run
from tests.cli.test_token import minted
from tests.limits import LIMIT

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors")
FULL = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")

PRINTING = [("--version",), ("--help",), ("serve", "--help"), ("scenario", "list"), ("scenario", "schema")]
PRINTING += [
    ("scenario", "show", "two_friends"),
    ("scenario", "validate", "two_friends"),
    ("token", "decode", minted()),
]


def closed(descriptor: int) -> Any:
    """For `preexec_fn`."""
    return lambda: os.close(descriptor)


# --- encodings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp437", "utf-8"])
@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_every_encoding_shows_all_that_is_printed(arguments: tuple[str, ...], encoding: str) -> None:
    status, output = run(*arguments, charset=encoding)

    assert (status, output == "") == (0, False)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp437", "utf-8", "latin-1:strict"])
def test_the_encoding_of_a_process_is_used(encoding: str) -> None:
    done = called("serve", "--help", PYTHONIOENCODING=encoding)

    assert (done.returncode, done.stderr) == (0, "")


def test_names_in_a_scenario_are_escaped() -> None:
    text = "version: 1\nspacetime: {identities: {✓: {emial: a@b.c}}}\n"
    done = called("scenario", "validate", "-", stdin=text, PYTHONIOENCODING="latin-1")

    assert (done.returncode, done.stderr) == (1, "")
    assert "\\u2713" in done.stdout


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_a_decoded_token_is_json_in_every_encoding(encoding: str) -> None:
    claims = {"sub": "é✓\U0001f600", "iss": "localhost", "iat": 1, "aud": ["\x1b[31m\u202e\x9b"]}
    parts = [urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in ({"alg": "ES256"}, claims)]
    jwt = ".".join([*parts, ""])
    done = called("token", "decode", jwt, PYTHONIOENCODING=encoding)

    found = json.loads(done.stdout.encode(errors="surrogateescape").decode(encoding).partition("\nidentity")[0])
    assert (found["claims"]["sub"], found["claims"]["aud"]) == (claims["sub"], claims["aud"])


@pytest.mark.parametrize("name", ["\x1b[31mred", "\u202edeR", "\x9b31mred", "a\rb"])
def test_nothing_that_is_printed_steers_a_terminal(name: str) -> None:
    _, missing = run("scenario", "validate", f"{name}.yaml")
    _, also = run("serve", "--scenario", f"{name}.yaml")
    _, usage = run("serve", "--log-format", name)

    for text in (missing, also, usage):
        assert name not in text
        assert all(char.isprintable() or char == "\n" for char in text)


# --- nobody reads -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_closed_stdout_is_one_line_and_status_2(arguments: tuple[str, ...]) -> None:
    assert printed_to(None, *arguments) == (2, "Error: can't write to stdout: it is closed\n")


@FULL
@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_full_disk_is_one_line_and_status_2(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        assert printed_to(full, *arguments) == (2, "Error: can't write to stdout: No space left on device\n")


IN_PROCESSES = pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("scenario", "schema")], ids=" ".join)


@POSIX
@IN_PROCESSES
def test_a_process_without_stdout_ends_with_one_line_and_status_2(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [*COMMAND, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        preexec_fn=closed(1),
        timeout=LIMIT,
        check=False,
    )

    assert (done.returncode, done.stderr) == (2, "Error: can't write to stdout: it is closed\n")


@FULL
@IN_PROCESSES
def test_a_process_with_a_full_disk_ends_with_one_line_and_status_2(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), check=False
        )

    assert (done.returncode, done.stderr) == (2, "Error: can't write to stdout: No space left on device\n")


@POSIX
@IN_PROCESSES
def test_a_pipe_whose_reader_has_gone_is_one_line_and_status_2(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        done = subprocess.run(
            [*COMMAND, *arguments], stdout=pipe, stderr=subprocess.PIPE, text=True, env=environment(), check=False
        )

    assert (done.returncode, done.stderr) == (2, "Error: can't write to stdout: Broken pipe\n")


def serves(stderr: Any = None, **popen: Any) -> None:
    """Assert that a server whose banner goes to `stderr` serves, and ends with status 0."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=stderr, env=environment(), **popen
    ) as process:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        assert requests.get(f"{url}/v1/ping", timeout=LIMIT).status_code == 200
        assert requests.get(f"{url}/v1/nowhere", timeout=LIMIT).status_code == 404
        process.terminate()
        assert process.wait(LIMIT) == 0


@POSIX
def test_a_server_whose_stderr_is_closed_goes_on() -> None:
    serves(preexec_fn=closed(2))


@FULL
def test_a_server_whose_stderr_is_full_goes_on() -> None:
    with Path("/dev/full").open("w") as full:
        serves(full)


@POSIX
def test_a_server_whose_stderr_has_no_reader_goes_on() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        serves(pipe)


@POSIX
def test_a_server_whose_stderr_is_a_pipe_that_is_full_goes_on() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    while True:
        try:
            os.write(writer, b"x" * 4096)
        except BlockingIOError:
            break
    os.set_blocking(writer, True)
    with os.fdopen(writer, "w") as pipe:
        serves(pipe)
    os.close(reader)


MISTAKE = [*COMMAND, "serve", "--scenario", "no_such"]


@POSIX
def test_an_error_on_a_closed_stderr_does_not_change_the_status() -> None:
    assert subprocess.run(MISTAKE, preexec_fn=closed(2), check=False, timeout=LIMIT).returncode == 2


@FULL
def test_an_error_on_a_full_stderr_does_not_change_the_status() -> None:
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(MISTAKE, stderr=full, check=False, timeout=LIMIT).returncode == 2
