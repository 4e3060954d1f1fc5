"""The clock of the other process."""

from datetime import datetime

from emulator.control.emulator import ClockControl
from emulator.control.remote.client import Control
from emulator.core.arguments import all_checked
from emulator.core.clock import Moment, Seconds, parse_rfc3339, rfc3339, to_micros, to_moment, to_seconds


@all_checked("clock.", at="2024-02-15T05:47:17Z")
class RemoteClock(ClockControl):
    def __init__(self, control: Control) -> None:
        self._control = control

    def __repr__(self) -> str:
        return f"<Clock of {self._control.url}>"

    @property
    def frozen(self) -> bool:
        frozen: bool = self._control("GET", "/clock")["frozen"]
        return frozen

    def now(self) -> datetime:
        return parse_rfc3339(self._control("GET", "/clock")["now"])

    def advance(self, by: Seconds) -> None:
        self._move("advance", to_seconds(by))

    def freeze(self, at: Moment | None = None) -> None:
        self._move("freeze", True if at is None else rfc3339(to_micros(to_moment(at))))

    def resume(self) -> None:
        self._move("resume", True)  # noqa: FBT003 - a value of JSON

    def skew(self, seconds: Seconds) -> None:
        self._move("skew", to_seconds(seconds))

    def _move(self, move: str, value: object) -> None:
        self._control("POST", "/clock", {move: value})
