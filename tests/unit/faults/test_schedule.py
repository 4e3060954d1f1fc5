"""Which step applies to a request."""

from threading import RLock
from typing import Any

import pytest
from msgspec import convert

from emulator.core.entropy import Entropy
from emulator.faults.fault_matrix import matrix
from emulator.faults.kinds import ANSWERS, CHANGES, Do
from emulator.faults.schedule import Faults, RequestFacts
from emulator.faults.step import made_step, step_of

BEGUN = 1_000_000_000
CHANCE = Entropy(7)


def faults(*steps: dict[str, Any]) -> Faults:
    made = Faults(RLock(), BEGUN)
    for step in steps:
        made.add(made_step(step_of("POST /identity", step)))
    return made


def asked(*, at: float = 0.0, actor: str = "", client: str = "key", path: str = "/identity") -> RequestFacts:
    return RequestFacts("POST", (path,), actor, client, BEGUN + int(at * 1_000_000))


def fired(made: Faults, count: int, **how: Any) -> list[int]:
    """The number of the step that happens, 0 for none, for each of some requests."""
    orders = [made.decide(asked(**how), CHANCE) for _ in range(count)]
    return [0 if order is None else order.fault.number for order in orders]


def test_a_step_without_conditions_applies_to_every_request() -> None:
    assert fired(faults({"status": 503}), 3) == [1, 1, 1]


def test_nth_is_just_one() -> None:
    assert fired(faults({"status": 503, "nth": 2}), 4) == [0, 1, 0, 0]


def test_times_is_an_end() -> None:
    assert fired(faults({"status": 503, "times": 2}), 4) == [1, 1, 0, 0]


def test_skip_lets_pass_first() -> None:
    assert fired(faults({"status": 503, "skip": 2, "times": 1}), 4) == [0, 0, 1, 0]


def test_the_first_step_that_applies_happens() -> None:
    assert fired(faults({"status": 500, "times": 2}, {"status": 503}), 4) == [1, 1, 2, 2]


def test_a_step_counts_every_request_that_fits_whichever_wins() -> None:
    assert fired(faults({"status": 500, "times": 1}, {"status": 503, "nth": 2}), 3) == [1, 2, 0]


def test_another_path_is_not_counted() -> None:
    made = faults({"status": 503, "nth": 1})

    assert fired(made, 2, path="/v1/identity") == [0, 0]
    assert [fault.seen for fault in made] == [0]


def test_an_actor_s_step_is_for_that_actor() -> None:
    made = faults({"status": 503, "actor": "alice"})

    assert fired(made, 1, actor="bob") + fired(made, 1, actor="alice") == [0, 1]


def test_a_step_can_begin_and_end_by_the_clock() -> None:
    made = faults({"status": 503, "at": 10, "until": 20})

    assert [fired(made, 1, at=at) for at in (9.9, 10, 19.9, 20)] == [[0], [1], [1], [0]]


def test_chance_is_the_same_for_the_same_seed() -> None:
    first, again = (fired_with(Entropy(7)) for _ in range(2))

    assert first == again
    assert 20 < sum(first) < 80


def test_chance_is_another_for_another_seed() -> None:
    assert fired_with(Entropy(7)) != fired_with(Entropy(8))


def fired_with(chance: Entropy) -> list[bool]:
    made = faults({"status": 503, "probability": 0.5})
    return [made.decide(asked(), chance) is not None for _ in range(100)]


def test_a_range_of_delays_is_kept_to() -> None:
    made = faults({"delay": [1, 2]})
    delays = [order.delay for _ in range(50) if (order := made.decide(asked(), CHANCE))]

    assert len(delays) == 50
    assert 1 <= min(delays) < max(delays) < 2


# --- limits -----------------------------------------------------------------------------------------------------------

LIMIT = {"rate_limit": {"requests": 2, "seconds": 10}}


def retry_after(made: Faults, **how: Any) -> int | None:
    order = made.decide(asked(**how), CHANCE)
    return None if order is None else order.retry_after


def test_a_limit_counts_from_a_client_s_first_request() -> None:
    made = faults(LIMIT)

    assert [retry_after(made, at=at) for at in (3, 4, 5, 12.5, 13)] == [None, None, 8, 1, None]


def test_each_client_has_a_limit_of_its_own() -> None:
    made = faults(LIMIT)
    for _ in range(2):
        made.decide(asked(client="one"), CHANCE)

    assert [retry_after(made, client=client) for client in ("one", "two")] == [10, None]


def test_a_clock_set_back_starts_a_new_window() -> None:
    made = faults(LIMIT)

    assert [retry_after(made, at=at) for at in (100, 100, 100, 50)] == [None, None, 10, None]


def test_a_limit_of_true_allows_none() -> None:
    assert retry_after(faults({"rate_limit": True})) == 60


def test_a_request_within_its_limit_is_left_to_the_next_step() -> None:
    assert fired(faults(LIMIT, {"status": 503}), 3) == [2, 2, 1]


# --- how far it has come ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "statuses"),
    [
        ({"status": 503, "nth": 2}, ["waiting", "waiting", "done"]),
        ({"status": 503, "times": 2}, ["waiting", "fired", "done"]),
        ({"status": 503}, ["waiting", "fired", "fired"]),
    ],
)
def test_a_step_has_a_status(step: dict[str, Any], statuses: list[str]) -> None:
    made = faults(step)
    [fault] = made
    found = [fault.status]
    for _ in range(2):
        made.decide(asked(), CHANCE)
        found.append(fault.status)

    assert found == statuses


def test_a_step_without_an_end_is_done_once_it_has_fired() -> None:
    made = faults({"status": 503})
    [fault] = made
    before = fault.done
    made.decide(asked(), CHANCE)

    assert (before, fault.done) == (False, True)


def test_a_removed_step_never_applies() -> None:
    made = faults({"status": 503}, {"status": 500})
    next(iter(made)).remove()

    assert fired(made, 1) == [2]


def test_a_fork_goes_on_from_where_it_was() -> None:
    made = faults({"status": 503, "nth": 2})
    fired(made, 1)
    fork = made.fork(RLock())

    assert (fired(made, 1), fired(fork, 1)) == ([1], [1])


def test_the_matrix_has_every_kind() -> None:
    kinds = {kind for each in matrix() for kind in convert(each.do, Do).kinds}

    assert kinds == {*ANSWERS, *CHANGES, "delay"}
