"""What is read from stdin, pipes and files that can't be read."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, called, environment, run
from tests.cli.test_token import minted
from tests.limits import LIMIT

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX has named pipes and /dev/fd")


def test_a_scenario_is_read_from_stdin() -> None:
    good = called("scenario", "validate", "-", stdin="version: 1\n")
    bad = called("scenario", "validate", "-", "two_friends", "-", stdin="version: 1\nsead: 7\n")

    assert (good.returncode, good.stdout) == (0, "stdin: valid\n")
    assert (bad.returncode, bad.stdout.splitlines()) == (
        1,
        ["stdin:2:1 sead: unknown key, did you mean 'seed'?", "two_friends: valid"],
    )


def test_a_scenario_from_stdin_extends_files_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base.yaml").write_text("version: 1\nsead: 7\n")
    monkeypatch.chdir(tmp_path)
    done = called("scenario", "validate", "-", stdin="version: 1\nextends: base.yaml\n")

    assert done.stdout.startswith("base.yaml:2:1 sead")


@pytest.mark.parametrize("stdin", ["{}", "{}\n", " {}\r\n"])
def test_a_token_is_read_from_stdin(stdin: str) -> None:
    done = called("token", "decode", "-", stdin=stdin.format(minted()))

    assert (done.returncode, '"sub": "alice"' in done.stdout) == (0, True)


def test_bytes_on_stdin_that_are_no_token_are_refused_as_any_other() -> None:
    done = called("token", "decode", "-", stdin=b"\xff\xfe\x00")

    assert (done.returncode, done.stderr.startswith("Error: Invalid token")) == (1, True)


@POSIX
@pytest.mark.parametrize("arguments", [("scenario", "validate"), ("token", "decode")], ids=" ".join)
def test_a_closed_stdin_is_one_line_and_status_2(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [*COMMAND, *arguments, "-"],
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.close(0),
        timeout=LIMIT,
        check=False,
    )

    assert (done.returncode, done.stderr) == (2, "Error: can't read stdin: it is closed\n")


@POSIX
@pytest.mark.parametrize(
    ("arguments", "given", "printed"),
    [(("scenario", "validate"), "version: 1\n", ": valid"), (("token", "decode"), minted(), '"sub": "alice"')],
    ids=["scenario", "token"],
)
def test_what_a_shell_calls_a_file_may_be_a_pipe(arguments: tuple[str, ...], given: str, printed: str) -> None:
    reader, writer = os.pipe()
    os.write(writer, given.encode())
    os.close(writer)
    with os.fdopen(reader) as pipe:
        done = subprocess.run(
            [*COMMAND, *arguments, f"/dev/fd/{reader}"],
            pass_fds=[reader],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
            timeout=LIMIT,
            check=False,
        )
        assert pipe

    assert (done.returncode, printed in done.stdout) == (0, True)


@POSIX
def test_a_server_takes_its_scenario_from_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    os.mkfifo(path)
    with subprocess.Popen(
        [*COMMAND, "exec", "--scenario", str(path), "--", "sh", "-c", "echo $ALICE_TOKEN"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        path.write_text("version: 1\nspacetime: {identities: {alice: }}\n")
        assert process.communicate(timeout=LIMIT)[0].count(".") == 2


# --- files that can't be read -----------------------------------------------------------------------------------------


def locked(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("arguments", [("scenario", "validate"), ("serve", "--port", "0", "--scenario")], ids=" ".join)
def test_a_scenario_in_a_folder_that_may_not_be_entered_is_one_line_and_status_2(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may enter all folders, so the system's word for it is put in its mouth."""
    monkeypatch.setattr(Path, "stat", locked)
    status, output = run(*arguments, str(tmp_path / "it.yaml"))

    assert (status, output) == (2, f"Error: can't read the scenario {tmp_path / 'it.yaml'}: Permission denied\n")


@pytest.mark.parametrize("suffix", [".yaml", ".py"])
@pytest.mark.parametrize("arguments", [("serve", "--port", "0", "--scenario"), ("exec", "--scenario")], ids=" ".join)
def test_a_name_of_300_letters_is_one_line_and_status_2(arguments: tuple[str, ...], suffix: str) -> None:
    status, output = run(*arguments, "a" * 300 + suffix, *(["--", "true"] if arguments[0] == "exec" else []))

    assert status == 2
    assert (output.count("\n"), "Traceback" in output) == (1, False)


def leaving(gone: Path) -> Callable[[], None]:
    """For `preexec_fn`: the process stands in a folder that is there no more."""

    def leave() -> None:
        os.chdir(gone)
        gone.rmdir()

    return leave


@POSIX
@pytest.mark.parametrize(
    "arguments",
    [
        ("scenario", "validate", "it.yaml"),
        ("serve", "--port", "0", "--scenario", "it.yaml"),
        ("serve", "--port", "0", "--scenario", "it.py"),
        ("serve", "--port", "0", "--export-on-exit", "world.json"),
        ("serve", "--port", "0", "--ready-file", "ready.json"),
        ("serve", "--port", "0", "--jwt-priv-key-path", "a", "--jwt-pub-key-path", "b"),
    ],
    ids=" ".join,
)
def test_a_deleted_working_directory_is_one_line_and_status_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        preexec_fn=leaving(gone),
        timeout=LIMIT,
        check=False,
    )

    assert done.returncode == 2
    assert (done.stderr.count("Error: "), "Traceback" in done.stderr) == (1, False)


@POSIX
def test_a_good_file_is_valid_wherever_the_command_stands(tmp_path: Path) -> None:
    gone, good = tmp_path / "gone", tmp_path / "it.yaml"
    gone.mkdir()
    good.write_text("version: 1\n")
    done = subprocess.run(
        [*COMMAND, "scenario", "validate", str(good)], stdout=subprocess.PIPE, preexec_fn=leaving(gone), check=False
    )

    assert done.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/zero is a device")
def test_a_file_without_an_end_is_too_large() -> None:
    status, output = run("scenario", "validate", "/dev/zero")

    assert (status, "/dev/zero:1:1" in output) == (1, True)
