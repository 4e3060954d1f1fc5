"""Start and stop a server: the listening socket, its loop or thread, and the `Emulator` handle."""

import asyncio
import errno
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Unpack

from emulator.control.api.access import Guard
from emulator.control.emulator import Emulator, LocalEmulator
from emulator.control.new_world import new_stage
from emulator.control.worlds import WorldServers
from emulator.core.arguments import Judged, checked, shown
from emulator.core.clock import monotonic
from emulator.http.upgrade import Intervals
from emulator.server.app import emulated_apis
from emulator.server.listening import Listening, hosts_of, listen
from emulator.server.protocol import Http
from emulator.server.worlds import PortRange, Sockets, Worlds
from emulator.world.config import Config, Settings
from emulator.world.stage import Stage

if TYPE_CHECKING:
    from emulator.server.tls import Tls

logger = logging.getLogger("emulator")


def _wrong_tls(value: object) -> str:
    files = isinstance(value, tuple) and 0 < len(value) < 3 and all(isinstance(each, str | PathLike) for each in value)
    if files or isinstance(value, bool):
        return ""
    return f"it is True, or the files of a certificate and its key in a tuple, got {shown(value)}"


Hosts = str | Sequence[str]
Name = str | PathLike[str]
WithTls = Annotated[bool | tuple[Name] | tuple[Name, Name], Judged(_wrong_tls)]
"""Whether there is TLS: True for a CA made for this run, or a certificate and its key, in one file or two."""

_HANDSHAKE = 10.0
"""Seconds in which a client must have finished the TLS handshake."""

_GRACE = 0.05
"""Seconds for requests under way when the server stops; waited for twice, then they are cut off."""


_STEPS_OF_AN_ACCEPT = 3
"""Iterations of the loop until an accepted connection is known to aiohttp."""

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Those after which asyncio accepts again later (`_accept_connection` in asyncio/selector_events.py)."""


class _Loop(asyncio.SelectorEventLoop):
    """A loop whose timers run on real time, also while freezegun freezes `time.monotonic`."""

    _silent_until = 0.0

    def time(self) -> float:
        return monotonic()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """One line a second while no connection can be accepted.

        asyncio tries again every second; it writes up to a hundred tracebacks each time (CPython 3.11).
        """
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _EXHAUSTED and "accept" in context["message"]):
            super().call_exception_handler(context)
        elif self.time() >= self._silent_until:
            self._silent_until = self.time() + 1
            logger.error("no connection can be accepted (%s); trying again every second", error.strerror)


def new_event_loop() -> asyncio.AbstractEventLoop:
    return _Loop()


@asynccontextmanager
async def serving(
    stage: Stage,
    guard: Guard,
    listening: Listening,
    intervals: Intervals | None = None,
    world_ports: PortRange | None = None,
) -> AsyncIterator[Http]:
    """Serve on these sockets within the block, and the worlds that are opened meanwhile on ports of their own.

    At its end WebSockets are closed, and cut off after 0.05 s; requests under way are cut off after 0.1 s.
    """
    apis = emulated_apis()

    def serve(stage: Stage, listening: Listening, refusing: "Future[None]") -> AbstractAsyncContextManager[Http]:
        http = Http(stage, guard, asyncio.get_running_loop(), intervals, worlds=worlds, apis=apis)
        return _accepting(http, listening, refusing)

    worlds = Worlds(stage, Sockets(partial(listen, listening.addresses), world_ports), serve)
    try:
        async with serve(stage, listening, Future()) as http:
            yield http
    finally:
        await worlds.end()


@asynccontextmanager
async def _accepting(http: Http, listening: Listening, refusing: "Future[None]") -> AsyncIterator[Http]:
    """`refusing` is done when connections are refused; then the requests under way have their time."""
    loop = asyncio.get_running_loop()
    plain = [await loop.create_server(http, sock=each) for each in listening.plain]
    secure = [
        await loop.create_server(http, sock=each, ssl=listening.tls.context, ssl_handshake_timeout=_HANDSHAKE)
        for each in listening.secure
        if listening.tls is not None
    ]
    try:
        yield http
    finally:
        await _stop_accepting(listening)
        for server in (*plain, *secure):
            server.close()
        refusing.set_result(None)
        http.end_streams()
        await http.close_websockets(_GRACE)
        http.pre_shutdown()
        await http.shutdown(timeout=_GRACE)
        await http.abort_secure(_GRACE)
        if sys.version_info >= (3, 13):  # those whose handshake is not done, which nothing else knows
            for server in secure:
                server.abort_clients()
        await asyncio.sleep(0)  # let the connections' tasks handle their cancellation


async def _stop_accepting(listening: Listening) -> None:
    """And let those that were accepted get a handler, so that they are closed with the others.

    asyncio forgets a connection without closing it, if its server is closed before that (`Server._attach` in
    asyncio/base_events.py, CPython 3.11): its client would wait for ever.
    """
    for listener in (*listening.plain, *listening.secure):
        with suppress(NotImplementedError):  # a loop of the user's that has no readers
            asyncio.get_running_loop().remove_reader(listener)
    for _ in range(_STEPS_OF_AN_ACCEPT):
        await asyncio.sleep(0)


@checked("running_in_thread")
@contextmanager
def running_in_thread(
    config: Config | None = None,
    *,
    host: Hosts = "127.0.0.1",
    port: int = 0,
    control_token: str | None = None,
    tls: WithTls = False,
    tls_port: int = 0,
    **settings: Unpack[Settings],
) -> Iterator[Emulator]:
    """An emulator with its own thread and event loop.

    `running_in_thread(seed=7)` is short for `running_in_thread(Config(seed=7))`; port 0 lets the system pick. `host`
    may be several. A host beyond loopback needs a `control_token`, which every control request must then have. `tls` is
    True for a certificate of a CA made for this run, or the files of your own certificate and its key; `url` is then
    that of the port for TLS, `plain_url` that of the other. Raises Misconfigured when it can't start.
    """
    hosts = hosts_of(host)
    guard = Guard.of(hosts, control_token)
    stage = new_stage(Config(**settings).over(config or Config()))
    with _tls(tls, hosts) as made, serving_in_thread(stage, guard, listen(hosts, port, made, tls_port)) as emulator:
        yield emulator


def _tls(wanted: WithTls, hosts: Sequence[str]) -> AbstractContextManager["Tls | None"]:
    """Raises Misconfigured."""
    if wanted is False:
        return nullcontext()
    from emulator.server.tls import Certificate, prepared

    return prepared(hosts, None if wanted is True else Certificate(*map(Path, wanted)))


@contextmanager
def serving_in_thread(
    stage: Stage, guard: Guard, listening: Listening, intervals: Intervals | None = None
) -> Iterator[Emulator]:
    """Serve on these sockets in a thread within the block."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, Http]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with serving(stage, guard, listening, intervals) as http:
            started.set_result((asyncio.get_running_loop(), stop, http))
            await stop.wait()

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(serve())
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="identity-emulator", daemon=True)
    thread.start()
    loop, stop, http = started.result()
    try:
        yield _handle(listening, stage, partial(_abort, loop, http), guard, http.worlds)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@checked("running")
@asynccontextmanager
async def running(
    config: Config | None = None,
    *,
    host: Hosts = "127.0.0.1",
    port: int = 0,
    control_token: str | None = None,
    tls: WithTls = False,
    tls_port: int = 0,
    **settings: Unpack[Settings],
) -> AsyncIterator[Emulator]:
    """An emulator in the running loop; otherwise as `running_in_thread`."""
    hosts = hosts_of(host)
    guard = Guard.of(hosts, control_token)
    stage = new_stage(Config(**settings).over(config or Config()))
    with _tls(tls, hosts) as made:
        listening = listen(hosts, port, made, tls_port)
        async with serving(stage, guard, listening) as http:
            abort = partial(_abort, asyncio.get_running_loop(), http)
            yield _handle(listening, stage, abort, guard, http.worlds)


def _handle(
    listening: Listening, stage: Stage, abort: Callable[[], None], guard: Guard, worlds: WorldServers
) -> LocalEmulator:
    trust = None if listening.tls is None else listening.tls.trust
    return LocalEmulator(
        listening.url, stage, abort, guard.token, plain_url=listening.plain_url, trust=trust, worlds=worlds
    )


def _abort(loop: asyncio.AbstractEventLoop, http: Http) -> None:
    """Wakes the loop only when requests are under way."""
    if http.under_way:
        loop.call_soon_threadsafe(http.abort)
