"""Start and stop a server: the listening socket, its loop or thread, and the `Emulator` handle."""

import asyncio
import errno
import logging
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Unpack

from emulator.control.api.access import Guard
from emulator.control.emulator import Emulator, LocalEmulator
from emulator.control.new_world import new_stage
from emulator.core.arguments import checked
from emulator.core.clock import monotonic
from emulator.core.errors import Misconfigured
from emulator.http.upgrade import Intervals
from emulator.server.protocol import Http
from emulator.world.config import Config, Settings
from emulator.world.stage import Stage

logger = logging.getLogger("emulator")

_GRACE = 0.05
"""Seconds for requests under way when the server stops; waited for twice, then they are cut off."""


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


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Made in the caller's thread, so that an error is raised there. Raises Misconfigured."""
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # where it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
        listener.setblocking(False)  # noqa: FBT003 - the standard library has no keyword here
    except (OSError, OverflowError, UnicodeError) as error:
        listener.close()
        raise Misconfigured(_why_not_bound(host, port, error)) from error
    return listener


def _why_not_bound(host: str, port: int, error: Exception) -> str:
    hint = "stop the process that listens there, choose another --port, or --port 0 for a free one"
    if isinstance(error, socket.gaierror | UnicodeError) or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
        hint = "--host is a name or an address of this machine, like 127.0.0.1"
    return f"can't listen on {host}:{port}: {getattr(error, 'strerror', None) or error}; {hint}"


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    # 0.0.0.0 and :: listen on all addresses, but clients need one; loopback is always among them.
    named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here
    return f"http://[{named}]:{port}" if ":" in named else f"http://{named}:{port}"


@asynccontextmanager
async def serving(
    stage: Stage, guard: Guard, listener: socket.socket, intervals: Intervals | None = None
) -> AsyncIterator[Http]:
    """Serve on `listener` within the block.

    At its end WebSockets are closed, and cut off after 0.05 s; requests under way are cut off after 0.1 s.
    """
    loop = asyncio.get_running_loop()
    http = Http(stage, guard, loop, intervals)
    server = await loop.create_server(http, sock=listener)
    try:
        yield http
    finally:
        server.close()
        await http.close_websockets(_GRACE)
        http.pre_shutdown()
        await http.shutdown(timeout=_GRACE)
        await asyncio.sleep(0)  # let the connections' tasks handle their cancellation


@checked("running_in_thread")
@contextmanager
def running_in_thread(
    config: Config | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    control_token: str | None = None,
    **settings: Unpack[Settings],
) -> Iterator[Emulator]:
    """An emulator with its own thread and event loop.

    `running_in_thread(seed=7)` is short for `running_in_thread(Config(seed=7))`; port 0 lets the system pick. A host
    beyond loopback needs a `control_token`, which every control request must then have. Raises Misconfigured when it
    can't start.
    """
    guard = Guard.of(host, control_token)
    stage = new_stage(Config(**settings).over(config or Config()))
    with serving_in_thread(stage, guard, bind(host, port)) as emulator:
        yield emulator


@contextmanager
def serving_in_thread(
    stage: Stage, guard: Guard, listener: socket.socket, intervals: Intervals | None = None
) -> Iterator[Emulator]:
    """Serve on `listener` in a thread within the block."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, Http]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with serving(stage, guard, listener, intervals) as http:
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
        yield LocalEmulator(url_of(listener), stage, partial(_abort, loop, http), guard.token)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@checked("running")
@asynccontextmanager
async def running(
    config: Config | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    control_token: str | None = None,
    **settings: Unpack[Settings],
) -> AsyncIterator[Emulator]:
    """An emulator in the running loop; otherwise as `running_in_thread`."""
    guard = Guard.of(host, control_token)
    stage = new_stage(Config(**settings).over(config or Config()))
    listener = bind(host, port)
    url = url_of(listener)
    async with serving(stage, guard, listener) as http:
        yield LocalEmulator(url, stage, partial(_abort, asyncio.get_running_loop(), http), guard.token)


def _abort(loop: asyncio.AbstractEventLoop, http: Http) -> None:
    """Wakes the loop only when requests are under way."""
    if http.under_way:
        loop.call_soon_threadsafe(http.abort)
