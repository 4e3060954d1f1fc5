"""aiohttp's protocol with hyper's responses to requests that can't be parsed."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import InvalidURLError, LineTooLong
from aiohttp.web import BaseRequest
from aiohttp.web_protocol import RequestHandler

from emulator.control.api.access import Guard
from emulator.core.clock import http_date
from emulator.faults.delivery import Delivery
from emulator.http.request import MAX_HEADERS, Request
from emulator.http.response import Response
from emulator.journal.exchange import Exchange, Message, head_of
from emulator.journal.log import log_exchange
from emulator.journal.masking import without_excerpt
from emulator.server.app import application
from emulator.server.call import Call
from emulator.server.journaling import received
from emulator.server.replies import BrokenReply, LastReply, Reply
from emulator.world.stage import Stage

LONGEST_LINE = 64 * 1024
"""Bytes in a request line or a header field."""


_SLICE, _PAUSE = 200, 0.002
"""Entries of an old world that are freed at once, and the seconds between two slices."""


class Http(web.Server):
    """The factory of connections. Every request gets the current world when it arrives."""

    def __init__(self, stage: Stage, guard: Guard, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(self._answer, loop=loop)
        self._stage = stage
        self._handle = application(stage, guard)
        self.under_way: set[asyncio.Task[None]] = set()
        self._freeing = False

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
            response = await self._handle(call)
            if response.delivery is Delivery.HANG:
                await asyncio.wait([call.request.lost])
        finally:
            self.under_way.discard(task)
            if self._stage.deferred and not self._freeing:
                self._freeing = True
                self._loop.call_later(_PAUSE, self._free_some)
        reply = Reply if response.delivery is None else BrokenReply
        return reply(request, response, http_date(world.clock.seconds()))

    def _free_some(self) -> None:
        """Free a slice of an old world, and the next after a pause, in which requests are answered."""
        self._freeing = self._stage.deferred.free_some(_SLICE)
        if self._freeing:
            self._loop.call_later(_PAUSE, self._free_some)

    def abort(self) -> None:
        """Close the connections of all requests that wait for a response."""
        for task in self.under_way:
            task.cancel()

    def refuse(self, request: BaseRequest, status: int, why: str) -> Reply:
        """hyper's response to a request that it can't parse, recorded in the journal."""
        world = self._stage.settled_world()
        response = Response(status, why=why)
        sent = Message(head_of(request.raw_headers), b"", 0)
        number, micros = world.journal.number(), world.clock.micros()
        answer = received(response)
        exchange = Exchange(number, request.method, request.raw_path, "", sent, status, answer, why, micros, 0.0)
        world.journal.record(exchange)
        log_exchange(exchange)
        return LastReply(request, response, http_date(world.clock.seconds()))


class _Connection(RequestHandler):
    """Answers what the parser refuses as hyper does: a status, no body, and the connection closed."""

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
        why = "an invalid target" if isinstance(exc, InvalidURLError) else without_excerpt(message or "")
        return self._http.refuse(request, 431 if too_large else 400, f"refused by aiohttp's parser: {why}")
