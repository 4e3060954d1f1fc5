"""Faults affect the server too, so its fixture gives access to the server beside the emulator."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from emulator import Emulator
from emulator.control.api.access import Guard
from emulator.control.emulator import LocalEmulator
from emulator.server.listening import listen
from emulator.server.protocol import Http
from emulator.server.run import serving
from tests.waiting import PATIENCE
from tests.worlds import make_stage


class Server(NamedTuple):
    emulator: Emulator
    http: Http

    @property
    def requests_under_way(self) -> int:
        return len(self.http.under_way)


@contextmanager
def running_server() -> Iterator[Server]:
    """As `emulator.running_in_thread`, with access to the server."""
    stage, listener = make_stage(), listen("127.0.0.1", 0)
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, Http]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with serving(stage, Guard(), listener) as http:
            started.set_result((asyncio.get_running_loop(), stop, http))
            await stop.wait()

    with ThreadPoolExecutor(1) as pool:
        served = pool.submit(asyncio.run, serve())
        loop, stop, http = started.result(PATIENCE)

        def abort() -> None:
            loop.call_soon_threadsafe(http.abort)

        try:
            yield Server(LocalEmulator(listener.url, stage, abort), http)
        finally:
            loop.call_soon_threadsafe(stop.set)
            served.result()


@pytest.fixture(scope="session")
def session_server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def server(session_server: Server) -> Server:
    """With a new world."""
    session_server.emulator.reset()
    return session_server


@pytest.fixture
def emulator(server: Server) -> Emulator:
    """The emulator of `server`."""
    return server.emulator
