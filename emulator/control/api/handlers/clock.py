"""The clock."""

from collections.abc import Callable, Mapping
from typing import Any

from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.core.clock import Clock, parse_rfc3339, rfc3339
from emulator.core.errors import in_any_language
from emulator.http.request import Request
from emulator.http.response import Response, json_response


class ClockHandlers(Handlers):
    async def clock(self, request: Request) -> Response:
        clock = self._stage.settled_world().clock
        return json_response({"now": rfc3339(clock.micros()), "frozen": clock.frozen})

    async def move_clock(self, request: Request) -> Response:
        """One of `advance` and `skew` (seconds), `freeze` (a time, or true for now) and `resume`."""
        wanted = await bodies.read(request, bodies.ClockMove)
        given = {name: value for name in _MOVES if (value := getattr(wanted, name)) is not None}
        if len(given) != 1:
            raise ControlRefused(400, f"{len(given)} changes of the clock", f"send one of {', '.join(_MOVES)}")
        ((name, value),) = given.items()
        try:
            _MOVES[name](self._stage.settled_world().clock, value)
        except (ValueError, OverflowError) as error:
            raise ControlRefused(400, f"{name}: {in_any_language(error)}", f"send {_CLOCK_EXAMPLES}") from None
        return await self.clock(request)


_CLOCK_EXAMPLES = '{"advance": 61}, {"freeze": "2024-02-15T05:47:17Z"}, {"skew": 5} or {"resume": true}'


def _resume(clock: Clock, wanted: object) -> None:
    if wanted is not True:
        raise ValueError("expected true, got false")
    clock.resume()


def _freeze(clock: Clock, at: object) -> None:
    if at is False:
        raise ValueError("expected true or a time, got false")
    clock.freeze(None if at is True else parse_rfc3339(str(at)))


_MOVES: Mapping[str, Callable[[Clock, Any], None]] = {
    "advance": Clock.advance,
    "freeze": _freeze,
    "skew": Clock.skew,
    "resume": _resume,
}
