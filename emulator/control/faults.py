"""The faults of an emulator, as a test adds and asserts them."""

from collections.abc import Iterator
from typing import Any, Protocol

from emulator.faults.catalogue import Kind, matrix
from emulator.faults.step import made_step, step_of
from emulator.world.stage import Stage


class Fault(Protocol):
    """A step, and how far it has come."""

    @property
    def number(self) -> int:
        """Its place in the script, from 1."""

    @property
    def seen(self) -> int:
        """How many requests fit it."""

    @property
    def fired(self) -> int:
        """How many requests it was done to."""

    @property
    def status(self) -> str:
        """`waiting`, `fired`, `done`, `missed` or `removed`."""

    @property
    def done(self) -> bool:
        """Whether it has done all it can; one without an end, whether it has done anything."""

    def remove(self) -> None:
        """Take it away. What it was stays readable."""


class Faults(Protocol):
    """The steps of the scenario's script, and those added here."""

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
        """Have something go wrong with requests like `POST /v1/identity`: `add("POST /identity", nth=2, status=503)`.

        In the path `*` is one segment, `**` any number. Conditions are the fields of `Step` in emulator/faults/step.py
        (`at` and `until` too), what can be done those of `Do` there; docs/faults.md has both. The first step that
        applies wins. Raises ValueError for a step that could never do anything.
        """
        conditions = {"nth": nth, "times": times, "skip": skip, "actor": actor, "probability": probability}
        return self._add(step_of(request, conditions | do))

    def _add(self, step: dict[str, Any]) -> Fault: ...

    def clear(self) -> None:
        """Remove all, the scenario's script included, until the next reset."""

    def __iter__(self) -> Iterator[Fault]: ...

    def __len__(self) -> int:
        return len(list(iter(self)))

    def assert_done(self) -> None:
        """Every step has done all it can. Raises AssertionError with those that have not."""
        __tracebackhide__ = True
        if waiting := [repr(fault) for fault in self if not fault.done]:
            raise AssertionError("\n".join(["faults that have not done all they can:", *waiting]))

    @staticmethod
    def matrix() -> tuple[Kind, ...]:
        """All kinds, as `emulator.faults.matrix()` gives them where there is no emulator yet."""
        return matrix()


class LocalFaults(Faults):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def _add(self, step: dict[str, Any]) -> Fault:
        return self._stage.settled_world().add_step(made_step(step))

    def clear(self) -> None:
        self._stage.settled_world().faults.clear()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._stage.settled_world().faults)
