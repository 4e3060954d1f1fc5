"""The fixture for pytest-aiohttp. `conftest_plugin` loads this module only when that plugin is active."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from emulator.control.emulator import Emulator
    from emulator.pytest_plugin.aiohttp_client import EmulatorClient
    from emulator.world.config import Config


@pytest_asyncio.fixture
async def identity_emulator_client(
    request: pytest.FixtureRequest,
    identity_emulator_config: "Config",
    _identity_emulator_watch: "Callable[[Emulator], AbstractContextManager[None]]",
) -> AsyncIterator["EmulatorClient"]:
    """An aiohttp `TestClient` on an emulator in the test's own loop; the emulator is its `.emulator`."""
    from emulator.pytest_plugin.aiohttp_client import EmulatorClient
    from emulator.pytest_plugin.settings import folders_of, one_line_failures, world_config

    with one_line_failures():
        unopened = EmulatorClient(world_config(request.node, identity_emulator_config))
    async with unopened as client:
        client.emulator.folders = folders_of(request.node)
        with _identity_emulator_watch(client.emulator):
            yield client
