from collections import deque

from emulator.core.deferred_free import DeferredFree


def test_large_containers_are_emptied_in_slices() -> None:
    deferred = DeferredFree()
    journal, rows = deque(range(300)), dict.fromkeys(range(250))

    deferred.free_later(journal, rows)

    assert len(deferred) == 2
    assert deferred.free_some(200)
    assert (len(journal), len(rows)) == (100, 250)
    assert deferred.free_some(200)
    assert deferred.free_some(200)
    assert not deferred.free_some(200)
    assert (len(journal), len(rows)) == (0, 0)
    assert not deferred.free_some(200)


def test_small_containers_are_not_kept_for_later() -> None:
    deferred = DeferredFree()

    deferred.free_later(deque(range(10)))

    assert not deferred


def test_there_is_room_for_so_many_only() -> None:
    deferred = DeferredFree()

    for _ in range(100):
        deferred.free_later(deque(range(300)))

    assert len(deferred) == 32
