"""Faults."""

from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.control.faults import LocalFaults
from emulator.faults.step import Step, WrongStep, made_step
from emulator.http.request import Request
from emulator.http.response import Response, json_response


class FaultHandlers(Handlers):
    async def faults(self, request: Request) -> Response:
        return json_response({"faults": [fault.to_json() for fault in self._stage.settled_world().faults]})

    async def add_fault(self, request: Request) -> Response:
        """The body is a step as in scenarios: `request`, other conditions, and `do`."""
        try:
            fault = self._stage.settled_world().add_step(made_step(await bodies.json_body(request, Step)))
        except WrongStep as error:
            raise ControlRefused(400, str(error), f"send {bodies.step_example(error)}") from None
        return json_response(fault.to_json())

    async def clear_faults(self, request: Request) -> Response:
        """Remove all faults, or with `{"n": 2}` one."""
        number = (await bodies.read(request, bodies.FaultNumber)).n
        faults = LocalFaults(self._stage)
        if number is None:
            faults.clear()
            return await self.faults(request)
        fault = next((each for each in faults if each.number == number), None)
        if fault is None:
            raise ControlRefused(404, f"there is no fault {number}", "see GET /_emulator/faults")
        fault.remove()
        return await self.faults(request)
