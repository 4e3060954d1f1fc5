"""The actors of the scenario."""

from emulator.control.actors import LocalActor
from emulator.control.api import bodies
from emulator.control.api.handlers.base import Handlers
from emulator.http.parameters import query_pairs
from emulator.http.request import Request
from emulator.http.response import Response, json_response


class ActorHandlers(Handlers):
    async def actors(self, request: Request) -> Response:
        """Actors with their tokens and keys; `name` selects one. Members of crowds are found only by `name`."""
        query = query_pairs(request.query)
        bodies.only(dict(query), ("name",))
        actors = self._stage.settled_world().actors
        asked = [actors.get(name) for _, name in query] if query else [each for each in actors if not each.crowd]
        handles = [LocalActor(self._stage, each.name) for each in asked if each is not None]
        env = {name: value for handle in handles for name, value in handle.env().items()}
        if key := self._stage.settled_world().api_key:
            env["INTUITION_API_KEY"] = key
        return json_response({"actors": {each.name: each.to_json() for each in handles}, "env": env})
