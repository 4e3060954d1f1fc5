"""What a scenario costs, beside the same thing done in another way."""

import gc
from collections.abc import Callable
from time import perf_counter, process_time

from tests.unit.scenario.support import document, stage, world
from tests.worlds import make_stage


def median(action: Callable[[], object], times: int = 200) -> float:
    taken = []
    for _ in range(times):
        began = perf_counter()
        action()
        taken.append(perf_counter() - began)
    return sorted(taken)[times // 2]


def test_a_reset_to_a_scenario_costs_what_an_empty_one_costs() -> None:
    crowd = document(spacetime={"crowd": {"count": 2000}}, intuition={"crowd": {"count": 5000}})
    full, empty = stage(crowd), make_stage()

    ratios = sorted(median(full.reset) / median(empty.reset) for _ in range(5))

    assert ratios[2] < 2


def test_a_crowd_of_rows_costs_a_fraction_of_their_creation() -> None:
    """In steps of the interpreter's own time: a bound that holds on a busy machine too."""
    gc.collect()
    began = process_time()
    world(document(intuition={"crowd": {"count": 2000}}))
    made = process_time() - began

    assert made < 1
