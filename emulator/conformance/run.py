"""Sends the cases of a table to a server, one at a time, and says of each whether it holds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from emulator.conformance.cases import NEEDS, Case
from emulator.conformance.compare import Difference
from emulator.conformance.replay import send
from emulator.conformance.target import Target
from emulator.conformance.tokens import Keys
from emulator.conformance.websockets import converse


@dataclass(frozen=True)
class Given:
    """What whoever runs the cases gives; its fields have the names of `cases.NEEDS`."""

    keys: Keys | None = None
    database: str | None = None
    api_key: str | None = None


@dataclass(frozen=True)
class Outcome:
    case: Case
    """As it was sent."""
    difference: Difference | None = None
    left_out: str | None = None
    """Why it was not sent."""

    @property
    def state(self) -> Literal["holds", "differs", "left out"]:
        return "left out" if self.left_out else "differs" if self.difference else "holds"


def run(cases: Iterable[Case], target: Target, given: Given | None = None) -> Iterator[Outcome]:
    """The outcomes, each as soon as it is there. Raises OSError if the target can't be reached."""
    given = given or Given()
    for case in cases:
        missing = [NEEDS[need] for need in case.needs if getattr(given, need) is None]
        if missing:
            yield Outcome(case, left_out=missing[0])
        else:
            yield Outcome(case, converse(target, case) if case.turns else send(target, case).difference)
