"""Faults of the other process."""

from collections.abc import Iterator
from typing import Any

from emulator.control.faults import Fault, Faults
from emulator.control.remote.client import Control
from emulator.control.remote.stubs import stubbed_requests
from emulator.faults.step import WrongStep, made_step
from emulator.world.step_check import never_happens


class RemoteFault(Fault):
    """A fault of the other process. After `remove()` or a reset it is `removed`, with the counts last read."""

    def __init__(self, control: Control, found: dict[str, Any]) -> None:
        self._control = control
        self._last = found

    def __repr__(self) -> str:
        return f"<Fault {self._now()}>"

    @property
    def number(self) -> int:
        return int(self._last["n"])

    @property
    def seen(self) -> int:
        return int(self._now()["seen"])

    @property
    def fired(self) -> int:
        return int(self._now()["fired"])

    @property
    def status(self) -> str:
        return str(self._now()["status"])

    @property
    def done(self) -> bool:
        return bool(self._now()["done"])

    def remove(self) -> None:
        self._now()
        self._control("DELETE", "/faults", {"n": self.number})

    def _now(self) -> dict[str, Any]:
        found = self._control("GET", "/faults")["faults"]
        gone = {**self._last, "status": "removed"}
        self._last = next((each for each in found if each["n"] == self.number), gone)
        return self._last


class RemoteFaults(Faults):
    def __init__(self, control: Control) -> None:
        self._control = control

    def _add(self, step: dict[str, Any]) -> Fault:
        if wrong := list(never_happens(made_step(step), stubbed_requests(self._control))):
            raise WrongStep(wrong)
        return RemoteFault(self._control, self._control("POST", "/faults", step))

    def clear(self) -> None:
        self._control("DELETE", "/faults")

    def __iter__(self) -> Iterator[Fault]:
        return iter([RemoteFault(self._control, each) for each in self._control("GET", "/faults")["faults"]])
