"""Adding, inspecting and removing faults."""

from collections.abc import Iterator
from typing import Any, Protocol, Unpack

from emulator.core.arguments import checked, with_example
from emulator.core.errors import WrongArgument, is_misconfigured
from emulator.faults.fault_matrix import Kind, matrix
from emulator.faults.settings import FaultSettings
from emulator.faults.step import Mistake, WrongStep, made_step, step_of
from emulator.world.stage import Stage

__tracebackhide__ = is_misconfigured


class Fault(Protocol):
    """A fault and its counters."""

    @property
    def number(self) -> int:
        """Its place in the script, from 1."""

    @property
    def seen(self) -> int:
        """How many requests matched it."""

    @property
    def fired(self) -> int:
        """How often it happened."""

    @property
    def status(self) -> str:
        """`waiting`, `fired`, `done`, `missed` or `removed`."""

    @property
    def done(self) -> bool:
        """Whether it happened `times` times; without `times`, at least once."""

    def remove(self) -> None:
        """Remove it. Its counts stay readable."""


class Faults(Protocol):
    """The faults of the world: the steps of the scenario's script, and those added by `add`."""

    @checked("faults.add")
    def add(self, request: str | None = None, **settings: Unpack[FaultSettings]) -> Fault:
        """Add a fault to requests of a method and a path: `add("POST /identity", nth=2, status=503)`.

        In the path `*` is one segment, `**` any number. Conditions are `nth`, `times`, `skip`, `actor`, `probability`,
        `at`, `until`, `json` (a part of the request's body) and `query`, everything else is an action; docs/faults.md
        describes both. `headers` and `body` are those of the response; with `do={…}`, which then has all actions, they
        are conditions on the request too. Lengths of time are seconds or timedeltas. If several faults apply to a
        request, the first one happens. Raises WrongArgument, also for a fault that could never happen.
        """
        try:
            return self._add(step_of(request, settings))
        except WrongStep as error:
            raise WrongArgument(f"faults.add: {_as_arguments(error)}") from None
        except ValueError as error:
            raise WrongArgument(f"faults.add: {with_example(f'body: {error}', 'body')}") from None

    def _add(self, step: dict[str, Any]) -> Fault: ...

    def clear(self) -> None:
        """Remove all faults, the scenario's script included, until the next reset."""

    def __iter__(self) -> Iterator[Fault]: ...

    def __len__(self) -> int:
        return len(list(iter(self)))

    def assert_done(self) -> None:
        """Raises AssertionError with every fault that is not `done`."""
        __tracebackhide__ = True
        if waiting := [repr(fault) for fault in self if not fault.done]:
            raise AssertionError("\n".join(["faults that did not happen as often as they should:", *waiting]))

    @staticmethod
    @checked("faults.matrix", websocket=True)
    def matrix(*, websocket: bool = False) -> tuple[Kind, ...]:
        """The same as `emulator.faults.matrix()`, which needs no emulator."""
        return matrix(websocket=websocket)


def _as_arguments(wrong: WrongStep) -> str:
    """The mistakes with the names that arguments have, and an example for the first."""
    paths = [each.path[1:] if each.path[:1] == ("do",) and each.path[1:] else each.path for each in wrong.mistakes]
    texts = [str(Mistake(path, each.text)) for path, each in zip(paths, wrong.mistakes, strict=True)]
    return with_example("; ".join(texts), next((str(path[0]) for path in paths if path), "request"))


class LocalFaults(Faults):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def _add(self, step: dict[str, Any]) -> Fault:
        return self._stage.settled_world().add_step(made_step(step))

    def clear(self) -> None:
        self._stage.settled_world().faults.clear()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._stage.settled_world().faults)
