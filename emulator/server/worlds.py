"""More worlds in one process, each with a listening socket of its own, in the loop of the first one's server."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from functools import partial
from threading import RLock
from typing import NamedTuple

from emulator.control.worlds import NoRoom, OpenWorld, WorldServers
from emulator.core.errors import Misconfigured
from emulator.server.idle import until_unused
from emulator.server.listening import Listening
from emulator.server.protocol import Http
from emulator.world.config import Config
from emulator.world.stage import Stage

MOST_WORLDS = 256
"""Open at once, beside the first."""

Serve = Callable[[Stage, Listening, Future[None]], AbstractAsyncContextManager[Http]]
"""Serves a stage on its sockets within a block; the future is done when connections are refused."""


class PortRange(NamedTuple):
    """`first` and `last` included; it prints as users write it."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    @classmethod
    def parse(cls, text: str) -> "PortRange":
        """`3001-3064`, or one port. Raises ValueError."""
        first, dash, last = text.partition("-")
        given = (first, last if dash else first)
        ports = [int(each) if each.isascii() and each.isdecimal() else 0 for each in given]
        if not 0 < ports[0] <= ports[1] < 65536:
            raise ValueError(f"{text!r} are no ports; write them like 3001-3064")
        return cls(*ports)

    def after(self, port: int) -> Iterator[int]:
        """All of them, the one after `port` first: a client of a closed world is long gone before it is used again."""
        ports = range(self.first, self.last + 1)
        start = ports.index(port) + 1 if port in ports else 0
        return iter([*ports[start:], *ports[:start]])


class _Running:
    """A world while its port is open."""

    def __init__(self, world: OpenWorld, listening: Listening) -> None:
        self.world = world
        self.listening = listening
        self.stop = asyncio.Event()
        self.refusing: Future[None] = Future()
        self.http: Http | None = None

    async def close_when_idle(self, http: Http, seconds: float) -> None:
        """`stop` it when it was not used for so many seconds of real time."""
        await until_unused(http, seconds)
        self.stop.set()


class Sockets(NamedTuple):
    """`listen` makes listening sockets at the server's addresses, on the port given, 0 for a free one.

    It raises Misconfigured. `ports` are those that worlds may have, None for free ones.
    """

    listen: Callable[[int], Listening]
    ports: PortRange | None


class Worlds(WorldServers):
    """Those of one server. It is made in the server's loop."""

    def __init__(self, stage: Stage, sockets: Sockets, serve: Serve) -> None:
        self._stage, self._sockets, self._serve = stage, sockets, serve
        self._loop = asyncio.get_running_loop()
        self._lock = RLock()
        self._running: dict[str, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._opened = self._last_port = 0
        self._has_ended = False

    def __iter__(self) -> Iterator[OpenWorld]:
        with self._lock:
            return iter([each.world for each in self._running.values()])

    @property
    def uses(self) -> int:
        with self._lock:
            return self._opened + sum(each.http.uses for each in self._running.values() if each.http)

    @property
    def in_use(self) -> bool:
        with self._lock:
            return any(each.http.in_use for each in self._running.values() if each.http)

    def open(self, config: Config, idle_exit: float | None) -> OpenWorld:
        if idle_exit is not None and not idle_exit > 0:
            raise Misconfigured(f"idle_exit is {idle_exit!r}; it is a number of seconds above 0")
        stage = self._stage.beside(config)
        with self._lock:
            self._check_room()
            listening = self._listening()
            self._opened += 1
            id, url = str(self._opened), listening.url  # noqa: A001 - its name in the answer
            world = OpenWorld(id, url, stage, partial(self._abort, id), idle_exit)
            running = self._running[id] = _Running(world, listening)
            # Until the loop gets to it, clients wait in the sockets' queue.
            self._loop.call_soon_threadsafe(self._start, running)
        return world

    def _check_room(self) -> None:
        if self._has_ended:
            raise NoRoom("the emulator stops", "start another one")
        if len(self._running) >= MOST_WORLDS:
            raise NoRoom(
                f"{MOST_WORLDS} worlds are open, which is the most", "close one, or open them with an `idle_exit`"
            )

    def _listening(self) -> Listening:
        """Raises NoRoom."""
        listen, ports = self._sockets
        if ports is None:
            try:
                return listen(0)
            except Misconfigured as error:  # no file descriptors are left
                raise NoRoom(str(error), "close a world") from None
        taken = {int(each.world.url.rpartition(":")[2]) for each in self._running.values()}
        for port in ports.after(self._last_port):
            if port in taken:
                continue
            try:
                listening = listen(port)
            except Misconfigured:  # somebody else listens there
                continue
            self._last_port = port
            return listening
        raise NoRoom(
            f"no port of --world-ports {ports} is free: {len(taken)} have worlds",
            "close one, or start the emulator with more ports",
        )

    def close(self, id: str) -> Future[None] | None:  # noqa: A002
        with self._lock:
            running = self._running.pop(id, None)
        if running is not None:
            self._loop.call_soon_threadsafe(running.stop.set)
        return None if running is None else running.refusing

    def _start(self, running: _Running) -> None:
        task = self._loop.create_task(self._run(running))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, running: _Running) -> None:
        idle, world = None, running.world
        try:
            async with self._serve(world.stage, running.listening, running.refusing) as running.http:
                if world.idle_exit is not None:
                    idle = self._loop.create_task(running.close_when_idle(running.http, world.idle_exit))
                await running.stop.wait()
                self._forget(world)
        finally:
            if idle is not None:
                idle.cancel()
            self._forget(world)
            running.listening.close()
            if not running.refusing.done():
                running.refusing.set_result(None)

    def _forget(self, world: OpenWorld) -> None:
        with self._lock:
            self._running.pop(world.id, None)

    def _abort(self, id: str) -> None:  # noqa: A002
        """Wakes the loop only when requests are under way."""
        running = self._running.get(id)
        if running is not None and running.http is not None and running.http.under_way:
            self._loop.call_soon_threadsafe(running.http.abort)

    async def end(self) -> None:
        """Close all; none can be opened from now on."""
        with self._lock:
            self._has_ended = True
        for each in self:
            self.close(each.id)
        await asyncio.sleep(0)  # those opened just before are started
        if self._tasks:
            await asyncio.wait(self._tasks)
