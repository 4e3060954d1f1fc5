"""The actors of the scenario."""

from emulator.control.actors import LocalActor, actor_of
from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.http.parameters import query_pairs
from emulator.http.request import Request
from emulator.http.response import Response, json_response
from emulator.world.actors import Actor
from emulator.world.stage import Stage


class ActorHandlers(Handlers):
    async def actors(self, request: Request) -> Response:
        """Actors with their tokens and keys; `name` selects one. Members of crowds are found only by `name`."""
        query = query_pairs(request.query)
        bodies.only(dict(query), ("name",))
        actors = self._stage.settled_world().actors
        asked = [actors.get(name) for _, name in query] if query else [each for each in actors if not each.crowd]
        handles = [LocalActor(self._stage, each.name) for each in asked if each is not None]
        if query and not handles:
            asked_actor(self._stage, query[0][1])
        env = {name: value for handle in handles for name, value in handle.env().items()}
        if key := self._stage.settled_world().api_key:
            env["INTUITION_API_KEY"] = key
        return json_response({"actors": {each.name: each.to_json() for each in handles}, "env": env})


def asked_actor(stage: Stage, name: str) -> Actor:
    """The actor that a request names. Raises ControlRefused."""
    try:
        return actor_of(stage, name)
    except KeyError as error:
        raise ControlRefused(404, str(error.args[0]), "see GET /_emulator/actors") from None
