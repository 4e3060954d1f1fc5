"""`identity-emulator serve`, and what all commands have."""

import json
import signal
import sys
from pathlib import Path

import pytest
import requests

from emulator.control.remote import RemoteEmulator
from tests.cli.command import run, serving
from tests.conftest import API_KEY, write_key_pair
from tests.limits import LIMIT
from tests.raw import connect, request


def test_the_first_line_on_stdout_tells_where_it_is() -> None:
    with serving("--port", "0", "--seed", "7") as (process, ready):
        assert list(ready) == ["url", "port", "pid", "seed", "version", "profiles"]
        assert (ready["pid"], ready["seed"]) == (process.pid, 7)
        assert requests.get(f"{ready['url']}/v1/ping", timeout=LIMIT).status_code == 200


def test_the_ready_line_says_the_profile_that_v2_stands_for() -> None:
    with serving("--port", "0", "--spacetime-profile", "v2") as (_, ready):
        assert ready["profiles"] == {"spacetime": "v2.14", "intuition": "documented"}


def test_the_profiles_are_listed_with_their_releases_and_clients() -> None:
    status, printed = run("serve", "--list-profiles")

    lines = printed.splitlines()
    assert status == 0
    assert [line for line in lines if not line.startswith(" ")] == ["documented", "v1", "v2.8", "v2.14", "v2"]
    assert "    releases  2.3.0 to 2.9.0" in lines
    assert "    clients   npm `spacetimedb` 1.x (tried: 1.12.0)" in lines
    assert "    releases  always the newest 2.x: now v2.14" in lines


def test_the_same_seed_and_moment_give_the_same_bytes_on_two_runs() -> None:
    def answers() -> list[bytes]:
        with serving("--port", "0", "--seed", "7", "--freeze-at", "2024-02-15T05:47:17.289011Z") as (_, ready):
            draft = {"display_name": "JP", "creator": "0x81"}
            return [
                requests.post(f"{ready['url']}/v1/identity", timeout=LIMIT).content,
                requests.post(
                    f"{ready['url']}/identity", json=draft, headers={"x-api-key": API_KEY}, timeout=LIMIT
                ).content,
                requests.get(f"{ready['url']}/v1/identity/public-key", timeout=LIMIT).content,
            ]

    first = answers()
    assert first == answers()
    assert b"2024-02-15T05:47:17.289011Z" in first[1]


def test_every_run_without_a_seed_is_another_and_says_how_to_repeat_it() -> None:
    with serving("--port", "0") as (_, first), serving("--port", "0") as (process, second):
        process.terminate()
        assert first["seed"] != second["seed"]
        assert process.stderr
        assert f"--seed {second['seed']}" in process.stderr.read()


def test_options_come_from_the_environment_too() -> None:
    with serving(IDENTITY_EMULATOR_PORT="0", IDENTITY_EMULATOR_SEED="9", IDENTITY_EMULATOR_SPACETIME_PROFILE="v2") as (
        _,
        ready,
    ):
        found = requests.get(f"{ready['url']}/_emulator/health", timeout=LIMIT).json()

    assert (found["seed"], found["profiles"]["spacetime"]) == (9, "v2.14")


def test_the_ready_file_holds_the_ready_line(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    with serving("--port", "0", "--ready-file", str(path)) as (_, ready):
        assert json.loads(path.read_text()) == ready
        assert [each.name for each in tmp_path.iterdir()] == ["ready.json"]
    assert not path.exists()


ENDED = 30.0
"""Seconds until the end of a process that is told to: a busy machine takes two, and aiohttp by itself would give a
request under way 60. How long the server itself waits is in tests/server, to the millisecond."""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_status_0_while_a_body_is_awaited(number: signal.Signals) -> None:
    with serving("--port", "0") as (process, ready), connect(ready["url"], timeout=LIMIT) as held:
        head = f"x-api-key: {API_KEY}", "Content-Type: application/json", "Content-Length: 9", "Expect: 100-continue"
        held.sendall(request("POST", "/identity", *head))
        assert held.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        process.send_signal(number)

        assert process.wait(ENDED) == 0
        assert process.stderr
        assert "Traceback" not in process.stderr.read()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_sigterm_ends_it_with_status_0_while_a_fault_lets_a_request_hang() -> None:
    with serving("--port", "0") as (process, ready), connect(ready["url"], timeout=LIMIT) as hung:
        emulator = RemoteEmulator(ready["url"])
        emulator.faults.add("POST /v1/identity", hang=True)
        hung.sendall(request("POST", "/v1/identity"))
        emulator.journal.wait_for("POST", "/v1/identity", timeout=LIMIT)
        process.send_signal(signal.SIGTERM)

        assert process.wait(ENDED) == 0
        assert hung.recv(1) == b""


def test_a_taken_port_is_one_line_and_status_2() -> None:
    with serving("--port", "0") as (_, ready):
        status, output = run("serve", "--port", str(ready["port"]))

    assert status == 2
    assert output.count("\n") == 1
    assert f"127.0.0.1:{ready['port']}" in output
    assert "choose another --port" in output


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.com"])
def test_beyond_loopback_a_control_token_is_demanded(host: str) -> None:
    status, output = run("serve", "--host", host)

    assert status == 2
    assert "--control-token" in output


def test_the_control_token_can_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    with serving("--host", "0.0.0.0", "--port", "0", "--control-token-file", str(tmp_path / "token")) as (_, ready):
        state = f"{ready['url']}/_emulator/state"
        assert requests.get(state, timeout=LIMIT).status_code == 401
        assert requests.get(state, headers={"X-Emulator-Token": "s3cret"}, timeout=LIMIT).status_code == 200


@pytest.mark.parametrize("command", ["serve", "exec"])
@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
@pytest.mark.parametrize("where", ["option", "file", "environment"])
def test_an_empty_control_token_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, host: str, where: str
) -> None:
    (tmp_path / "token").write_text("\n")
    if where == "environment":
        monkeypatch.setenv("IDENTITY_EMULATOR_CONTROL_TOKEN", "")
    options = {
        "option": ["--control-token", ""],
        "file": ["--control-token-file", str(tmp_path / "token")],
        "environment": [],
    }

    status, output = run(command, "--host", host, *options[where], *(["true"] if command == "exec" else []))

    assert status == 2
    assert "control token is empty" in output


def test_a_control_token_is_given_once(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret")

    status, output = run("serve", "--control-token", "x", "--control-token-file", str(tmp_path / "token"))

    assert status == 2
    assert "only one can be given" in output


def test_beyond_loopback_the_control_routes_want_their_token() -> None:
    with serving("--host", "0.0.0.0", "--port", "0", "--control-token", "s3cret") as (_, ready):
        state = f"{ready['url']}/_emulator/state"
        assert requests.get(state, timeout=LIMIT).status_code == 401
        assert requests.get(state, headers={"X-Emulator-Token": "s3cret"}, timeout=LIMIT).status_code == 200
        assert requests.get(f"{ready['url']}/v1/ping", timeout=LIMIT).status_code == 200


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--freeze-at", "yesterday"], "write it like 2024-02-15T05:47:17Z"),
        (["--port", "70000"], "70000 is not in the range"),
        (["--spacetime-profile", "v3"], "'documented', 'v1', 'v2.8', 'v2.14', 'v2'"),
        (["--jwt-priv-key-path", "nowhere"], "given together"),
        (["--jwt-priv-key-path", "nowhere", "--jwt-pub-key-path", "nowhere"], "can't read the private key"),
        (["--prot", "1"], "--port"),
    ],
)
def test_a_mistake_is_named_with_status_2_and_no_traceback(options: list[str], message: str) -> None:
    status, output = run("serve", *options)

    assert status == 2
    assert message in output
    assert "Traceback" not in output


def test_a_ready_file_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    status, output = run("serve", "--port", "0", "--ready-file", str(tmp_path / "no" / "ready.json"))

    assert (status, "can't write --ready-file" in output) == (2, True)


def test_a_users_keys_sign_and_are_served(tmp_path: Path) -> None:
    private_path, public_path = write_key_pair(tmp_path, 12345)
    with serving("--port", "0", "--jwt-priv-key-path", str(private_path), "--jwt-pub-key-path", str(public_path)) as (
        _,
        ready,
    ):
        served = requests.get(f"{ready['url']}/v1/identity/public-key", timeout=LIMIT).content

    assert served == public_path.read_bytes()


def test_the_log_tells_of_refused_requests_without_their_tokens() -> None:
    with serving("--port", "0", "--log-format", "json") as (process, ready):
        requests.get(f"{ready['url']}/v1/ping?token=eyJsecret", timeout=LIMIT)
        process.terminate()
        assert process.stderr
        log = process.stderr.read()

    line = json.loads(log.splitlines()[-1])
    assert (line["path"], line["status"]) == ("/v1/ping", 401)
    assert line["why"].startswith("segments: a token has three parts")
    assert "eyJsecret" not in log


def test_the_debug_log_tells_of_every_request() -> None:
    with serving("--port", "0", "--log-level", "debug") as (process, ready):
        requests.get(f"{ready['url']}/v1/ping", timeout=LIMIT)
        process.terminate()
        assert process.stderr
        assert "DEBUG   GET /v1/ping 200" in process.stderr.read()


@pytest.mark.parametrize("arguments", [(), ("scenario",), ("token",)])
def test_help_describes_each_command_in_a_whole_sentence(arguments: tuple[str, ...]) -> None:
    _, output = run(*arguments, "--help")

    described = output.partition("Commands:\n")[2].splitlines()
    assert described
    assert [line for line in described if not line.endswith(".") or line.endswith("...")] == []


def test_help_names_every_option() -> None:
    status, output = run("serve", "--help")

    assert status == 0
    assert "IDENTITY_EMULATOR_…" in output
    for option in ("--host", "--port", "--seed", "--freeze-at", "--ready-file", "--control-token", "--journal-size"):
        assert option in output


def test_the_version_is_the_packages() -> None:
    assert run("--version") == (0, "identity-emulator, version 0.2.0\n")
