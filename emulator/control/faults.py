"""What is ordered to go wrong, from outside."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from emulator.faults.catalogue import Kind, matrix
from emulator.faults.schedule import Fault
from emulator.faults.step import made_step, step_of
from emulator.world.stage import Stage


class Doable(Protocol):
    @property
    def done(self) -> bool: ...


def assert_done(faults: Iterable[Doable]) -> None:
    """Raises AssertionError with the faults that have not done all they can."""
    __tracebackhide__ = True
    if waiting := [repr(fault) for fault in faults if not fault.done]:
        raise AssertionError("\n".join(["not everything that was ordered happened:", *waiting]))


class FaultsHandle:
    """What is ordered to go wrong: the steps of the scenario's script, and those added here."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

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
        return self._stage.settled_world().add_step(made_step(step_of(request, conditions | do)))

    def clear(self) -> None:
        """Nothing goes wrong any more, the scenario's script included, until the next reset."""
        self._stage.settled_world().faults.clear()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._stage.settled_world().faults)

    def __len__(self) -> int:
        return len(self._stage.settled_world().faults)

    def assert_done(self) -> None:
        """Every step has done all it can. Raises AssertionError with those that have not."""
        __tracebackhide__ = True
        assert_done(self)

    @staticmethod
    def matrix() -> tuple[Kind, ...]:
        """All kinds, as `emulator.faults.matrix()` gives them where there is no emulator yet."""
        return matrix()
