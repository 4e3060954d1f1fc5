"""Stubs."""

from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.control.stubs import LocalStubs
from emulator.http.request import Request
from emulator.http.response import Response, json_response
from emulator.world.stubs import StubSpec, made_stub


class StubHandlers(Handlers):
    async def stubs(self, request: Request) -> Response:
        return json_response({"stubs": [stub.to_json() for stub in self._stage.settled_world().stubs]})

    async def add_stub(self, request: Request) -> Response:
        """The body is a stub as in scenarios."""
        try:
            stub = self._stage.settled_world().add_stub(made_stub(await bodies.json_body(request, StubSpec)))
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {bodies.example(StubSpec)}") from None
        return json_response(stub.to_json())

    async def clear_stubs(self, request: Request) -> Response:
        """Remove all stubs, or with `{"n": 2}` one."""
        number = (await bodies.read(request, bodies.StubNumber)).n
        stubs = LocalStubs(self._stage)
        if number is None:
            stubs.clear()
            return await self.stubs(request)
        stub = next((each for each in stubs if each.number == number), None)
        if stub is None:
            raise ControlRefused(404, f"there is no stub {number}", "see GET /_emulator/stubs")
        stub.remove()
        return await self.stubs(request)
