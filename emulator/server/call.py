"""A request with its context: world, API, route, caller, fault."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from emulator.http.request import Request
from emulator.http.response import Response
from emulator.http.routing import Api, Match
from emulator.journal.frames import Frames
from emulator.world.stubs import Stub
from emulator.world.world import World


class Served(NamedTuple):
    """The APIs of a world by name, each with its store, and the name of the one that has a request's path."""

    own: str
    apis: Mapping[str, tuple[Api[Any], Any]]


class Call:
    """A request and its world, the current one when it arrived; a reset meanwhile does not change it.

    `api`, `match` and `store` are set by routing; without a match `why_not` is the reason. A `stub` answers what is not
    emulated: then `api` is that whose credentials and errors the response has, and there may be no match. `actor` is
    the scenario's name for the caller, `fault` the step that was applied. `micros` is the emulator's clock when the
    request arrived, `number` that of its exchange in the journal. `hangs_up` ends the connection after the response.
    `frames` is where the journal keeps those of an upgrade.
    """

    __slots__ = (
        "actor",
        "api",
        "fault",
        "frames",
        "hangs_up",
        "match",
        "micros",
        "number",
        "request",
        "served",
        "store",
        "stub",
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
        self.stub: Stub | None = None
        self.served: Served | None = None
        """Set with the stub."""
        self.number = 0
        self.hangs_up = False
        self.frames: Frames | None = None
        self.actor = self.fault = self.why_not = ""
        self.micros = world.clock.micros()

    @property
    def operation(self) -> str:
        """A name such as `spacetime.verify` or `stub 1: POST /claims`; empty when nothing has the route."""
        if self.stub is not None:
            return self.stub.operation
        return self.match.route.operation.name if self.match and self.match.route else ""


CallHandler = Callable[[Call], Awaitable[Response]]
"""A handler, or a middleware around one."""
