"""The time that a scenario takes, compared with the same work without it."""

from time import thread_time

from emulator.services.intuition.model import Draft
from tests.measuring import quickest
from tests.unit.scenario.support import document, stage, world
from tests.worlds import make_stage, make_world


def test_a_reset_to_a_scenario_costs_what_an_empty_one_costs() -> None:
    crowd = document(spacetime={"crowd": {"count": 2000}}, intuition={"crowd": {"count": 5000}})
    full, empty = stage(crowd), make_stage()

    filled, bare = quickest(full.reset, empty.reset, times=200)

    assert filled < 2 * bare


def test_a_crowd_of_rows_costs_about_what_rows_cost_one_by_one() -> None:
    def crowd() -> None:
        world(document(intuition={"crowd": {"count": 2000}}))

    def one_by_one() -> None:
        store = make_world().intuition
        for number in range(2000):
            store.create(Draft(f"user-{number}", "0x81"))

    together, alone = quickest(crowd, one_by_one, times=5, clock=thread_time)

    assert together < 2 * alone
