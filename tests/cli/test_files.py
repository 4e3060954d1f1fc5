"""The ready file and the exported world: whole, private, and of the server that runs."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, run, serving
from tests.limits import LIMIT
from tests.waiting import eventually

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="named pipes, permissions and devices are POSIX's")
DEVICES = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")


def of_a_server(pid: int) -> str:
    return json.dumps({"url": "http://127.0.0.1:9", "port": 9, "pid": pid, "seed": 7, "version": "0.1.0"})


@pytest.fixture
def ended() -> int:
    """The pid of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


# --- the ready file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ("--scenario", "no_such_scenario"),
        ("--seed", "seven"),
        ("--no-such-option",),
        ("--host", "0.0.0.0"),
        ("--export-on-exit", "no/such/folder/world.json"),
    ],
)
def test_the_ready_file_of_a_server_that_was_killed_is_gone_though_the_next_does_not_start(
    tmp_path: Path, ended: int, options: tuple[str, ...]
) -> None:
    path = tmp_path / "ready.json"
    path.write_text(of_a_server(ended))

    assert run("serve", "--port", "0", *options, "--ready-file", str(path))[0] == 2
    assert not path.exists()


@pytest.mark.parametrize("where", ["=", "environment"])
def test_it_is_gone_however_it_was_named(
    tmp_path: Path, ended: int, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ready.json"
    path.write_text(of_a_server(ended))
    if where == "environment":
        monkeypatch.setenv("IDENTITY_EMULATOR_READY_FILE", f"{path}\n")

    run("serve", "--seed", "seven", *([f"--ready-file={path}"] if where == "=" else []))

    assert not path.exists()


@POSIX
def test_a_ready_file_of_a_process_that_nobody_waited_for_is_stale_too(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    with subprocess.Popen([sys.executable, "-c", ""]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        path.write_text(of_a_server(zombie.pid))
        run("serve", "--seed", "seven", "--ready-file", str(path))
    if sys.platform == "linux":
        assert not path.exists()


def test_the_pid_of_the_starting_server_itself_is_an_earlier_servers_in_another_container(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text(of_a_server(os.getpid()))

    run("serve", "--seed", "seven", "--ready-file", str(path))

    assert not path.exists()


@pytest.mark.parametrize(
    "text", [of_a_server(os.getppid()), "", "pid", "[]", "{}", '{"pid": "7"}', '{"pid": -1}', '{"pid": 0}', "[" * 9999]
)
def test_what_names_no_ended_server_is_left_alone_at_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ready.json"
    path.write_text(text)

    run("serve", "--seed", "seven", "--ready-file", str(path))

    assert path.read_text() == text


def test_a_pid_that_no_system_has_does_not_run(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text(of_a_server(10**30))

    run("serve", "--seed", "seven", "--ready-file", str(path))

    assert not path.exists()


def test_the_ready_file_of_a_server_that_started_later_is_left_alone_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    with serving("--port", "0", "--ready-file", str(path)) as (first, _):
        with serving("--port", "0", "--ready-file", str(path)) as (_, second):
            first.terminate()
            first.wait(LIMIT)
            assert json.loads(path.read_text()) == second
        assert not path.exists()


@POSIX
def test_the_reader_of_a_named_pipe_may_come_later(tmp_path: Path) -> None:
    path = tmp_path / "ready"
    os.mkfifo(path)
    with serving("--port", "0", "--ready-file", str(path)) as (process, ready):
        assert json.loads(path.read_text()) == ready
        process.terminate()
        assert process.wait(LIMIT) == 0
    assert stat.S_ISFIFO(path.stat().st_mode)


@POSIX
def test_a_named_pipe_that_nobody_reads_does_not_keep_the_server(tmp_path: Path) -> None:
    path = tmp_path / "ready"
    os.mkfifo(path)
    with serving("--port", "0", "--ready-file", str(path)) as (process, _):
        process.terminate()
        assert process.wait(LIMIT) == 0


@POSIX
def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    """By a link of our own, so that a server that replaced it would not replace the machine's."""
    link = tmp_path / "null"
    link.symlink_to(os.devnull)
    with serving("--port", "0", "--ready-file", str(link), "--export-on-exit", str(link)) as (process, _):
        process.terminate()
        assert process.wait(LIMIT) == 0

    assert link.is_symlink()


@DEVICES
@pytest.mark.parametrize("option", ["--ready-file", "--export-on-exit"])
def test_a_full_disk_is_one_line_and_status_2(tmp_path: Path, option: str) -> None:
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", option, link], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.terminate()
        errors = process.communicate(timeout=LIMIT)[1]

    assert process.returncode == 2
    assert errors.splitlines()[-1] == f"Error: can't write {option} {link}: No space left on device"
    assert "Traceback" not in errors


# --- the exported world -----------------------------------------------------------------------------------------------


@POSIX
def test_the_export_holds_keys_and_is_for_its_owner_only(tmp_path: Path) -> None:
    target, ready_file = tmp_path / "world.json", tmp_path / "ready.json"
    target.touch(0o666)
    with serving("--port", "0", "--export-on-exit", str(target), "--ready-file", str(ready_file)) as (process, _):
        assert stat.S_IMODE(ready_file.stat().st_mode) & 0o444 == 0o444 & ~umask()
        process.terminate()
        process.wait(LIMIT)

    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def umask() -> int:
    old = os.umask(0)
    os.umask(old)
    return old


@POSIX
def test_a_link_is_replaced_and_what_it_points_to_is_not_touched(tmp_path: Path) -> None:
    precious, link = tmp_path / "precious", tmp_path / "world.json"
    precious.write_text("precious")
    link.symlink_to(precious)

    exported(link)

    assert (precious.read_text(), link.is_symlink()) == ("precious", False)


def exported(target: Path) -> None:
    with serving("--port", "0", "--export-on-exit", str(target)) as (process, _):
        process.terminate()
        assert process.wait(LIMIT) == 0


@POSIX
def test_a_name_of_255_letters_is_long_enough_for_the_file_and_for_nothing_more(tmp_path: Path) -> None:
    exported(tmp_path / ("a" * 255))

    assert json.loads((tmp_path / ("a" * 255)).read_text())["version"] == 1


@POSIX
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    path, found = tmp_path / "world", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: found.append(path.read_text()), daemon=True)
    reader.start()
    exported(path)
    reader.join(LIMIT)

    assert json.loads(found[0])["version"] == 1


@POSIX
def test_a_pipe_that_nobody_reads_is_one_line_and_status_2(tmp_path: Path) -> None:
    path = tmp_path / "world"
    os.mkfifo(path)
    with serving("--port", "0", "--export-on-exit", str(path)) as (process, _):
        process.terminate()
        assert process.wait(LIMIT) == 2
        assert process.stderr
        assert process.stderr.read().splitlines()[-1].startswith(f"Error: can't write --export-on-exit {path}: ")


@POSIX
@pytest.mark.parametrize("name", ["/proc/self/fd/1", "/dev/fd/1", "link"])
@pytest.mark.parametrize("to", ["file", "pipe"])
def test_standard_output_is_written_to_after_the_ready_line(tmp_path: Path, name: str, to: str) -> None:
    out, link, ready = tmp_path / "out", tmp_path / "link", tmp_path / "ready.json"
    link.symlink_to("/dev/stdout")
    with (
        out.open("w") as stdout,
        subprocess.Popen(
            [
                *COMMAND,
                "serve",
                "--port",
                "0",
                "--ready-file",
                ready,
                "--export-on-exit",
                link if name == "link" else name,
            ],
            stdout=stdout if to == "file" else subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
    ):
        assert eventually(ready.exists)
        process.send_signal(signal.SIGTERM)
        printed = process.communicate(timeout=LIMIT)[0]

    line, world = (out.read_text() if to == "file" else printed).split("\n", 1)
    assert (json.loads(line)["pid"], json.loads(world)["version"]) == (process.pid, 1)
    assert link.is_symlink()
