"""Open WebSockets."""

from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.control.connections import as_json
from emulator.http.request import Request
from emulator.http.response import Response, json_response
from emulator.world.connections import check_close


class ConnectionHandlers(Handlers):
    async def connections(self, request: Request) -> Response:
        """The open WebSockets, oldest first."""
        return json_response({"connections": [as_json(each) for each in self._stage.settled_world().connections]})

    async def close_connections(self, request: Request) -> Response:
        """Close all open WebSockets, or with `id` those that have it."""
        wanted = await bodies.read(request, bodies.ConnectionsClosed)
        try:
            check_close(wanted.code, wanted.reason)
        except ValueError as error:
            raise ControlRefused(400, str(error), f"send {bodies.example(bodies.ConnectionsClosed)}") from None
        connections = self._stage.settled_world().connections
        found = [each for each in connections if wanted.id in {None, each.id}]
        if wanted.id is not None and not found:
            raise ControlRefused(
                404, f"there is no open connection {wanted.id[:40]!r}", "see GET /_emulator/connections"
            )
        for each in found:
            connections.close(each, wanted.code, wanted.reason)
        return await self.connections(request)
