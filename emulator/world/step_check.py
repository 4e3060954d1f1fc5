"""Mistakes in a step that depend on where it is added: to a scenario, to a world, or to that of a snapshot."""

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from emulator.core.path_pattern import can_meet
from emulator.core.suggestions import Suggest, did_you_mean
from emulator.faults.step import Mistake, Step, mistakes
from emulator.http.operation import matching, upgraded_by, why_never
from emulator.services.intuition.operations import OPERATIONS as INTUITION_OPERATIONS
from emulator.services.spacetimedb.operations import OPERATIONS as SPACETIME_OPERATIONS

OPERATIONS = (*SPACETIME_OPERATIONS, *INTUITION_OPERATIONS)
"""Of both APIs, in all their profiles."""
_SHOWN = 100
"""Characters of a name in a message."""


class StepNames(Protocol):
    """The names that a step can use. The lists of names are for suggestions and need not be complete."""

    @property
    def actor_names(self) -> Iterable[str]: ...
    @property
    def key_names(self) -> Iterable[str]: ...
    @property
    def row_names(self) -> Iterable[str]: ...
    @property
    def stubbed_requests(self) -> Iterable[str]: ...
    def is_actor(self, name: str) -> bool: ...
    def is_key(self, name: str) -> bool: ...
    def is_row(self, name: str) -> bool: ...
    def suggest(self, name: str, known: Iterable[str], most: int = ...) -> str: ...


def why_no_route(method: str, path: str, stubs: Iterable[str] = ()) -> str:
    """Why no request of a method and a path pattern can reach a route of the two APIs, or one of these stubs.

    Empty when one can.
    """
    request = f"{method} {path}"
    return "" if _is_answered(request, stubs) else why_never(request, OPERATIONS)


def never_happens(step: Step, stubs: Iterable[str] = (), suggest: Suggest = did_you_mean) -> Iterator[Mistake]:
    """Why a step can never happen in a world with these stubs, whatever else is in it."""
    yield from mistakes(step)
    if step.request is not None and not _is_answered(step.request, stubs):
        yield Mistake(("request",), why_never(step.request, OPERATIONS, suggest))
    elif step.request is not None and step.do.websocket is not None and not upgraded_by(step.request, OPERATIONS):
        yield Mistake(("do", "websocket"), f"{step.request[:_SHOWN]!r} has no WebSocket; {_upgrading_routes()}")


def _upgrading_routes() -> str:
    paths = [f"{each.method} {path}" for each in OPERATIONS if each.upgrades for path in each.paths]
    return f"those that have one are {', '.join(re.sub(':[a-z_]+', '*', path) for path in paths) or 'none'}"


def mistakes_in(step: Step, names: StepNames) -> Iterator[Mistake]:
    """All reasons why a step can never happen."""
    yield from never_happens(step, names.stubbed_requests, names.suggest)
    if step.actor is not None and not names.is_actor(step.actor):
        yield Mistake(("actor",), f"no actor {step.actor[:_SHOWN]!r}; {names.suggest(step.actor, names.actor_names)}")
    if isinstance(key := step.do.revoke, str) and not names.is_key(key):
        yield Mistake(("do", "revoke"), f"no such API key; {names.suggest(key, names.key_names)}")
    for change in ("complete", "fail", "remove"):
        row = getattr(step.do, change)
        if isinstance(row, str) and not names.is_row(row):
            yield Mistake(("do", change), f"no identity {row[:_SHOWN]!r}; {names.suggest(row, names.row_names)}")


def _is_answered(request: str, stubs: Iterable[str]) -> bool:
    """Whether an operation or a stub answers some request of a step."""
    method, _, path = request.partition(" ")
    if not path:
        return False
    return bool(matching(method, path, OPERATIONS)) or any(_meets(method, path, stub) for stub in stubs)


def _meets(method: str, path: str, stub: str) -> bool:
    stubbed, _, its_path = stub.partition(" ")
    alike = "*" in {method, stubbed} or method == stubbed or (method == "HEAD" and stubbed == "GET")
    return alike and can_meet(path, its_path)
