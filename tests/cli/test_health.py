"""`identity-emulator health`."""

import json

import pytest

from tests.cli.command import run, serving


def test_health_asks_whether_an_emulator_answers() -> None:
    with serving("--port", "0", "--seed", "7") as (_, ready):
        status, output = run("health", ready["url"])

    assert (status, json.loads(output)["seed"]) == (0, 7)


def test_health_of_nothing_is_a_failure() -> None:
    status, output = run("health", "http://127.0.0.1:9")

    assert (status, "no emulator answers at http://127.0.0.1:9" in output) == (1, True)


def test_health_uses_the_address_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDENTITY_EMULATOR_URL", raising=False)
    monkeypatch.setenv("IDENTITY_EMULATOR_PORT", "9")

    assert "http://127.0.0.1:9" in run("health")[1]
