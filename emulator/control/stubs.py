"""Adding, inspecting and removing stubs."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Protocol

import msgspec

from emulator.control.reach import OutOfReach
from emulator.core.arguments import Judged, shown
from emulator.world.stage import Stage
from emulator.world.stubs import StubFunction, as_json, made_stub, raw_fields


def _wrong_json(given: object) -> str:
    if callable(given):
        return "it is a function, which is given as answer=…"
    try:
        as_json(given)
    except ValueError as error:
        return f"expected a value of JSON, got {shown(given)}: {str(error).removeprefix('the body is not JSON: ')}"
    return ""


AnyBody = Annotated[Any, Judged(_wrong_json)]
"""What can be written as JSON, also dataclasses and datetimes."""


class Stub(Protocol):
    """A stub and its counter."""

    @property
    def number(self) -> int:
        """Its place among the stubs of its world, from 1."""

    @property
    def request(self) -> str:
        """The method and the path of the requests that it answers."""

    @property
    def answered(self) -> int:
        """How many requests it answered. Those whose credentials were refused, or that a fault met, do not count."""

    @property
    def fired(self) -> int:
        """The same as `answered`, as faults call it."""

    @property
    def done(self) -> bool:
        """Whether it answered `times` times; without `times`, at least once."""

    def remove(self) -> None:
        """Remove it; the next stub that fits answers. Its count stays readable."""


class Stubs(Protocol):
    """The stubs of the world: the scenario's, then those added by `emulator.stub`. The first one that fits answers."""

    def _add(self, stub: Mapping[str, Any], function: StubFunction | None) -> Stub: ...

    def clear(self) -> None:
        """Remove all stubs, the scenario's included, until the next reset."""

    def __iter__(self) -> Iterator[Stub]: ...

    def __len__(self) -> int:
        return len(list(iter(self)))

    def assert_done(self) -> None:
        """Raises AssertionError with every stub that is not `done`."""
        __tracebackhide__ = True
        if waiting := [repr(stub) for stub in self if not stub.done]:
            raise AssertionError("\n".join(["stubs that did not answer as often as they should:", *waiting]))


class LocalStubs(Stubs):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def _add(self, stub: Mapping[str, Any], function: StubFunction | None) -> Stub:
        return self._stage.settled_world().add_stub(made_stub(stub), function)

    def clear(self) -> None:
        self._stage.settled_world().stubs.clear()

    def __iter__(self) -> Iterator[Stub]:
        return iter(self._stage.settled_world().stubs)


def stub_of(
    request: str,
    *,
    json: Any = msgspec.UNSET,
    body: str | bytes | None = None,
    answer: StubFunction | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """The JSON of a stub from keywords. Raises ValueError for a body that is not JSON, and for a useless function."""
    found = {"request": request, **{name: value for name, value in fields.items() if value is not None}}
    if callable(json):
        raise ValueError("json is a function; a function is given as answer=…")
    if json is not msgspec.UNSET:
        found["json"] = as_json(json)
    if body is not None:
        found |= raw_fields(body) if isinstance(body, bytes) else {"body": body}
    if answer is not None:
        _check(answer, found)
    return found


def _check(function: StubFunction, found: Mapping[str, Any]) -> None:
    if not callable(function) or inspect.iscoroutinefunction(function):
        raise ValueError("answer must be a plain function, which gets the exchange; it runs in a thread of its own")
    if given := [name for name in ("json", "text", "body", "base64") if name in found]:
        raise ValueError(f"either answer or {given[0]}, not both: the function returns the body")


def out_of_reach(function: StubFunction | None) -> None:
    """Raises OutOfReach for a function that would have to run in another process."""
    if function is not None:
        raise OutOfReach("stub(answer=…)")
