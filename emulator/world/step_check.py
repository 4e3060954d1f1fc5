"""What is wrong with a step where it is to be added: to a scenario, to a world, or to a world read from a snapshot."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from emulator.core.suggestions import did_you_mean
from emulator.faults.step import Mistake, Step, mistakes
from emulator.http.operation import why_never
from emulator.services.intuition.operations import OPERATIONS as INTUITION_OPERATIONS
from emulator.services.spacetimedb.operations import OPERATIONS as SPACETIME_OPERATIONS

OPERATIONS = (*SPACETIME_OPERATIONS, *INTUITION_OPERATIONS)
"""Of both APIs, in all their profiles."""


class StepNames(Protocol):
    """What a step can name. The lists are for suggestions; more than they hold may be known."""

    @property
    def actor_names(self) -> Iterable[str]: ...
    @property
    def key_names(self) -> Iterable[str]: ...
    @property
    def row_names(self) -> Iterable[str]: ...
    def is_actor(self, name: str) -> bool: ...
    def is_key(self, name: str) -> bool: ...
    def is_row(self, name: str) -> bool: ...


def mistakes_in(step: Step, names: StepNames) -> Iterator[Mistake]:
    """Everything that would keep a step from ever doing what it says."""
    yield from mistakes(step)
    if step.request is not None and (why := why_never(step.request, OPERATIONS)):
        yield Mistake(("request",), why)
    if step.actor is not None and not names.is_actor(step.actor):
        yield Mistake(("actor",), f"no actor {step.actor!r}; {did_you_mean(step.actor, names.actor_names)}")
    if isinstance(key := step.do.revoke, str) and not names.is_key(key):
        yield Mistake(("do", "revoke"), f"no such API key; {did_you_mean(key, names.key_names)}")
    for change in ("complete", "fail", "remove"):
        row = getattr(step.do, change)
        if isinstance(row, str) and not names.is_row(row):
            yield Mistake(("do", change), f"no identity {row!r}; {did_you_mean(row, names.row_names)}")
