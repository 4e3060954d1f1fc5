"""Precedence: the config overrides the scenario, a later layer an earlier one."""

from datetime import UTC, datetime

import pytest

from emulator import Config
from tests.unit.scenario.support import MOMENT, PEOPLE, document, stage, world
from tests.waiting import PATIENCE
from tests.worlds import handle_of, make_stage, make_world, world_of


def test_the_config_overrides_the_scenario() -> None:
    parts = document(clock={"freeze": "2025-01-01T00:00:00Z"}, spacetime={"profile": "v1"})
    found = world(parts, seed=9, spacetime_profile="v2")

    assert (found.seed, found.spacetime.profile.name, found.clock.now()) == (9, "v2.14", MOMENT)


def test_what_the_config_leaves_out_comes_from_the_scenario() -> None:
    parts = document(clock={"freeze": "2025-01-01T00:00:00Z"}, spacetime={"profile": "v1"})
    found = make_world(scenario=parts)

    assert (found.seed, found.spacetime.profile.name) == (7, "v1")
    assert found.clock.now() == datetime(2025, 1, 1, tzinfo=UTC)


def test_what_both_leave_out_comes_from_below() -> None:
    found = world_of(make_stage(scenario={"version": 1}, below=Config(seed=5, spacetime_profile="v1")))

    assert (found.seed, found.spacetime.profile.name) == (5, "v1")


def test_a_skewed_clock_runs_ahead() -> None:
    found = make_world(scenario=document(clock={"skew": 3600}))

    assert not found.clock.frozen
    assert (found.clock.now() - datetime.now(UTC)).total_seconds() == pytest.approx(3600, abs=PATIENCE)


def test_layers_are_laid_over_each_other() -> None:
    above = {
        "version": 1,
        "spacetime": {"identities": {"alice": {"email": "new@x.y"}}},
        "script": [{"at": 5, "do": {"rotate_key": True}}],
    }
    begun = stage((PEOPLE, "lost_answer", above))
    found = handle_of(begun)
    alice = found.actors["alice"]

    assert found.spacetime.email_of(alice.identity) == "new@x.y"
    assert list(alice.databases) == ["chat", "shop"]
    assert len(found.faults) == 3
    assert world_of(begun).scenario == ("inline document", "lost_answer", "inline document")


def test_no_layers_are_no_scenario_whatever_is_below() -> None:
    assert Config(scenario=()).over(Config(scenario="two_friends")).scenario == ()
    assert len(world(()).actors) == 0
