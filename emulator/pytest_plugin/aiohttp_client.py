"""aiohttp's TestClient, on an emulator in the running loop."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestClient

from emulator.control.api.access import Guard
from emulator.control.emulator import Emulator, LocalEmulator
from emulator.control.new_world import new_stage
from emulator.server.protocol import Http
from emulator.world.config import Config
from emulator.world.stage import Stage


class _EmulatorServer(BaseTestServer):
    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage

    async def _make_runner(self, **kwargs: Any) -> web.ServerRunner:
        return web.ServerRunner(Http(self._stage, Guard(), asyncio.get_running_loop()), **kwargs)


class EmulatorClient(TestClient[Any, Any]):
    """Requests take paths: `await client.post("/v1/identity")`. `emulator` is the handle of the server."""

    emulator: Emulator

    def __init__(self, config: Config) -> None:
        self._stage = new_stage(config)
        super().__init__(_EmulatorServer(self._stage))

    async def __aenter__(self) -> "EmulatorClient":
        await super().__aenter__()
        self.emulator = LocalEmulator(str(self.make_url("/")).rstrip("/"), self._stage, lambda: None)
        return self
