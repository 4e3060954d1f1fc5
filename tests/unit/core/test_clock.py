from datetime import UTC, datetime, timedelta

import pytest

from emulator.core.clock import LATEST, Clock, http_date, parse_rfc3339, rfc3339
from emulator.core.entropy import Entropy
from tests.waiting import PATIENCE

MOMENT = datetime(2024, 2, 15, 5, 47, 17, 289011, tzinfo=UTC)


def test_a_frozen_clock_does_not_move() -> None:
    clock = Clock(MOMENT)

    assert clock.now() == clock.now() == MOMENT


def test_a_frozen_clock_can_be_moved_both_ways() -> None:
    clock = Clock(MOMENT)

    clock.advance(61.5)
    clock.advance(timedelta(seconds=-1.5))

    assert clock.now() == MOMENT + timedelta(seconds=60)


def test_resuming_runs_on_from_where_the_clock_stood() -> None:
    clock = Clock(MOMENT)

    clock.resume()

    assert timedelta(0) <= clock.now() - MOMENT < timedelta(seconds=PATIENCE)
    assert not clock.frozen


def test_a_skew_is_measured_from_wall_time() -> None:
    clock = Clock()
    clock.advance(1000)

    clock.skew(300)

    assert abs(clock.now() - datetime.now(UTC) - timedelta(seconds=300)) < timedelta(seconds=PATIENCE)


def test_the_clock_stays_between_1970_and_9999() -> None:
    clock = Clock(MOMENT)

    with pytest.raises(ValueError, match="1970 to 9999"):
        clock.advance(-(10**10))

    assert clock.now() == MOMENT


def test_times_have_six_digits_also_when_they_are_zero() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000000Z"


def test_the_date_header_is_an_imf_fixdate() -> None:
    assert http_date(784_111_777) == b"Sun, 06 Nov 1994 08:49:37 GMT"  # the example of RFC 9110


@pytest.mark.parametrize("text", ["2024-02-15", "2024-02-15T05:47:17", "yesterday", "0001-01-01T00:00:00Z"])
def test_a_moment_needs_date_time_and_offset(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_rfc3339(text)


def test_the_same_seed_draws_the_same() -> None:
    assert [Entropy(7).uuid4("a"), Entropy(7).uuid4("a")] == [Entropy(7).uuid4("a")] * 2


def test_one_purpose_does_not_disturb_another() -> None:
    alone, shared = Entropy(7), Entropy(7)
    shared.draw("other")

    assert alone.draw("mine") == shared.draw("mine")


def test_no_two_draws_are_equal() -> None:
    entropy = Entropy(7)

    assert len({entropy.draw("mine") for _ in range(1000)}) == 1000


def test_a_uuid_is_of_version_4() -> None:
    from uuid import UUID

    entropy = Entropy(7)

    for text in (entropy.uuid4("mine") for _ in range(50)):
        assert UUID(text).version == 4
        assert str(UUID(text)) == text


def test_a_frozen_clock_can_not_be_skewed() -> None:
    clock = Clock(MOMENT)

    with pytest.raises(ValueError, match="resume it first"):
        clock.skew(5)
    assert clock.now() == MOMENT


def test_a_moment_can_be_a_text() -> None:
    clock = Clock()
    clock.freeze("2024-02-15T05:47:17Z")

    assert clock.now() == datetime(2024, 2, 15, 5, 47, 17, tzinfo=UTC)


def test_a_clock_is_not_moved_out_of_its_years_by_infinity() -> None:
    with pytest.raises(ValueError, match="by: expected a finite number, got inf"):
        Clock().advance(float("inf"))


def test_a_running_clock_stops_at_the_end_of_the_year_9999() -> None:
    clock = Clock(LATEST - timedelta(microseconds=1))
    clock.resume()

    while not clock.frozen:  # one microsecond
        clock.now()

    assert clock.now() == clock.now() == LATEST


def test_a_clock_that_stopped_at_its_end_can_be_moved_back() -> None:
    clock = Clock(LATEST - timedelta(microseconds=1))
    clock.resume()
    while not clock.frozen:
        clock.now()

    clock.advance(-3600)

    assert not clock.frozen
    assert timedelta(0) <= clock.now() - (LATEST - timedelta(seconds=3600)) < timedelta(seconds=PATIENCE)


@pytest.mark.parametrize("seconds", [1e300, -1e300, 10**400, 3e11, -2e10])
def test_a_skew_out_of_the_years_is_refused(seconds: float) -> None:
    clock = Clock()

    with pytest.raises(ValueError, match="can't leave the years 1970 to 9999"):
        clock.skew(seconds)
    assert clock.ahead == 0
