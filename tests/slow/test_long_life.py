"""The state machine of tests/properties again, longer and by other ways each time."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.test_world_against_a_model import SmallLayersMachine, WorldMachine

LONG = settings(
    database=None,
    deadline=None,
    max_examples=100,
    stateful_step_count=100,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)


@pytest.mark.parametrize("machine", [WorldMachine, SmallLayersMachine])
def test_a_world_does_what_a_plain_model_of_it_does_for_long(machine: type[WorldMachine]) -> None:
    run_state_machine_as_test(machine, settings=LONG)
