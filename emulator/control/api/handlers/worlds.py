"""The worlds on ports of their own."""

import asyncio
from collections.abc import Mapping
from typing import Any

from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused, without_port
from emulator.control.api.handlers.base import Handlers
from emulator.control.api.handlers.scenario import bundled_or_document
from emulator.control.emulator import LocalEmulator
from emulator.control.worlds import OpenWorld, WorldServers
from emulator.core.clock import parse_rfc3339
from emulator.http.request import Request
from emulator.http.response import Response, json_response
from emulator.world.config import Config
from emulator.world.stage import Stage


class WorldsHandlers(Handlers):
    """`worlds` are those on other ports, `token` is the control token of them all."""

    def __init__(self, stage: Stage, worlds: WorldServers, token: str | None) -> None:
        super().__init__(stage)
        self._worlds = worlds
        self._token = token

    async def worlds(self, request: Request) -> Response:
        """The worlds on ports of their own, oldest first: the same list on each of their ports."""
        return json_response({"worlds": [self._world(each, request) for each in self._worlds]})

    async def open_world(self, request: Request) -> Response:
        """Another world; what the body leaves out is as at the server's start."""
        wanted = await bodies.read(request, bodies.WorldWanted)
        try:
            frozen = None if wanted.freeze_at is None else parse_rfc3339(wanted.freeze_at)
        except ValueError as error:
            raise ControlRefused(400, f"freeze_at: {error}", f"send {bodies.example(bodies.WorldWanted)}") from None
        config = Config(
            seed=wanted.seed,
            scenario=bundled_or_document(wanted.scenario),
            spacetime_profile=wanted.spacetime_profile,
            intuition_profile=wanted.intuition_profile,
            freeze_at=frozen,
        )
        return json_response(self._world(self._worlds.open(config, wanted.idle_exit), request))

    async def close_world(self, request: Request) -> Response:
        """Close a world, also that of the port which was asked; the response are those that are left."""
        closing = self._worlds.close(request.params[0])
        if closing is None:
            raise ControlRefused(
                404, f"there is no world {request.params[0][:40]!r}", "see GET /_emulator/worlds; the first has no id"
            )
        await asyncio.shield(asyncio.wrap_future(closing))
        return await self.worlds(request)

    def _world(self, world: OpenWorld, request: Request) -> Mapping[str, Any]:
        """At the host as the client wrote it: from another machine, or a container, ours has another name."""
        port = world.url.rpartition(":")[2]
        url = f"http://{without_port(request.header('host') or '')}:{port}"
        handle = LocalEmulator(url, world.stage, world.abort, self._token)
        env = {**handle.env(), **handle.actors_env()}
        return {"id": world.id, "url": url, "env": env, "idle_exit": world.idle_exit}
