"""Stubs of the other process."""

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.control.remote.client import Control, judged_there
from emulator.control.stubs import Stub, Stubs, out_of_reach
from emulator.world.stubs import StubFunction, made_stub


def stubbed_requests(control: Control) -> Iterator[str]:
    """The requests that stubs answer. The emulator is asked for them with the first one, so when no operation does."""
    yield from (str(each["request"]) for each in control("GET", "/stubs")["stubs"])


class RemoteStub(Stub):
    """A stub of the other process. After `remove()` or a reset it has the counts last read."""

    def __init__(self, control: Control, found: dict[str, Any]) -> None:
        self._control = control
        self._last = found

    def __repr__(self) -> str:
        return f"<Stub {self._now()}>"

    @property
    def number(self) -> int:
        return int(self._last["n"])

    @property
    def request(self) -> str:
        return str(self._last["request"])

    @property
    def answered(self) -> int:
        return int(self._now()["answered"])

    @property
    def fired(self) -> int:
        return self.answered

    @property
    def done(self) -> bool:
        return bool(self._now()["done"])

    def remove(self) -> None:
        self._now()
        self._control("DELETE", "/stubs", {"n": self.number})

    def _now(self) -> dict[str, Any]:
        found = self._control("GET", "/stubs")["stubs"]
        self._last = next((each for each in found if each["n"] == self.number), self._last)
        return self._last


class RemoteStubs(Stubs):
    def __init__(self, control: Control) -> None:
        self._control = control

    def _add(self, stub: Mapping[str, Any], function: StubFunction | None) -> Stub:
        out_of_reach(function)
        made_stub(stub)
        with judged_there("stub"):
            return RemoteStub(self._control, self._control("POST", "/stubs", stub))

    def clear(self) -> None:
        self._control("DELETE", "/stubs")

    def __iter__(self) -> Iterator[Stub]:
        return iter([RemoteStub(self._control, each) for each in self._control("GET", "/stubs")["stubs"]])
