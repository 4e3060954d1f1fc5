"""Scenarios as values, and worlds made of them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from emulator import Misconfigured
from emulator.control.emulator import LocalEmulator
from emulator.scenario.type_check import checked
from emulator.scenario.yaml_reader import read
from emulator.world.config import Given
from emulator.world.stage import Stage
from emulator.world.world import World
from tests.worlds import handle_of, make_stage, world_of

MOMENT = datetime(2024, 2, 15, 5, 47, 17, tzinfo=UTC)


def document(**parts: Any) -> dict[str, Any]:
    return {"version": 1, "seed": 7, **parts}


def stage(scenario: Given, **settings: Any) -> Stage:
    return make_stage(scenario=scenario, freeze_at=MOMENT, **settings)


def world(scenario: Given, **settings: Any) -> World:
    return world_of(stage(scenario, **settings))


def handle(scenario: Given, **settings: Any) -> LocalEmulator:
    return handle_of(stage(scenario, **settings))


def refused(scenario: Given) -> str:
    with pytest.raises(Misconfigured) as error:
        make_stage(scenario=scenario)
    return str(error.value)


def problems(text: str) -> list[str]:
    """The mistakes in a scenario with this text after its version."""
    tree, unreadable = read(f"version: 1\n{text}".encode(), "it.yaml")
    assert unreadable == []
    return [str(problem) for problem in checked(tree)[1]]


PEOPLE = document(
    spacetime={
        "identities": {
            "alice": {"email": "Alice@Example.com", "databases": ["chat", "shop"]},
            "bob": {
                "issuer": "https://auth.example.com",
                "subject": "bob",
                "audience": "web",
                "claims": {"role": "admin"},
            },
            "eve": None,
        }
    },
    intuition={
        "api_keys": {"ci": {"wallet": "0x52"}, "alice": None, "own": {"key": "abc"}},
        "identities": {
            "jp": {
                "display_name": "JP",
                "creator": {"actor": "ci"},
                "description": "It's me, JP",
                "image": "i",
                "external_reference": "42",
                "positions": [
                    {"wallet": {"actor": "alice"}, "amount": 5},
                    {"wallet": "0x81", "amount": "10" + "0" * 20},
                ],
            },
            "new": {"display_name": "New", "status": "pending"},
            "bad": {"display_name": "Bad", "status": "error"},
            "old": {"display_name": "Old", "status": "removed"},
            "jp2": {"display_name": "JP2"},
        },
    },
)
