from collections import deque

from emulator.graveyard import Graveyard


def test_large_containers_are_emptied_in_slices() -> None:
    graveyard, woken = Graveyard(), []
    graveyard.wake = lambda: woken.append("now")
    journal, rows = deque(range(300)), dict.fromkeys(range(250))

    graveyard.bury(journal, rows)

    assert woken == ["now"]
    assert graveyard.dig(200)
    assert (len(journal), len(rows)) == (100, 250)
    assert graveyard.dig(200)
    assert graveyard.dig(200)
    assert not graveyard.dig(200)
    assert (len(journal), len(rows)) == (0, 0)
    assert not graveyard.dig(200)


def test_small_containers_are_not_worth_a_grave() -> None:
    graveyard, woken = Graveyard(), []
    graveyard.wake = lambda: woken.append("now")

    graveyard.bury(deque(range(10)))

    assert woken == []


def test_there_is_room_for_so_many_only() -> None:
    graveyard = Graveyard()
    graveyard.wake = lambda: None

    for _ in range(100):
        graveyard.bury(deque(range(300)))

    assert len(graveyard._containers) == 32


def test_a_loop_that_has_ended_is_no_trouble() -> None:
    def closed() -> None:
        raise RuntimeError("Event loop is closed")

    graveyard = Graveyard()
    graveyard.wake = closed

    graveyard.bury(deque(range(300)))
