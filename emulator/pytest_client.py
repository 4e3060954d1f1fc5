"""The fixture for pytest-aiohttp. The plugin loads this module only where that plugin is active."""

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from emulator.config import Config
    from emulator.handle import Emulator
    from emulator.testclient import EmulatorClient


@pytest_asyncio.fixture
async def identity_emulator_client(
    request: pytest.FixtureRequest,
    identity_emulator_config: "Config",
    _identity_emulator_watch: "Callable[[Emulator], None]",
) -> AsyncIterator["EmulatorClient"]:
    """An aiohttp `TestClient` on an emulator in the test's own loop; the emulator is its `.emulator`."""
    from emulator.pytest_settings import folders_of, told, world_config
    from emulator.testclient import EmulatorClient

    with told():
        unopened = EmulatorClient(world_config(request, identity_emulator_config))
    async with unopened as client:
        client.emulator.folders = folders_of(request)
        _identity_emulator_watch(client.emulator)
        yield client
