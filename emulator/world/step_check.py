"""Mistakes in a step that depend on where it is added: to a scenario, to a world, or to that of a snapshot."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from emulator.core.suggestions import Suggest, did_you_mean
from emulator.faults.step import Mistake, Step, mistakes
from emulator.http.operation import why_never
from emulator.services.intuition.operations import OPERATIONS as INTUITION_OPERATIONS
from emulator.services.spacetimedb.operations import OPERATIONS as SPACETIME_OPERATIONS

OPERATIONS = (*SPACETIME_OPERATIONS, *INTUITION_OPERATIONS)
"""Of both APIs, in all their profiles."""
_SHOWN = 100
"""Characters of a name in a message."""


class StepNames(Protocol):
    """The names that a step can use. The lists are for suggestions and need not be complete."""

    @property
    def actor_names(self) -> Iterable[str]: ...
    @property
    def key_names(self) -> Iterable[str]: ...
    @property
    def row_names(self) -> Iterable[str]: ...
    def is_actor(self, name: str) -> bool: ...
    def is_key(self, name: str) -> bool: ...
    def is_row(self, name: str) -> bool: ...
    def suggest(self, name: str, known: Iterable[str]) -> str: ...


def why_no_route(method: str, path: str) -> str:
    """Why no request of a method and a path pattern can reach a route of the two APIs; empty when one can."""
    return why_never(f"{method} {path}", OPERATIONS)


def never_happens(step: Step, suggest: Suggest = did_you_mean) -> Iterator[Mistake]:
    """Why a step can never happen, in no world."""
    yield from mistakes(step)
    if step.request is not None and (why := why_never(step.request, OPERATIONS, suggest)):
        yield Mistake(("request",), why)


def mistakes_in(step: Step, names: StepNames) -> Iterator[Mistake]:
    """All reasons why a step can never happen."""
    yield from never_happens(step, names.suggest)
    if step.actor is not None and not names.is_actor(step.actor):
        yield Mistake(("actor",), f"no actor {step.actor[:_SHOWN]!r}; {names.suggest(step.actor, names.actor_names)}")
    if isinstance(key := step.do.revoke, str) and not names.is_key(key):
        yield Mistake(("do", "revoke"), f"no such API key; {names.suggest(key, names.key_names)}")
    for change in ("complete", "fail", "remove"):
        row = getattr(step.do, change)
        if isinstance(row, str) and not names.is_row(row):
            yield Mistake(("do", change), f"no identity {row[:_SHOWN]!r}; {names.suggest(row, names.row_names)}")
