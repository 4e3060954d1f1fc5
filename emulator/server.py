"""The socket's owner: bytes in, bytes out, and the handle a test holds."""

import asyncio
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Unpack

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web import BaseRequest
from aiohttp.web_protocol import RequestHandler

from emulator.app import application
from emulator.axum import Answer
from emulator.call import Call
from emulator.clock import http_date, monotonic
from emulator.config import Config, Settings
from emulator.errors import Misconfigured
from emulator.exchange import Exchange, Message, head_of
from emulator.faults import Delivery
from emulator.guard import Guard
from emulator.handle import Emulator
from emulator.request import MAX_HEADERS, Request
from emulator.scenario.beginning import new_stage
from emulator.stage import Stage
from emulator.web import BrokenReply, LastReply, Reply, log, received

LONGEST_LINE = 64 * 1024
"""Bytes in a request line or a header field."""

_SLICE, _PAUSE = 200, 0.002
"""How many things of an old world are let go of at once, and the seconds between two slices."""

_GRACE = 0.05
"""Seconds a request under way may take to end when the server stops; twice, then it is cut off."""


class Http(web.Server):
    """aiohttp's protocol with our own voice: every request gets the world that stands when it comes."""

    def __init__(self, stage: Stage, guard: Guard, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(self._answer, loop=loop)
        self._stage = stage
        self._handle = application(stage, guard)
        self.under_way: set[asyncio.Task[None]] = set()
        self._digging = False

    def __call__(self) -> RequestHandler:
        return _Connection(
            self,
            loop=self._loop,
            access_log=None,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            auto_decompress=False,
        )

    async def _answer(self, request: BaseRequest) -> Reply:
        if len(request.raw_headers) > MAX_HEADERS:
            return self.refuse(request, 431, f"more than {MAX_HEADERS} headers")
        world = self._stage.settled_world()
        call = Call(Request(request), world)
        task = request.task
        self.under_way.add(task)
        try:
            answer = await self._handle(call)
            if answer.delivery is Delivery.HANG:
                await asyncio.wait([call.request.lost])
        finally:
            self.under_way.discard(task)
            if self._stage.graveyard and not self._digging:
                self._digging = True
                self._loop.call_later(_PAUSE, self._dig)
        reply = Reply if answer.delivery is None else BrokenReply
        return reply(request, answer, http_date(world.clock.seconds()))

    def _dig(self) -> None:
        """Let go of a slice of an old world, and of the next after a pause in which requests are answered."""
        self._digging = self._stage.graveyard.dig(_SLICE)
        if self._digging:
            self._loop.call_later(_PAUSE, self._dig)

    def abort(self) -> None:
        """Hang up on whoever still waits for an answer."""
        for task in self.under_way:
            task.cancel()

    def refuse(self, request: BaseRequest, status: int, why: str) -> Reply:
        """hyper's answer to what it can't parse. It is journaled, for who would otherwise wonder."""
        world = self._stage.settled_world()
        answer = Answer(status, why=why)
        sent = Message(head_of(request.raw_headers), b"", 0)
        number, micros = world.journal.number(), world.clock.micros()
        world.journal.record(
            Exchange(number, request.method, request.raw_path, "", sent, status, received(answer), why, micros, 0.0)
        )
        log("?", "?", answer)
        return LastReply(request, answer, http_date(world.clock.seconds()))


class _Connection(RequestHandler):
    """Says no to what the parser can't read as hyper does: a status, no body, and the connection closed."""

    def __init__(self, http: Http, **options: Any) -> None:
        super().__init__(http, **options)
        self._http = http
        self.lost: asyncio.Future[None] = options["loop"].create_future()

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        if not self.lost.done():
            self.lost.set_result(None)

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if status != 400:
            return super().handle_error(request, status, exc, message)
        too_large = isinstance(exc, LineTooLong) or "Too many headers" in (message or "")
        why = " ".join((message or "").split())
        return self._http.refuse(request, 431 if too_large else 400, f"not HTTP as the parser wants it: {why[:300]}")


class _Loop(asyncio.SelectorEventLoop):
    """A loop whose timers run on real time, also while freezegun stops `time.monotonic`."""

    def time(self) -> float:
        return monotonic()


def new_event_loop() -> asyncio.AbstractEventLoop:
    return _Loop()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, in the caller's thread: what fails, fails here. Raises Misconfigured."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
        listener.setblocking(False)  # noqa: FBT003 - the standard library has no keyword here
    except (OSError, OverflowError) as error:
        listener.close()
        raise Misconfigured(_why_not_bound(host, port, error)) from error
    return listener


def _why_not_bound(host: str, port: int, error: OSError | OverflowError) -> str:
    hint = "stop what listens there, choose another --port, or --port 0 for a free one"
    return f"can't listen on {host}:{port}: {getattr(error, 'strerror', None) or error}; {hint}"


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    # A client can't connect to "any address"; loopback is always among them.
    named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here
    return f"http://[{named}]:{port}" if ":" in named else f"http://{named}:{port}"


@asynccontextmanager
async def serving(stage: Stage, guard: Guard, listener: socket.socket) -> AsyncIterator[Http]:
    """Answer on `listener` as long as the block lasts. Requests under way at its end are cut off after 0.1 s."""
    loop = asyncio.get_running_loop()
    http = Http(stage, guard, loop)
    server = await loop.create_server(http, sock=listener)
    try:
        yield http
    finally:
        server.close()
        http.pre_shutdown()
        await http.shutdown(timeout=_GRACE)
        await asyncio.sleep(0)  # the connections' tasks hear of it


@contextmanager
def running_in_thread(
    config: Config | None = None, *, host: str = "127.0.0.1", port: int = 0, **settings: Unpack[Settings]
) -> Iterator[Emulator]:
    """An emulator in a thread and a loop of its own.

    `running_in_thread(seed=7)` is short for `running_in_thread(Config(seed=7))`; port 0 lets the system pick. Raises
    Misconfigured when it can't start.
    """
    stage = new_stage(Config(**settings).over(config or Config()))
    with serving_in_thread(stage, Guard(host), bind(host, port)) as emulator:
        yield emulator


@contextmanager
def serving_in_thread(stage: Stage, guard: Guard, listener: socket.socket) -> Iterator[Emulator]:
    """Answer on `listener` in a thread as long as the block lasts."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, Http]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with serving(stage, guard, listener) as http:
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
        yield Emulator(url_of(listener), stage, partial(_abort, loop, http))
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@asynccontextmanager
async def running(
    config: Config | None = None, *, host: str = "127.0.0.1", port: int = 0, **settings: Unpack[Settings]
) -> AsyncIterator[Emulator]:
    """An emulator in the running loop; otherwise as `running_in_thread`."""
    stage = new_stage(Config(**settings).over(config or Config()))
    listener = bind(host, port)
    url = url_of(listener)
    async with serving(stage, Guard(host), listener) as http:
        yield Emulator(url, stage, partial(_abort, asyncio.get_running_loop(), http))


def _abort(loop: asyncio.AbstractEventLoop, http: Http) -> None:
    """Nothing is under way most of the time; then the loop is left alone."""
    if http.under_way:
        loop.call_soon_threadsafe(http.abort)
