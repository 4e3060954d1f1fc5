from datetime import UTC, datetime
from threading import RLock
from typing import Any

import pytest

from emulator.core.deferred_free import DeferredFree
from emulator.journal.exchange import Exchange, Message
from emulator.journal.journal import Journal
from emulator.journal.limits import KEPT_IN_ALL


def exchange(number: int, **changes: Any) -> Exchange:
    given: dict[str, Any] = {
        "number": number,
        "method": "GET",
        "target": "/v1/ping",
        "operation": "spacetime.ping",
        "request": Message(b"", b"", 0),
        "status": 200,
        "response": Message(b"", b"", 0),
        "why": "",
        "micros": 0,
        "duration": 0.0,
    }
    return Exchange(**{**given, **changes})


def journal_of(*exchanges: Exchange, size: int = 100) -> Journal:
    journal = Journal(size, RLock(), DeferredFree())
    for each in exchanges:
        journal.number()
        journal.record(each)
    return journal


def test_the_oldest_exchange_is_dropped_and_counted_when_the_journal_is_full() -> None:
    journal = journal_of(*(exchange(number) for number in range(1, 6)), size=3)

    assert [each.number for each in journal] == [3, 4, 5]
    assert (journal.total, journal.dropped) == (5, 2)


def test_all_bodies_together_stay_below_32_mib() -> None:
    body = Message(b"", b"x" * 16_384, 16_384)
    journal = journal_of(*(exchange(number, request=body, response=body) for number in range(2000)), size=10_000)

    assert 32_768 * len(journal) < KEPT_IN_ALL
    assert journal.dropped > 0


def test_a_journal_of_size_nothing_keeps_nothing() -> None:
    assert len(journal_of(exchange(1), size=0)) == 0


def test_clearing_keeps_the_count() -> None:
    journal = journal_of(exchange(1))

    journal.clear()

    assert (len(journal), journal.total, journal.dropped) == (0, 1, 1)


def test_headers_are_read_in_any_case_and_bad_bytes_are_shown() -> None:
    message = Message(b"X-Thing: \xff\r\nx-thing: two\r\n", b"\xfe", 1)

    assert message.header("x-THING") == "\\xff"
    assert message.body == "\\xfe"


def test_path_and_query_are_separate() -> None:
    each = exchange(1, target="/v1/identity/a%2Fb/set-email?email=a?b")

    assert (each.path, each.query) == ("/v1/identity/a%2Fb/set-email", "email=a?b")


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [1, 2, 3]),
        ({"method": "post"}, [2]),
        ({"status": 404}, [3]),
        ({"path": "/v1/ping"}, [1, 2]),
        ({"path": "/v1/*"}, [1, 2]),
        ({"path": "/v1/**"}, [1, 2, 3]),
        ({"path": "/v1/identity/*/verify"}, [3]),
        ({"path": "/v1/pin."}, []),
        ({"since": datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)}, [2, 3]),
    ],
)
def test_exchanges_are_found_by_method_path_status_and_time(filters: dict[str, Any], numbers: list[int]) -> None:
    journal = journal_of(
        exchange(1),
        exchange(2, method="POST", micros=5_000_000),
        exchange(3, target="/v1/identity/abc/verify?x=1", status=404, micros=6_000_000),
    )

    assert [each.number for each in journal.find(**filters)] == numbers


def test_what_comes_after_a_position_is_in_the_order_in_which_it_was_recorded() -> None:
    journal = journal_of(exchange(2), exchange(1), exchange(3))

    assert [each.number for each in journal.after(1, 1)[1]] == [1]
    assert [each.number for each in journal.after(1, 9)[1]] == [1, 3]
    assert (journal.first, journal.recorded) == (0, 3)


def test_after_what_was_dropped_comes_the_first_that_is_kept() -> None:
    journal = journal_of(*(exchange(number) for number in range(1, 6)), size=2)

    position, found = journal.after(1, 9)
    assert (position, [each.number for each in found]) == (3, [4, 5])
    assert (journal.first, journal.recorded) == (3, 5)


def test_positions_go_on_after_the_journal_was_cleared() -> None:
    journal = journal_of(exchange(1), exchange(2))
    journal.clear()
    journal.record(exchange(3))

    assert [each.number for each in journal.after(2, 9)[1]] == [3]
    assert (journal.first, journal.recorded, journal.cleared) == (2, 3, 2)
    assert journal.after(7, 9)[1] == []


def test_who_listens_is_woken_by_an_exchange_and_by_the_end_of_all() -> None:
    journal, woken = journal_of(), []
    journal.add_listener(lambda: woken.append("woken"))
    journal.record(exchange(1))
    journal.clear()

    assert woken == ["woken", "woken"]
