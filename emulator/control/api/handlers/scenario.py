"""Scenarios: what is loaded, and loading another one."""

from typing import Any

import msgspec

from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.http.request import Request
from emulator.http.response import Response, json_response
from emulator.world.config import Given, is_bundled_name


class ScenarioHandlers(Handlers):
    async def scenario(self, request: Request) -> Response:
        """The names of the world's scenarios, and the status of each step of their script."""
        world = self._stage.settled_world()
        return json_response({"scenario": world.scenario, "steps": [fault.to_json() for fault in world.faults]})

    async def load_scenario(self, request: Request) -> Response:
        """Load `scenario`, a bundled name, a document or a list of both; or the body, when it is a document itself."""
        found = await bodies.json_body(request, bodies.ScenarioWanted)
        scenario = bundled_or_document(
            found if "version" in found else bodies.decoded(found, bodies.ScenarioWanted).scenario
        )
        if not scenario:
            raise ControlRefused(400, "no scenario", f"send {bodies.example(bodies.ScenarioWanted)} or a document")
        self._stage.load(scenario)
        return await self.scenario(request)


def bundled_or_document(given: Any) -> Given | None:
    """The scenario of a request: bundled names and documents, never files or functions. Raises ControlRefused."""
    for each in given if isinstance(given, list) else [given]:
        if isinstance(each, str) and not is_bundled_name(each):
            shown = msgspec.json.encode(each).decode()[:80]
            raise ControlRefused(
                400,
                f"`scenario` is {shown}, a path: a running emulator reads no files",
                f"send {bodies.example(bodies.ScenarioWanted)}, or the content of the file as JSON",
            )
    return None if given is msgspec.UNSET else given
