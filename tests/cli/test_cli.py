"""The command, as a process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
import pytest
import requests
from click.testing import CliRunner

from emulator.cli import main
from emulator.spacetime.credentials import SigningKey
from emulator.spacetime.model import Claims, identity_of
from tests.conftest import API_KEY, write_key_pair
from tests.raw import connect, request

COMMAND = [sys.executable, "-m", "emulator"]


@contextmanager
def serving(*options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A process that serves, and its ready line."""
    process = subprocess.Popen(
        [*COMMAND, "serve", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    with process:
        assert process.stdout
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.output


def test_the_first_line_on_stdout_tells_where_it_is() -> None:
    with serving("--port", "0", "--seed", "7") as (process, ready):
        assert list(ready) == ["url", "port", "pid", "seed", "version"]
        assert (ready["pid"], ready["seed"]) == (process.pid, 7)
        assert requests.get(f"{ready['url']}/v1/ping", timeout=5).status_code == 200


def test_the_same_seed_and_moment_give_the_same_bytes_on_two_runs() -> None:
    def answers() -> list[bytes]:
        with serving("--port", "0", "--seed", "7", "--freeze-at", "2024-02-15T05:47:17.289011Z") as (_, ready):
            draft = {"display_name": "JP", "creator": "0x81"}
            return [
                requests.post(f"{ready['url']}/v1/identity", timeout=5).content,
                requests.post(
                    f"{ready['url']}/identity", json=draft, headers={"x-api-key": API_KEY}, timeout=5
                ).content,
                requests.get(f"{ready['url']}/v1/identity/public-key", timeout=5).content,
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
        found = requests.get(f"{ready['url']}/_emulator/health", timeout=5).json()

    assert (found["seed"], found["profiles"]["spacetime"]) == (9, "v2")


def test_the_ready_file_holds_the_ready_line(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    with serving("--port", "0", "--ready-file", str(path)) as (_, ready):
        assert json.loads(path.read_text()) == ready
        assert [each.name for each in tmp_path.iterdir()] == ["ready.json"]
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_within_a_second_with_status_0(number: signal.Signals) -> None:
    with serving("--port", "0") as (process, ready), connect(ready["url"]) as held:
        head = f"x-api-key: {API_KEY}", "Content-Type: application/json", "Content-Length: 9"
        held.sendall(request("POST", "/identity", *head))
        requests.get(f"{ready['url']}/v1/ping", timeout=5)
        began = monotonic()
        process.send_signal(number)

        assert process.wait(5) == 0
        assert monotonic() - began < 1
        assert process.stderr
        assert "Traceback" not in process.stderr.read()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_sigterm_ends_it_within_a_second_while_a_fault_lets_a_request_hang() -> None:
    with serving("--port", "0") as (process, ready), connect(ready["url"]) as hung:
        step = {"request": "POST /v1/identity", "do": {"hang": True}}
        requests.post(f"{ready['url']}/_emulator/faults", json=step, timeout=5)
        hung.sendall(request("POST", "/v1/identity"))
        while not requests.get(f"{ready['url']}/_emulator/journal", timeout=5).json()["exchanges"]:
            pass  # until the server has it
        began = monotonic()
        process.send_signal(signal.SIGTERM)

        assert process.wait(5) == 0
        assert monotonic() - began < 1
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


def test_beyond_loopback_the_control_routes_want_their_token() -> None:
    with serving("--host", "0.0.0.0", "--port", "0", "--control-token", "s3cret") as (_, ready):
        state = f"{ready['url']}/_emulator/state"
        assert requests.get(state, timeout=5).status_code == 401
        assert requests.get(state, headers={"X-Emulator-Token": "s3cret"}, timeout=5).status_code == 200
        assert requests.get(f"{ready['url']}/v1/ping", timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--freeze-at", "yesterday"], "write it like 2024-02-15T05:47:17Z"),
        (["--port", "70000"], "70000 is not in the range"),
        (["--spacetime-profile", "v3"], "'documented', 'v1', 'v2'"),
        (["--jwt-priv-key-path", "nowhere"], "go together"),
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
        served = requests.get(f"{ready['url']}/v1/identity/public-key", timeout=5).content

    assert served == public_path.read_bytes()


def test_the_log_tells_of_refused_requests_without_their_tokens() -> None:
    with serving("--port", "0", "--log-format", "json") as (process, ready):
        requests.get(f"{ready['url']}/v1/ping?token=eyJsecret", timeout=5)
        process.terminate()
        assert process.stderr
        log = process.stderr.read()

    line = json.loads(next(line for line in log.splitlines() if line.startswith("{")))
    assert line["message"].startswith("GET /v1/ping 401 a token has three parts")
    assert "eyJsecret" not in log


def test_the_debug_log_tells_of_every_request() -> None:
    with serving("--port", "0", "--log-level", "debug") as (process, ready):
        requests.get(f"{ready['url']}/v1/ping", timeout=5)
        process.terminate()
        assert process.stderr
        assert "DEBUG   GET /v1/ping 200" in process.stderr.read()


# --- scenarios --------------------------------------------------------------------------------------------------------

SCENARIO = "version: 1\nseed: 7\nspacetime: {profile: v2, identities: {alice: , bob: }, crowd: {count: 1200}}\n"


def test_a_scenario_says_what_the_options_leave_out(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text(SCENARIO)
    with serving("--port", "0", "--scenario", str(path)) as (_, ready):
        found = requests.get(f"{ready['url']}/_emulator/health", timeout=5).json()
    with serving("--port", "0", "--scenario", str(path), "--seed", "8", "--spacetime-profile", "v1") as (_, ready):
        other = requests.get(f"{ready['url']}/_emulator/health", timeout=5).json()

    assert (found["seed"], found["profiles"]["spacetime"]) == (7, "v2")
    assert (other["seed"], other["profiles"]["spacetime"]) == (8, "v1")


def test_the_banner_names_actors_and_how_to_get_their_tokens(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text(SCENARIO)
    with serving("--port", "0", "--scenario", str(path), "--scenario", "two_friends") as (process, ready):
        process.terminate()
        assert process.stderr
        banner = process.stderr.read()

    assert "  Actors       alice, bob, 1,200 more\n" in banner
    assert f"tokens and keys: curl {ready['url']}/_emulator/actors" in banner
    assert f"--scenario {path} --scenario two_friends --seed 1" in banner


def test_scenarios_come_from_the_environment_too() -> None:
    with serving(IDENTITY_EMULATOR_PORT="0", IDENTITY_EMULATOR_SCENARIO="two_friends lost_answer") as (_, ready):
        found = requests.get(f"{ready['url']}/_emulator/scenario", timeout=5).json()

    assert found["scenario"] == ["two_friends", "lost_answer"]


def test_a_python_file_can_be_served(tmp_path: Path) -> None:
    path = tmp_path / "it.py"
    path.write_text("def scenario(emulator):\n    emulator.load('quickstart')\n")
    with serving("--port", "0", "--scenario", str(path)) as (_, ready):
        found = requests.get(f"{ready['url']}/_emulator/actors", timeout=5).json()

    assert list(found["actors"]) == ["alice"]


def test_a_scenario_with_mistakes_does_not_start_a_server(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text("version: 1\nsead: 7\nscript: 5\n")

    assert run("serve", "--port", "0", "--scenario", str(path)) == (
        2,
        f'Error: {path}:2:1 sead: unknown key, did you mean "seed"?\n{path}:3:9 script: expected a list, got 5\n',
    )


def test_the_bundled_scenarios_are_listed_with_what_they_are_for() -> None:
    status, output = run("scenario", "list")

    assert status == 0
    assert len(output.splitlines()) == 11
    assert "\ntwo_friends          Who may do what to whom" in output


def test_a_bundled_scenario_is_shown_as_it_is_written() -> None:
    status, output = run("scenario", "show", "two_friends")

    assert (status, output.splitlines()[1]) == (0, "version: 1")
    assert run("scenario", "show", "two_freinds") == (
        2,
        "Error: there is no scenario 'two_freinds'; did you mean 'two_friends'?\n",
    )


def test_validate_tells_all_that_is_wrong_in_all_files(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(SCENARIO)
    (tmp_path / "bad.yaml").write_text("version: 1\nsead: 7\nsead: 7\n")
    good, bad, gone = (str(tmp_path / name) for name in ("good.yaml", "bad.yaml", "gone.yaml"))

    status, output = run("scenario", "validate", good, bad, gone, "two_friends", "it.py")

    assert (status, output.splitlines()) == (
        1,
        [
            f"{good}: nothing is wrong",
            f'{bad}:2:1 sead: unknown key, did you mean "seed"?',
            f"{bad}:3:1 sead: the key is here twice; first in line 2",
            f"there is no scenario file {gone}, not in {Path().absolute()}",
            "two_friends: nothing is wrong",
            "it.py: a Python scenario is run, not read",
        ],
    )
    assert run("scenario", "validate", good)[0] == 0


def test_the_schema_is_printed() -> None:
    status, output = run("scenario", "schema")

    assert (status, json.loads(output)["title"]) == (0, "A scenario of identity-emulator")


ALICE = Claims(identity_of("localhost", "alice"), "alice", "localhost", ("spacetimedb",), 1)


def minted(**changes: Any) -> str:
    return SigningKey.from_entropy(b"a" * 64).mint(msgspec.structs.replace(ALICE, **changes))


def test_a_token_is_decoded() -> None:
    status, output = run("token", "decode", minted())

    assert status == 0
    assert '"sub": "alice"' in output
    assert f"identity: {ALICE.identity}, which belongs to iss and sub" in output
    assert output.endswith("expires:  never\n")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"expires_at": 1000}, " s ago; refused"),
        ({"expires_at": 9_000_000_000}, "expires:  in "),
        ({"identity": "0" * 64}, "is not c20035600353a2e9"),
    ],
)
def test_what_is_wrong_with_a_decoded_token_is_said(changes: dict[str, Any], line: str) -> None:
    assert line in run("token", "decode", minted(**changes))[1]


def test_a_token_that_can_not_be_read_points_at_the_byte() -> None:
    assert run("token", "decode", "e30.e30.e30") == (
        1,
        "Error: Invalid token: JSON error: missing field `alg` at line 1 column 2\n"
        "the header is {}: missing field `alg` at line 1 column 2\n",
    )


def test_help_names_every_option() -> None:
    status, output = run("serve", "--help")

    assert status == 0
    assert "IDENTITY_EMULATOR_…" in output
    for option in ("--host", "--port", "--seed", "--freeze-at", "--ready-file", "--control-token", "--journal-size"):
        assert option in output


def test_the_version_is_the_packages() -> None:
    assert run("--version") == (0, "identity-emulator, version 0.1.0\n")


# --- exec, health, export ---------------------------------------------------------------------------------------------


def execute(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "exec", *arguments], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


PROGRAM = """
import os, sys, urllib.request
print(urllib.request.urlopen(os.environ["SPACETIMEDB_URI"] + "/v1/ping").status)
sys.exit(3)
"""


def test_exec_runs_a_command_with_an_emulator_and_ends_as_it_does() -> None:
    done = execute("--seed", "7", "--", sys.executable, "-c", PROGRAM)

    assert (done.returncode, done.stdout, done.stderr) == (3, "200\n", "")


def test_exec_tells_the_command_where_everything_is() -> None:
    done = execute("--", sys.executable, "-c", "import os, json; print(json.dumps(dict(os.environ)))")

    found = json.loads(done.stdout)
    assert found["IDENTITY_EMULATOR_URL"] == found["SPACETIMEDB_URI"] == found["INTUITION_API_URL"]
    assert found["INTUITION_API_KEY"] == API_KEY


def test_exec_of_nothing_there_says_so() -> None:
    done = execute("--", "no-such-command")

    assert (done.returncode, done.stderr) == (127, "Error: no-such-command: command not found\n")


def test_exec_without_a_command_is_a_usage_error() -> None:
    done = execute()

    assert (done.returncode, "Missing argument 'COMMAND...'" in done.stderr) == (2, True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to end by")
def test_exec_tells_of_a_command_that_was_killed_as_a_shell_does() -> None:
    assert execute("--", sys.executable, "-c", "import os; os.kill(os.getpid(), 9)").returncode == 137


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_exec_passes_sigterm_on_to_the_command() -> None:
    program = "import signal, sys; signal.signal(15, lambda *_: sys.exit(5)); print('up', flush=True); signal.pause()"
    with subprocess.Popen([*COMMAND, "exec", "--", sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.terminate()

        assert process.wait(5) == 5


def test_health_asks_whether_an_emulator_answers() -> None:
    with serving("--port", "0", "--seed", "7") as (_, ready):
        status, output = run("health", ready["url"])

    assert (status, json.loads(output)["seed"]) == (0, 7)


def test_health_of_nothing_is_a_failure() -> None:
    status, output = run("health", "http://127.0.0.1:9")

    assert (status, "no emulator answers at http://127.0.0.1:9" in output) == (1, True)


def test_health_looks_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDENTITY_EMULATOR_URL", raising=False)
    monkeypatch.setenv("IDENTITY_EMULATOR_PORT", "9")

    assert "http://127.0.0.1:9" in run("health")[1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM and SIGHUP")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.Signals(1)])
def test_the_world_is_written_down_at_the_end(tmp_path: Path, number: signal.Signals) -> None:
    target = tmp_path / "world.json"
    with serving("--port", "0", "--seed", "7", "--export-on-exit", str(target)) as (process, ready):
        row = {"display_name": "JP", "creator": "0x81"}
        requests.post(f"{ready['url']}/identity", json=row, headers={"x-api-key": API_KEY}, timeout=5)
        process.send_signal(number)
        assert process.wait(5) == 0

    found = json.loads(target.read_text(encoding="utf-8"))
    assert [each["display_name"] for each in found["intuition"]["identities"]] == ["JP"]
    assert [each.name for each in tmp_path.iterdir()] == ["world.json"]


def test_exec_writes_the_world_down_too(tmp_path: Path) -> None:
    target = tmp_path / "world.json"
    execute("--seed", "7", "--export-on-exit", str(target), "--", sys.executable, "-c", "")

    assert json.loads(target.read_text(encoding="utf-8"))["seed"] == 7


def test_a_folder_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    status, output = run("serve", "--port", "0", "--export-on-exit", str(tmp_path / "no" / "world.json"))

    assert (status, "there is no such folder" in output) == (2, True)
