"""The world as a whole: its health, its numbers, a reset, a snapshot, and the OpenAPI document of what it serves."""

from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.control.api.handlers.base import Handlers
from emulator.control.api.handlers.scenario import bundled_or_document
from emulator.core.clock import rfc3339
from emulator.core.errors import Misconfigured
from emulator.core.version import VERSION
from emulator.http.request import Request
from emulator.http.response import JSON, Response, json_response
from emulator.world import snapshot_document
from emulator.world.config import Config


class WorldHandlers(Handlers):
    async def health(self, request: Request) -> Response:
        self._stage.health_checks += 1
        return self._health()

    def _health(self) -> Response:
        world = self._stage.settled_world()
        return json_response({"status": "ok", "version": VERSION, "seed": world.seed, "profiles": world.profiles})

    async def state(self, request: Request) -> Response:
        world = self._stage.settled_world()
        spacetime, intuition = world.spacetime, world.intuition
        return json_response(
            {
                "seed": world.seed,
                "clock": {"now": rfc3339(world.clock.micros()), "frozen": world.clock.frozen},
                "spacetime": {
                    "profile": spacetime.profile.name,
                    "emails": len(spacetime.emails),
                    "stubbed_reducers": len(spacetime.stubbed_reducers),
                    "issuers": len(spacetime.issuers) if spacetime.has_issuers else 0,
                },
                "intuition": {
                    "profile": intuition.profile.name,
                    "api_keys": len(intuition.api_keys),
                    "identities": len(intuition),
                },
                "stubs": len(world.stubs),
                "journal": {"total": world.journal.total, "dropped": world.journal.dropped},
                "changes": self._stage.changes,
            }
        )

    async def reset(self, request: Request) -> Response:
        """A new world of the current config, or for this reset only of another `seed` or `scenario`.

        `"scenario": null` drops the loaded scenario and returns to the config of the server's start.
        """
        wanted = await bodies.read(request, bodies.Reset)
        other = Config(seed=wanted.seed, scenario=bundled_or_document(wanted.scenario))
        if wanted.scenario is None:
            self._stage.restart(other)
        else:
            self._stage.reset(other.over(self._stage.config))
        return self._health()

    async def snapshot(self, request: Request) -> Response:
        """The world as a document, to compare or to restore with PUT; secrets included."""
        try:
            return Response(200, snapshot_document.written(self._stage.settled_world()), JSON)
        except Misconfigured as error:
            raise ControlRefused(409, str(error), "remove the stub, or give it `json`, `text` or `body`") from None

    async def restore(self, request: Request) -> Response:
        """Replace the world by that of a document from GET. An invalid document changes nothing."""
        document = await bodies.raw_body(request, snapshot_document.Document)
        self._stage.show(snapshot_document.read(document, self._stage.settled_world()))
        return await self.state(request)

    async def openapi(self, request: Request) -> Response:
        """The OpenAPI document of both APIs in their current profiles, and of the control routes."""
        from emulator.control.api.openapi_document import document

        world = self._stage.settled_world()
        return json_response(document(world.spacetime.profile, world.intuition.profile))
