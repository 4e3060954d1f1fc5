"""aiohttp's server and connections, with hyper's responses to requests that can't be parsed."""

import asyncio
import logging
import socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from aiohttp import StreamReader, web
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest
from aiohttp.web_protocol import RequestHandler

from emulator.control.api.access import Guard
from emulator.control.worlds import NoWorlds, WorldServers
from emulator.core.clock import Clock, http_date, monotonic
from emulator.faults.delivery import Delivery
from emulator.http.outgoing import Connect
from emulator.http.request import NotHttp, Request
from emulator.http.response import Response
from emulator.http.upgrade import Intervals, Upgrade
from emulator.journal.exchange import Exchange, Message, head_of
from emulator.journal.log import log_exchange
from emulator.journal.masking import printable
from emulator.server.app import application, emulated_apis
from emulator.server.call import Call, CallHandler
from emulator.server.journaling import LONGEST_REASON, after_a_bug, received
from emulator.server.parsing import LONGEST_HEAD, MOST_QUEUED, HeadTooLong, Parser, reason
from emulator.server.replies import BrokenReply, LastReply, NoReply, Reply, StreamedReply, upgrade_head
from emulator.world.connections import GONE
from emulator.world.stage import Stage
from emulator.world.world import World

if TYPE_CHECKING:
    from emulator.server.websocket import WebSocket

logger = logging.getLogger("emulator")

_READ_AHEAD = 2**18
"""Bytes of a body that are received before anybody reads it; twice as many at most."""

_SLICE, _PAUSE = 200, 0.002
"""Entries of an old world that are freed at once, and the seconds between two slices."""


class Http(web.Server):
    """The factory of connections. Every request gets the current world when it arrives.

    `worlds` are what its control routes open beside this one, `apis` what answers the requests of both APIs.
    """

    def __init__(
        self,
        stage: Stage,
        guard: Guard,
        loop: asyncio.AbstractEventLoop,
        intervals: Intervals | None = None,
        *,
        worlds: WorldServers | None = None,
        apis: CallHandler | None = None,
    ) -> None:
        super().__init__(self._answer, loop=loop)  # type: ignore[arg-type]  # `NoReply` has what is used
        self._intervals = intervals or Intervals()
        self._stage = stage
        self.worlds = worlds or NoWorlds()
        self._handle = application(stage, guard, self.worlds, apis or emulated_apis())
        self.under_way: set[asyncio.Task[None]] = set()
        self._websockets: dict[WebSocket, asyncio.Future[None]] = {}
        self._streams: set[StreamedReply] = set()
        """No requests under way: who only watches is not cut off with those, and is no use of the server."""
        self._freeing = False
        self.secure: dict[_Connection, asyncio.Transport] = {}
        """The connections over TLS."""

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop)

    @property
    def uses(self) -> int:
        """The number of requests, without checks of health: those come from a container, whether it is used or not."""
        return self.requests_count - self._stage.health_checks

    @property
    def in_use(self) -> bool:
        """Whether a request is under way, or a WebSocket open."""
        return bool(self.under_way or self._websockets)

    async def _answer(self, request: BaseRequest) -> Reply | NoReply:
        """The response to a request; the last of the connection, if anything was raised while it was made."""
        try:
            return await self._reply(request)
        except ConnectionError:
            raise
        except NotHttp as refused:
            return self.refuse(request, Response(refused.status, why=refused.why))
        except Exception as bug:  # noqa: BLE001 - logged there
            return self.refuse(request, after_a_bug(request.method, request.raw_path.partition("?")[0], bug))

    async def _reply(self, request: BaseRequest) -> Reply | NoReply:
        """Raises NotHttp."""
        world = self._stage.settled_world()
        call = Call(Request(request), world)
        task = request.task
        self.under_way.add(task)
        try:
            response = await self._handle(call)
            if response.delivery is Delivery.HANG:
                await asyncio.wait([call.request.lost])
        finally:
            self.under_way.discard(task)
            if self._stage.deferred and not self._freeing:
                self._freeing = True
                self._loop.call_later(_PAUSE, self._free_some)
        if response.upgrade is not None:
            return await self._upgraded(request, call, response, response.upgrade)
        date = http_date(world.clock.seconds())
        if response.stream is not None:
            return StreamedReply(request, response, date, lost=call.request.lost, open_ones=self._streams)
        reply = (Reply if response.delivery is None else BrokenReply)(request, response, date)
        if call.hangs_up:
            reply.hang_up()
        return reply

    async def _upgraded(self, request: BaseRequest, call: Call, response: Response, upgrade: Upgrade) -> NoReply:
        """Serve the WebSocket until its connection ends."""
        from emulator.server.frame_log import FrameLog
        from emulator.server.websocket import WebSocket

        assert call.frames is not None, "an upgrade is journaled"
        world, connection = call.world, request.protocol
        if not isinstance(connection, _Connection) or connection.transport is None:
            raise ConnectionResetError("the client hung up before the upgrade")
        websocket = WebSocket(connection, upgrade, FrameLog(world.journal, world.clock, call.frames), self._intervals)
        self._websockets[websocket] = connection.lost
        connection.websocket = websocket
        head = upgrade_head(response, http_date(world.clock.seconds()))
        websocket.open_for(world, call.micros, call.actor, head)
        connection.set_parser(websocket)  # type: ignore[arg-type]  # it has what is used
        try:
            await connection.lost
        finally:
            del self._websockets[websocket]
            connection.websocket = None
        return NoReply()

    def end_streams(self) -> None:
        """Tell those who watch that this is the end."""
        for reply in self._streams:
            reply.end()

    async def close_websockets(self, patience: float) -> None:
        """Close them with 1001, and end the connections of clients that do not answer within so many seconds."""
        for websocket in self._websockets:
            websocket.close(*GONE)
        if lost := list(self._websockets.values()):
            await asyncio.wait(lost, timeout=patience)
        for websocket in list(self._websockets):
            websocket.abort()

    async def abort_secure(self, patience: float) -> None:
        """End the connections over TLS, also of clients that have not answered the end of TLS.

        asyncio would wait 30 s for that (SSL_SHUTDOWN_TIMEOUT in asyncio/constants.py).
        """
        lost = [each.lost for each in self.secure]
        for transport in list(self.secure.values()):
            with suppress(OSError):  # a transport that was closed twice can't be aborted (asyncio/sslproto.py)
                transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            transport.abort()
        if lost:
            await asyncio.wait(lost, timeout=patience)

    def _free_some(self) -> None:
        """Free a slice of an old world, and the next after a pause, in which requests are answered."""
        self._freeing = self._stage.deferred.free_some(_SLICE)
        if self._freeing:
            self._loop.call_later(_PAUSE, self._free_some)

    def abort(self) -> None:
        """Close the connections of all requests that wait for a response."""
        for task in self.under_way:
            task.cancel()

    def refuse(self, request: BaseRequest, response: Response) -> Reply:
        """The response to a request that no handler answers, recorded in the journal."""
        clock = Clock()
        try:
            world = self._stage.settled_world()
            clock = world.clock
            _record(world, request, response)
        except Exception as bug:  # noqa: BLE001 - logged there
            response = after_a_bug(request.method, request.raw_path.partition("?")[0], bug)
        return LastReply(request, response, http_date(clock.seconds()))


def _record(world: World, request: BaseRequest, response: Response) -> None:
    exchange = Exchange(
        number=world.journal.number(),
        method=request.method,
        target=request.raw_path,
        operation="",
        request=Message(head_of(request.raw_headers), b"", 0, request.raw_path.partition("?")[2]),
        status=response.status,
        response=received(response),
        why=printable(response.why[:LONGEST_REASON]),
        micros=world.clock.micros(),
        duration=0.0,
        after=monotonic() - world.journal.began,
    )
    world.journal.record(exchange)
    log_exchange(exchange)


class _Connection(RequestHandler):
    """A connection; `lost` and `with_trailers` are what requests ask of it."""

    def __init__(self, http: Http, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(http, loop=loop, access_log=None)  # type: ignore[arg-type]  # None is no log
        self._http = http
        self.lost: asyncio.Future[None] = loop.create_future()
        self.with_trailers: deque[StreamReader] = deque(maxlen=MOST_QUEUED)
        self.websocket: WebSocket | None = None
        self._parser = Parser(self._new_parser, self.with_trailers, self._declined)  # type: ignore[assignment]  # it has what is used

    @property
    def connect(self) -> Connect:
        """Opens what sends requests to other servers. Imported when a first one is to be sent."""
        from emulator.server.outgoing import connected

        return connected

    def _new_parser(self) -> HttpRequestParser:
        return HttpRequestParser(
            self,
            self._loop,
            _READ_AHEAD,
            max_line_size=2 * LONGEST_HEAD,  # `Parser` is the one that says no
            max_field_size=2 * LONGEST_HEAD,
            payload_exception=web.RequestPayloadError,
            auto_decompress=False,
        )

    def _declined(self) -> None:
        """aiohttp now parses what followed the request for an upgrade; what is wrong in it is to be told later."""
        self._loop.call_soon(self.data_received, b"")

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if isinstance(self._parser, Parser) and self._parser.failure:
            super().data_received(b"")

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.websocket is not None:
            self.websocket.writable()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if transport.get_extra_info("sslcontext") is not None:
            self._http.secure[self] = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._http.secure.pop(self, None)
        if not self.lost.done():
            self.lost.set_result(None)

    async def start(self) -> None:
        """Answer the requests, one after the other, until the connection ends."""
        try:
            await super().start()
        except Exception:
            logger.exception("a bug in identity-emulator; a connection is closed")
            self.force_close()

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """hyper's response to what the parser refuses: a status, no body, and the connection closed."""
        why = reason(exc) if isinstance(exc, HttpProcessingError) else f"{type(exc).__name__}"
        too_large = isinstance(exc, HeadTooLong) or "Too many headers" in why
        return self._http.refuse(
            request, Response(431 if too_large else status, why=f"refused by aiohttp's parser: {why}")
        )
