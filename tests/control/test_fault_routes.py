"""Faults added and removed over the control routes."""

from typing import Any

import pytest

from emulator import Emulator
from tests.client import create, steer


def test_a_fault_is_added_over_http(emulator: Emulator) -> None:
    told = steer(emulator, "POST", "/faults", {"request": "POST /identity", "nth": 1, "do": {"status": 503}}).json()
    create(emulator)

    [found] = steer(emulator, "GET", "/faults").json()["faults"]
    assert (told["n"], told["status"]) == (1, "waiting")
    assert (found["seen"], found["fired"], found["status"]) == (1, 1, "done")


def test_one_fault_or_all_are_taken_away_over_http(emulator: Emulator) -> None:
    for _ in range(3):
        steer(emulator, "POST", "/faults", {"request": "POST /identity", "do": {"status": 503}})

    assert steer(emulator, "DELETE", "/faults", {"n": 2}).status_code == 200
    assert [each["n"] for each in steer(emulator, "GET", "/faults").json()["faults"]] == [1, 3]
    assert steer(emulator, "DELETE", "/faults").status_code == 200
    assert steer(emulator, "GET", "/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"request": "POST /identity", "do": {"stauts": 503}}, "do.stauts: unknown key, did you mean 'status'?"),
        ({"request": "POST /identity"}, "do: missing"),
        ({"request": "POST /identity", "do": 5}, "do: expected a mapping, got 5"),
        ({"request": "POST", "do": {"hang": True}}, "request: 'POST' is not like 'POST /v1/identity'"),
        ({"request": "POST /identity", "actor": "bob", "do": {"hang": True}}, "actor: no actor 'bob'; there is none"),
        ({}, "do: missing"),
    ],
)
def test_a_wrong_fault_is_refused_over_http(emulator: Emulator, body: dict[str, Any], error: str) -> None:
    answer = steer(emulator, "POST", "/faults", body)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert len(emulator.faults) == 0


def test_a_fault_that_is_not_there_can_not_be_taken_away(emulator: Emulator) -> None:
    assert steer(emulator, "DELETE", "/faults", {"n": 9}).status_code == 404
