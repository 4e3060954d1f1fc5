"""A request on its way through the server, with all that is found out about it."""

from collections.abc import Awaitable, Callable
from typing import Any

from emulator.http.request import Request
from emulator.http.response import Response
from emulator.http.routing import Api, Match
from emulator.world.world import World


class Call:
    """A request, and the world that requests saw when it came: it belongs to that world to its end.

    `api`, `match` and `store` say where it leads; without a match `why_not` says why. `actor` is the scenario's name
    for who asks, `fault` the step that was done to it. `micros` is the emulator's clock when it came.
    """

    __slots__ = ("actor", "api", "fault", "match", "micros", "request", "store", "why_not", "world")

    def __init__(self, request: Request, world: World) -> None:
        self.request = request
        self.world = world
        self.api: Api[Any] | None = None
        self.match: Match[Any] | None = None
        self.store: Any = None
        """The API's own part of the world, which is all that its handlers are given."""
        self.actor = self.fault = self.why_not = ""
        self.micros = world.clock.micros()

    @property
    def operation(self) -> str:
        """What is asked for, such as `spacetime.verify`; empty where neither API has it."""
        return self.match.route.operation.name if self.match and self.match.route else ""


Answering = Callable[[Call], Awaitable[Response]]
"""A part of the way from a call to its answer."""
