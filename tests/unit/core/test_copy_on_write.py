"""Forks of a mapping share its entries, but no later changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.copy_on_write import CopyOnWriteMap
from emulator.core.deferred_free import DeferredFree


def layered(**entries: int) -> CopyOnWriteMap[str, int]:
    made: CopyOnWriteMap[str, int] = CopyOnWriteMap(DeferredFree())
    for key, value in entries.items():
        made[key] = value
    return made


def test_a_fork_has_all_that_was_there() -> None:
    assert layered(a=1, b=2).fork().merged() == {"a": 1, "b": 2}


def test_a_fork_does_not_see_later_changes() -> None:
    first = layered(a=1)
    second = first.fork()

    first["a"], second["b"] = 2, 3

    assert (first.merged(), second.merged()) == ({"a": 2}, {"a": 1, "b": 3})


def test_what_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="nobody"):
        layered(a=1)["nobody"]


def test_a_key_that_is_set_twice_counts_once() -> None:
    entries = layered(a=1)
    entries.fork()
    entries["a"] = 2

    assert len(entries) == 1


def test_many_forks_of_a_growing_mapping_leave_few_layers() -> None:
    entries = layered()
    for number in range(500):
        entries[str(number)] = number
        entries.fork()

    assert len(entries.layers) == 1


def test_entries_without_a_reference_are_left_to_be_freed_later() -> None:
    deferred = DeferredFree()
    entries: CopyOnWriteMap[int, int] = CopyOnWriteMap(deferred)
    for number in range(1000):
        entries[number] = number
    fork = entries.fork()

    del entries
    assert len(deferred) == 0

    del fork
    assert len(deferred) == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9), st.booleans()), max_size=30))
def test_it_is_a_mapping_whatever_forks_are_made(writes: list[tuple[str, int, bool]]) -> None:
    entries, plain, forks = layered(), dict[str, int](), []
    for key, value, forked in writes:
        entries[key] = plain[key] = value
        if forked:
            forks.append((entries.fork(), dict(plain)))

    assert (entries.merged(), len(entries)) == (plain, len(plain))
    assert all(fork.merged() == then for fork, then in forks)
