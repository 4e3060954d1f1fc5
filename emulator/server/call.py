"""A request with its context: world, API, route, caller, fault."""

from collections.abc import Awaitable, Callable
from typing import Any

from emulator.http.request import Request
from emulator.http.response import Response
from emulator.http.routing import Api, Match
from emulator.journal.frames import Frames
from emulator.world.world import World


class Call:
    """A request and its world, the current one when it arrived; a reset meanwhile does not change it.

    `api`, `match` and `store` are set by routing; without a match `why_not` is the reason. `actor` is the scenario's
    name for the caller, `fault` the step that was applied. `micros` is the emulator's clock when the request arrived.
    `hangs_up` ends the connection after the response. `frames` is where the journal keeps those of an upgrade.
    """

    __slots__ = (
        "actor",
        "api",
        "fault",
        "frames",
        "hangs_up",
        "match",
        "micros",
        "request",
        "store",
        "why_not",
        "world",
    )

    def __init__(self, request: Request, world: World) -> None:
        self.request = request
        self.world = world
        self.api: Api[Any] | None = None
        self.match: Match[Any] | None = None
        self.store: Any = None
        """The API's store in the world, the only part of it that handlers get."""
        self.hangs_up = False
        self.frames: Frames | None = None
        self.actor = self.fault = self.why_not = ""
        self.micros = world.clock.micros()

    @property
    def operation(self) -> str:
        """A name such as `spacetime.verify`; empty when neither API has the route."""
        return self.match.route.operation.name if self.match and self.match.route else ""


CallHandler = Callable[[Call], Awaitable[Response]]
"""A handler, or a middleware around one."""
