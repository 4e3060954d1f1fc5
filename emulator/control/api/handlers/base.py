"""What the handlers of all control routes have in common."""

from collections.abc import Awaitable, Callable

from emulator.http.request import Request
from emulator.http.response import Response
from emulator.world.stage import Stage

ControlHandler = Callable[[Request], Awaitable[Response]]


class Handlers:
    """Handlers of some operations, on the stage that they read and change. A public method has its operation's name."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
