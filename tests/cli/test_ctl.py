"""`identity-emulator ctl`, which asks and steers a running emulator."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator import Emulator, running_in_thread
from tests.cli.command import COMMAND, called, environment, run, serving
from tests.limits import LIMIT
from tests.unit.journal.test_html_report import data_in
from tests.waiting import eventually


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with running_in_thread(seed=7) as emulator:
        yield emulator


@pytest.fixture
def emulator(server: Emulator) -> Emulator:
    server.reset()
    return server


@pytest.fixture(autouse=True)
def _at(server: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_EMULATOR_URL", server.url)


def asked(emulator: Emulator, path: str = "/v1/ping", method: str = "GET", **headers: str) -> None:
    requests.request(method, f"{emulator.url}{path}", headers=headers, timeout=LIMIT)


def done(*arguments: str) -> str:
    """What a command printed that must succeed."""
    status, output = run("ctl", *arguments)
    assert status == 0, output
    return output


def refused(*arguments: str) -> str:
    """What a command printed that must not."""
    status, output = run("ctl", *arguments)
    assert (status, "Traceback" in output) == (2, False), output
    return output


# --- where it is ------------------------------------------------------------------------------------------------------


def test_the_address_is_an_option_a_variable_or_in_the_ready_file(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text(json.dumps({"url": emulator.url}))
    assert json.loads(done("state", "--json"))["seed"] == 7

    monkeypatch.setenv("IDENTITY_EMULATOR_URL", "http://127.0.0.1:1")
    assert json.loads(done("state", "--json", "--url", emulator.url))["seed"] == 7
    assert json.loads(done("state", "--json", "--ready-file", str(ready)))["seed"] == 7

    monkeypatch.delenv("IDENTITY_EMULATOR_URL")
    monkeypatch.setenv("IDENTITY_EMULATOR_READY_FILE", str(ready))
    assert json.loads(done("state", "--json"))["seed"] == 7


def test_where_nobody_answers_it_says_so_in_a_line_with_status_2() -> None:
    assert refused("state", "--url", "http://127.0.0.1:1").startswith(
        "Error: no emulator answers at http://127.0.0.1:1"
    )


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"url": 1}', "\0"])
def test_what_is_no_ready_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ready.json"
    path.write_text(text)

    assert f"{path} is not a ready file" in refused("state", "--ready-file", str(path))


def test_the_control_token_is_an_option_a_file_or_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text("sesame\n")
    with running_in_thread(control_token="sesame") as guarded:
        at = "state", "--url", guarded.url
        assert "control token" in refused(*at)
        assert done(*at, "--control-token", "sesame")
        assert done(*at, "--control-token-file", str(file))
        assert "only one can be given" in refused(*at, "--control-token", "sesame", "--control-token-file", str(file))
        monkeypatch.setenv("IDENTITY_EMULATOR_CONTROL_TOKEN", "sesame")
        assert done(*at)


# --- journal ----------------------------------------------------------------------------------------------------------


def test_the_journal_is_a_line_for_each_exchange_and_its_reason(emulator: Emulator) -> None:
    asked(emulator)
    asked(emulator, "/v1/identity/websocket-token", "POST")

    first, second, why = done("journal").splitlines()
    assert "  #1 GET /v1/ping -> 200  (" in first
    assert "  #2 POST /v1/identity/websocket-token -> 401  (" in second
    assert why == "    why: no `Authorization` header and no usable `?token=`"


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        (["--status", "401"], [2]),
        (["--status", "4xx"], [2, 3]),
        (["--refused"], [2, 3]),
        (["--method", "GET"], [1, 3]),
        (["--path", "/v1/**", "--method", "POST"], [2]),
        (["--last", "1"], [3]),
        (["--last", "0"], []),
        ([], [1, 2, 3]),
    ],
)
def test_filters_choose_exchanges(emulator: Emulator, filters: list[str], numbers: list[int]) -> None:
    asked(emulator)
    asked(emulator, "/v1/identity/websocket-token", "POST")
    asked(emulator, "/nowhere")

    assert [json.loads(line)["n"] for line in done("journal", "--json", *filters).splitlines()] == numbers


def test_a_wrong_filter_gets_the_emulators_hint() -> None:
    assert "`status` is a number or like 4xx" in refused("journal", "--status", "lots")


def test_secrets_are_masked_and_what_steers_a_terminal_is_escaped(emulator: Emulator) -> None:
    asked(emulator, "/nowhere/%1b[31m?token=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln")
    requests.post(f"{emulator.url}/identity", data=b"\x1b[31m", headers={"x-api-key": "0" * 20}, timeout=LIMIT)

    output = done("journal")
    assert "eyJ" not in output
    assert "\x1b" not in output


def test_the_journal_is_written_as_har(emulator: Emulator, tmp_path: Path) -> None:
    asked(emulator, Authorization="Bearer 0123456789abcdef")
    target = tmp_path / "all.har"

    assert done("journal", "--har", str(target)) == ""
    assert "0123456789abcdef" not in target.read_text()
    [entry] = json.loads(target.read_text())["log"]["entries"]
    assert entry["request"]["url"] == f"{emulator.url}/v1/ping"
    assert "0123456789abcdef" in done("journal", "--har", "-", "--secrets")


def test_the_report_is_written_as_a_page(emulator: Emulator, tmp_path: Path) -> None:
    asked(emulator)
    asked(emulator, "/nowhere", **{"x-api-key": "0123456789abcdef"})
    target = tmp_path / "report.html"

    assert done("report", "--refused", "--html", str(target)) == ""
    assert [row["path"] for row in data_in(target.read_text(encoding="utf-8"))["rows"]] == ["/nowhere"]
    assert "0123456789abcdef" not in target.read_text(encoding="utf-8")
    assert "0123456789abcdef" in done("report", "--html", "-", "--secrets")


def test_a_page_that_cant_be_written_is_a_line(tmp_path: Path) -> None:
    assert "can't write --html" in refused("report", "--html", str(tmp_path / "no" / "where"))
    assert "--secrets is for --html" in refused("report", "--secrets")


def test_a_har_that_cant_be_written_is_a_line(tmp_path: Path) -> None:
    assert "can't write --har" in refused("journal", "--har", str(tmp_path / "no" / "where"))
    assert "leave out --follow" in refused("journal", "--har", "-", "--follow")
    assert "--secrets is for --har" in refused("journal", "--secrets")


def following(url: str, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "ctl", "journal", "--follow", "--json", "--url", url, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def line_of(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout
    return json.loads(process.stdout.readline())


def test_following_prints_what_was_and_what_comes_also_after_a_reset_until_the_emulator_ends() -> None:
    with serving("--port", "0") as (server, ready):
        url = ready["url"]
        requests.get(f"{url}/v1/ping", timeout=LIMIT)
        with following(url) as process:
            assert line_of(process)["path"] == "/v1/ping"
            requests.get(f"{url}/v1/health", timeout=LIMIT)
            assert line_of(process)["path"] == "/v1/health"
            requests.post(f"{url}/_emulator/reset", headers={"content-type": "application/json"}, timeout=LIMIT)
            requests.get(f"{url}/nowhere", timeout=LIMIT)
            assert line_of(process)["path"] == "/nowhere"
            server.terminate()

            out, err = process.communicate(timeout=LIMIT)
            assert (process.returncode, out, err) == (0, "", f"the emulator at {url} has ended\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_ctrl_c_ends_following_without_a_word(emulator: Emulator) -> None:
    asked(emulator)
    with following(emulator.url) as process:
        line_of(process)
        process.send_signal(signal.SIGINT)

        assert (process.communicate(timeout=LIMIT)[1], process.returncode) == ("", 130)


@pytest.mark.skipif(sys.platform == "win32", reason="`head` is a program of POSIX")
def test_a_reader_that_ends_first_ends_it_without_a_word(emulator: Emulator) -> None:
    asked(emulator)
    with following(emulator.url) as process:
        line_of(process)
        assert process.stdout
        process.stdout.close()

        def has_ended() -> bool:
            asked(emulator)
            return process.poll() is not None

        assert eventually(has_ended)

        assert process.stderr
        assert (process.stderr.read(), process.returncode) == ("", 141)


def test_a_report_is_that_of_a_failed_test(emulator: Emulator) -> None:
    asked(emulator, "/nowhere")

    report = done("report", "--last", "1")
    assert report.startswith("seed=7 documented clock=")
    assert "#1 GET /nowhere -> 404" in report


# --- the world --------------------------------------------------------------------------------------------------------


def test_a_reset_makes_a_new_world(emulator: Emulator) -> None:
    asked(emulator)

    assert done("reset", "--seed", "8").startswith("a new world: seed 8; profiles: spacetime documented")
    assert json.loads(done("reset", "--json"))["seed"] == 7
    assert done("journal") == ""


def test_a_reset_takes_a_bundled_scenario_or_a_file(emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("version: 1\ndescription: mine\nintuition: {api_keys: {carol: }}\n")

    done("reset", "--scenario", "two_friends")
    assert set(json.loads(done("actors", "--json"))["actors"]) == {"alice", "bob"}
    done("reset", "--scenario", str(path))
    assert set(json.loads(done("actors", "--json"))["actors"]) == {"carol"}
    assert "nowhere" in refused("reset", "--scenario", "nowhere")


def test_actors_are_shown_and_exported_to_a_shell(emulator: Emulator) -> None:
    done("reset", "--scenario", "two_friends")
    alice = emulator.actors["alice"]

    assert f"  token     {alice.token}\n" in done("actors")
    assert f"export ALICE_TOKEN={alice.token}\n" in done("actors", "--env")


def test_a_snapshot_can_be_restored(emulator: Emulator) -> None:
    requests.put(
        f"{emulator.url}/_emulator/snapshot", json=json.loads(done("snapshot")), timeout=LIMIT
    ).raise_for_status()


def test_the_state_is_names_and_values(emulator: Emulator) -> None:
    assert "seed         7\n" in done("state")


# --- clock ------------------------------------------------------------------------------------------------------------


def test_the_clock_is_moved_and_shown(emulator: Emulator) -> None:
    assert done("clock", "freeze", "2024-02-15T05:47:17Z") == "2024-02-15T05:47:17.000000Z (frozen)\n"
    assert done("clock", "advance", "61") == "2024-02-15T05:48:18.000000Z (frozen)\n"
    assert json.loads(done("clock", "--json")) == {"now": "2024-02-15T05:48:18.000000Z", "frozen": True}
    done("clock", "resume")
    assert not emulator.clock.frozen
    assert done("clock", "skew", "-36000") < done("clock", "skew", "36000")
    done("clock", "freeze")
    assert emulator.clock.frozen


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["advance"], "how many seconds? `ctl clock advance 61`"),
        (["advance", "soon"], "'soon' is not a number of seconds"),
        (["advance", "nan"], "'nan' is not a number of seconds"),
        (["resume", "1"], "`ctl clock resume` takes no '1'"),
        (["freez"], "did you mean 'freeze'?"),
        (["freeze", "noon"], "noon"),
        (["skew", "1e300"], ""),
    ],
)
def test_a_wrong_move_says_what_is_wrong(arguments: list[str], said: str) -> None:
    assert said in refused("clock", *arguments)


# --- faults and stubs -------------------------------------------------------------------------------------------------


def test_a_fault_is_added_listed_and_cleared(emulator: Emulator) -> None:
    done("faults", "add", "GET /v1/ping", "--status", "503", "--times=1", "--body", '{"a": 1}')
    answer = requests.get(f"{emulator.url}/v1/ping", timeout=LIMIT)

    assert (answer.status_code, answer.json()) == (503, {"a": 1})
    assert done("faults") == "1  done, seen 1, fired 1  GET /v1/ping, times 1, do {'status': 503, 'body': {'a': 1}}\n"
    assert done("faults", "clear", "1") == ""


def test_a_fault_without_a_value_is_true_and_without_a_request_is_at_a_time(emulator: Emulator) -> None:
    [fault] = json.loads(done("faults", "add", "GET /v1/ping", "--hang", "--json"))["faults"]
    assert fault["do"] == {"hang": True}
    [fault] = json.loads(done("faults", "add", "--at", "30", "--rotate-key", "--json"))["faults"]
    assert (fault["at"], fault["do"]) == (30.0, {"rotate_key": True})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "GET /v1/ping"], ""),
        (["add", "GET /v1/ping", "--statu", "503"], "status"),
        (["add", "GET", "/v1/ping", "--status", "503"], "write it in quotes: 'POST /identity'"),
        (["clear", "9"], "there is no fault 9"),
        (["clear", "all"], "takes a number, or nothing for all"),
        (["lst"], "did you mean 'list'?"),
        (["list", "1"], "`ctl faults list` takes no '1'"),
    ],
)
def test_a_wrong_fault_says_what_is_wrong(emulator: Emulator, arguments: list[str], said: str) -> None:
    assert said in refused("faults", *arguments)


def test_a_stub_is_added_listed_and_cleared(emulator: Emulator) -> None:
    done("stubs", "add", "POST /claims", "status=201", 'json={"id": "1"}')
    key = {"x-api-key": emulator.intuition.issue_api_key("0x81")}
    answer = requests.post(f"{emulator.url}/claims", headers=key, timeout=LIMIT)

    assert (answer.status_code, answer.json()) == (201, {"id": "1"})
    assert done("stubs").startswith("1  answered 1  POST /claims, ")
    assert done("stubs", "clear") == ""


def test_a_world_is_opened_listed_and_closed(emulator: Emulator) -> None:
    opened = json.loads(done("worlds", "open", "seed=7", "idle_exit=60", "--json"))["worlds"][0]

    assert requests.get(f"{opened['url']}/_emulator/health", timeout=LIMIT).json()["seed"] == 7
    assert done("worlds") == f"{opened['id']}  {opened['url']}, closes after 60 s without a request\n"
    assert done("worlds", "close", opened["id"]) == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["open", "sead=7"], "did you mean 'seed'?"),
        (["open", "7"], "takes keys and values, like seed=7; not '7'"),
        (["close"], "takes the id of one world"),
        (["close", "77"], "there is no world '77'"),
    ],
)
def test_a_wrong_world_says_what_is_wrong(emulator: Emulator, arguments: list[str], said: str) -> None:
    assert said in refused("worlds", *arguments)


# --- token decode -----------------------------------------------------------------------------------------------------


def test_a_world_says_at_which_check_a_token_fails(emulator: Emulator) -> None:
    emulator.clock.freeze("2026-01-01T00:00:00Z")
    token = emulator.spacetime.issue_token(subject="alice", expires_in=-72)

    status, output = run("token", "decode", token, "--url", emulator.url)
    lines = output.splitlines()
    assert status == 1
    assert lines[0] == "profile documented, at 2026-01-01T00:00:00.000000Z by the emulator's clock"
    assert "key           the current key of this world" in lines
    assert lines[-5:] == [
        "held          signature",
        "failed        expiry: expired 72 s ago by the emulator's clock, after the leeway of 60 s",
        "not reached   lengths",
        "not reached   identity",
        "answer        401 Invalid token: ExpiredSignature",
    ]
    assert emulator.journal.exchanges == []


def test_a_token_that_a_world_accepts_has_status_0(emulator: Emulator) -> None:
    status, output = run("token", "decode", emulator.spacetime.issue_token(subject="alice"), "--url", emulator.url)

    assert (status, output.splitlines()[-1]) == (0, "answer        accepted")


def test_without_an_address_no_emulator_is_asked(emulator: Emulator) -> None:
    """Also if the environment names one."""
    status, output = run("token", "decode", emulator.spacetime.issue_token(subject="alice", expires_in=-900))

    assert (status, "answer" in output) == (0, False)


# --- help -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", ["", "journal", "report", "reset", "clock", "faults", "stubs", "worlds", "actors", "state", "snapshot"]
)
def test_the_help_fits_80_columns(command: str) -> None:
    printed = called("ctl", *filter(None, [command]), "--help", COLUMNS="80").stdout

    assert printed.startswith("Usage: identity-emulator ctl")
    assert max(map(len, printed.splitlines())) <= 80
