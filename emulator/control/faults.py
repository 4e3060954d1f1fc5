"""Adding, inspecting and removing faults."""

from collections.abc import Iterator
from typing import Any, Protocol

from emulator.faults.fault_matrix import Kind, matrix
from emulator.faults.step import made_step, step_of
from emulator.world.stage import Stage


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

    def add(
        self,
        request: str | None = None,
        *,
        nth: int | None = None,
        times: int | None = None,
        skip: int = 0,
        actor: str | None = None,
        probability: float | None = None,
        **do: Any,
    ) -> Fault:
        """Add a fault to requests of a method and a path: `add("POST /identity", nth=2, status=503)`.

        In the path `*` is one segment, `**` any number. Conditions are the fields of `Step` in emulator/faults/step.py
        (`at` and `until` too), actions those of `Do` there; docs/faults.md describes both. If several faults apply to a
        request, the first one happens. Raises ValueError for a fault that could never happen.
        """
        conditions = {"nth": nth, "times": times, "skip": skip, "actor": actor, "probability": probability}
        return self._add(step_of(request, conditions | do))

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
    def matrix(*, websocket: bool = False) -> tuple[Kind, ...]:
        """The same as `emulator.faults.matrix()`, which needs no emulator."""
        return matrix(websocket=websocket)


class LocalFaults(Faults):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def _add(self, step: dict[str, Any]) -> Fault:
        return self._stage.settled_world().add_step(made_step(step))

    def clear(self) -> None:
        self._stage.settled_world().faults.clear()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._stage.settled_world().faults)
