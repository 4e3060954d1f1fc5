from collections import deque

from emulator.graveyard import Graveyard


def test_large_containers_are_emptied_in_slices() -> None:
    graveyard = Graveyard()
    journal, rows = deque(range(300)), dict.fromkeys(range(250))

    graveyard.bury(journal, rows)

    assert len(graveyard) == 2
    assert graveyard.dig(200)
    assert (len(journal), len(rows)) == (100, 250)
    assert graveyard.dig(200)
    assert graveyard.dig(200)
    assert not graveyard.dig(200)
    assert (len(journal), len(rows)) == (0, 0)
    assert not graveyard.dig(200)


def test_small_containers_are_not_kept_for_later() -> None:
    graveyard = Graveyard()

    graveyard.bury(deque(range(10)))

    assert not graveyard


def test_there_is_room_for_so_many_only() -> None:
    graveyard = Graveyard()

    for _ in range(100):
        graveyard.bury(deque(range(300)))

    assert len(graveyard) == 32
