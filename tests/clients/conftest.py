"""Programs that use real SDKs."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from emulator import Emulator
from tests.clients.programs import Program, command, fetched, once_per_session

TYPESCRIPT = Path(__file__).parent / "typescript"


@pytest.fixture(scope="session")
def typescript_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of `tests/clients/typescript`, with all versions of the SDK installed."""
    command("node")

    def install(folder: Path) -> None:
        shutil.copytree(TYPESCRIPT, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
        fetched(command("npm"), "install", "--no-audit", "--no-fund", "--prefer-offline", folder=folder)

    return once_per_session(tmp_path_factory, "typescript", install)


class Sdk(NamedTuple):
    """A version of the npm package `spacetimedb`, and the package whose WebSocket it uses."""

    version: str
    websockets: str = "undici-7"


SDKS = [Sdk("1.12.0"), Sdk("2.0.0"), Sdk("2.8.3"), Sdk("2.10.1"), Sdk("2.10.1", "undici-6")]


@pytest.fixture(scope="session", params=SDKS, ids="-".join)
def used(request: pytest.FixtureRequest) -> Sdk:
    sdk = request.param
    assert isinstance(sdk, Sdk)
    return sdk


@pytest.fixture(scope="session")
def sdk(typescript_project: Path, used: Sdk) -> Iterator[Program]:
    """The TypeScript SDK of this version, in a process of Node."""
    with Program(command("node"), "client.mjs", *used, folder=typescript_project) as program:
        yield program


@pytest.fixture
def chat(emulator: Emulator) -> Emulator:
    """The session's server, with a new world that has a database `chat`."""
    owner = emulator.spacetime.create_identity()
    emulator.spacetime.add_database(owner.identity, name="chat")
    return emulator
