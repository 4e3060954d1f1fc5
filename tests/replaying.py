"""Many cases at once, each at the second in which it was recorded, by the server's clock."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import urlsplit

from emulator.conformance.cases import Case
from emulator.conformance.replay import MORE_PATIENCE, PATIENCE, Answer, send
from emulator.conformance.target import Target

THREADS = 16
"""Most of them wait."""

SetClock = Callable[[datetime], None]


def target_of(url: str) -> Target:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return Target(parts.hostname, parts.port)


def replay(target: Target, cases: Sequence[Case], set_clock: SetClock) -> list[Answer]:
    """Send all cases, each at the second in which it was recorded, by the server's clock.

    A case that does not hold then is sent again in the next second: a recorded date has no fraction, and can be a
    second behind.
    """
    answers = _send_all(target, cases, set_clock, PATIENCE)
    differing = [place for place, answer in enumerate(answers) if answer.difference]
    differing.sort(key=lambda place: answers[place].ends_as_recorded)  # the others first, all at once
    again = [_again(answers[place]) for place in differing]
    for place, answer in zip(differing, _send_all(target, again, set_clock, MORE_PATIENCE), strict=True):
        answers[place] = answer
    return answers


def _again(answer: Answer) -> Case:
    """A second later; but whether a connection ends does not depend on the clock."""
    case = answer.case
    later = case.moment + timedelta(seconds=1) if case.moment and answer.ends_as_recorded else None
    return replace(case, moment=later)


def _send_all(target: Target, cases: Iterable[Case], set_clock: SetClock, patience: float) -> list[Answer]:
    answers: list[Answer] = []
    with ThreadPoolExecutor(THREADS) as threads:
        for moment, group in groupby(cases, lambda case: case.moment):
            if moment is not None:
                set_clock(moment)
            answers += threads.map(lambda case: send(target, case, patience=patience), list(group))
    return answers
