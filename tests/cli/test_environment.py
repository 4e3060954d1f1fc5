"""Settings in environment variables: meant, mistyped, injected, badly written."""

import json
import re

import pytest
import requests

from tests.cli.command import COMMAND, called, run, serving
from tests.limits import LIMIT


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "PORT", "SEED", "CONTROL_TOKEN", "SCENARIO"):
        monkeypatch.delenv(f"IDENTITY_EMULATOR_{name}", raising=False)


KUBERNETES = {
    "IDENTITY_EMULATOR_SERVICE_HOST": "10.0.171.239",
    "IDENTITY_EMULATOR_SERVICE_PORT": "3000",
    "IDENTITY_EMULATOR_SERVICE_PORT_HTTP": "3000",
    "IDENTITY_EMULATOR_PORT": "tcp://10.0.171.239:3000",
    "IDENTITY_EMULATOR_PORT_3000_TCP": "tcp://10.0.171.239:3000",
    "IDENTITY_EMULATOR_PORT_3000_TCP_PROTO": "tcp",
    "IDENTITY_EMULATOR_PORT_3000_TCP_PORT": "3000",
    "IDENTITY_EMULATOR_PORT_3000_TCP_ADDR": "10.0.171.239",
    "IDENTITY_EMULATOR_PORT_53_UDP": "udp://10.0.171.239:53",
    "IDENTITY_EMULATOR_CANARY_SERVICE_HOST": "10.0.171.240",
    "IDENTITY_EMULATOR_CANARY_PORT": "tcp://10.0.171.240:3000",
    "IDENTITY_EMULATOR_CANARY_PORT_3000_TCP": "tcp://10.0.171.240:3000",
}
"""https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables"""


def test_what_kubernetes_injects_for_a_service_of_our_name_is_ignored_by_serve() -> None:
    """The address is nobody's (RFC 5737), so this does not depend on who listens on port 3000."""
    _, output = run("serve", "--host", "192.0.2.1", "--control-token", "s3cret", **KUBERNETES)

    assert output.startswith("Error: can't listen on 192.0.2.1:3000: ")
    assert "IDENTITY_EMULATOR" not in output


def test_and_by_exec() -> None:
    done = called("exec", "--", "true", **KUBERNETES)

    assert (done.returncode, done.stderr) == (0, "")


def test_and_by_health(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_EMULATOR_PORT", KUBERNETES["IDENTITY_EMULATOR_PORT"])
    asked = re.search(r"http://\S+", run("health")[1])

    assert asked is None or asked[0] == "http://127.0.0.1:3000"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SEDE", "IDENTITY_EMULATOR_SEED"),
        ("SCENARIOS", "IDENTITY_EMULATOR_SCENARIO"),
        ("TOKEN", "IDENTITY_EMULATOR_CONTROL_TOKEN"),
        ("LOGLEVEL", "IDENTITY_EMULATOR_LOG_LEVEL"),
    ],
)
def test_a_variable_that_is_no_option_is_a_warning_with_the_one_that_was_meant(name: str, meant: str) -> None:
    done = called("exec", "--", "true", **{f"IDENTITY_EMULATOR_{name}": "s3cret"})

    assert done.returncode == 0
    assert f"WARNING IDENTITY_EMULATOR_{name} is no option; did you mean {meant!r}?" in done.stderr
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize("name", ["URL", "CONTROL_TOKEN", "READY_FILE"])
def test_names_that_other_commands_and_the_plugin_use_are_no_mistakes(name: str) -> None:
    done = called("exec", "--", "true", **{f"IDENTITY_EMULATOR_{name}": "http://127.0.0.1:3000"})

    assert (done.returncode, done.stderr) == (0, "")


def test_an_exec_within_an_exec_does_not_warn_of_what_the_outer_one_set() -> None:
    command = (*COMMAND, "exec")
    done = called("exec", "--control-token", "s3cret", "--", *command, "--", "true")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "tcp"),
        ("PORT", "70000"),
        ("SEED", "seven"),
        ("FREEZE_AT", "yesterday"),
        ("SPACETIME_PROFILE", "v3"),
        ("INTUITION_PROFILE", "v3"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("JOURNAL_SIZE", "-1"),
        ("HOST", "0.0.0.0"),
        ("HOST", "no such host"),
        ("HOST", "192.0.2.1"),
        ("HOST", f"{'a' * 80}.localhost"),
        ("SCENARIO", "two_freinds"),
        ("SCENARIO", "no/such/file.yaml"),
        ("JWT_PRIV_KEY_PATH", "nowhere"),
        ("EXPORT_ON_EXIT", "no/such/folder/world.json"),
        ("READY_FILE", "no/such/folder/ready.json"),
        ("CONTROL_TOKEN", ""),
        ("CONTROL_TOKEN", " \n"),
        ("CONTROL_TOKEN", "s3c\nret"),
        ("CONTROL_TOKEN", "s3crét"),
    ],
)
def test_a_bad_value_names_the_variable_and_no_option_that_nobody_typed(name: str, value: str) -> None:
    ours = {"IDENTITY_EMULATOR_PORT": "0", "IDENTITY_EMULATOR_CONTROL_TOKEN": "t"} if value == "192.0.2.1" else {}
    status, output = run("serve", **{**ours, f"IDENTITY_EMULATOR_{name}": value})

    error = output[output.index("Error: ") :]
    assert status == 2
    assert f"IDENTITY_EMULATOR_{name}" in error
    assert f"--{name.lower().replace('_', '-')}" not in error
    assert "Traceback" not in output
    assert "s3c" not in output


def test_a_taken_port_names_the_variable_too() -> None:
    with serving("--port", "0") as (_, ready):
        status, output = run("serve", IDENTITY_EMULATOR_PORT=str(ready["port"]))

    assert (status, "choose another IDENTITY_EMULATOR_PORT" in output) == (2, True)


def test_a_bad_value_on_the_command_line_names_the_option() -> None:
    _, output = run("serve", "--port", "70000", IDENTITY_EMULATOR_SEED="7")

    assert "Invalid value for '--port'" in output


def test_values_are_trimmed() -> None:
    with serving(
        IDENTITY_EMULATOR_PORT="0\n",
        IDENTITY_EMULATOR_SEED=" 7 \r\n",
        IDENTITY_EMULATOR_SPACETIME_PROFILE="v2\n",
        IDENTITY_EMULATOR_SCENARIO="two_friends\n",
    ) as (_, ready):
        found = requests.get(f"{ready['url']}/_emulator/health", timeout=LIMIT).json()

    assert (found["seed"], found["profiles"]["spacetime"]) == (7, "v2.14")


def test_a_control_token_from_a_file_that_ends_in_a_newline_is_the_token() -> None:
    with serving("--port", "0", IDENTITY_EMULATOR_CONTROL_TOKEN="s3cret\n") as (_, ready):
        answer = requests.get(f"{ready['url']}/_emulator/state", headers={"X-Emulator-Token": "s3cret"}, timeout=LIMIT)

    assert answer.status_code == 200


@pytest.mark.parametrize("token", ["", " ", "\n", "a\nb", "a\x7f", "tökén", "a\u00a0b"])
def test_a_control_token_that_no_header_can_carry_is_refused_on_the_command_line(token: str) -> None:
    status, output = run("serve", "--port", "0", "--control-token", token)

    assert (status, "'--control-token'" in output) == (2, True)
    assert token.strip() == "" or token not in output


# --- health -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("PORT", "0"),
        ("PORT", "9"),
        ("PORT", "٣٠٠٠"),
        ("URL", "nowhere"),
        ("URL", "http://[::1"),
        ("URL", "http://127.0.0.1:9"),
    ],
)
def test_health_names_the_variable(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"IDENTITY_EMULATOR_{name}", value)
    status, output = run("health")

    assert (status, output.startswith(f"Error: IDENTITY_EMULATOR_{name}")) == (1, True)
    assert output.count("\n") == 1


def test_health_trims_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving("--port", "0", "--seed", "7") as (_, ready):
        monkeypatch.setenv("IDENTITY_EMULATOR_URL", f" {ready['url']}/\n")
        status, output = run("health")

    assert (status, json.loads(output)["seed"]) == (0, 7)
