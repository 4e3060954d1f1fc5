"""Between aiohttp and the rooms: a request bound to its world, an answer put on the wire, the journal around both."""

import asyncio
import logging
import socket
import struct
import sys
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web import BaseRequest

from emulator.axum import TEXT, Answer, Api, Resource, has_content_length, head_lines, head_start
from emulator.clock import monotonic
from emulator.exchange import KEPT_OF_A_BODY, Exchange, Message, head_of, mask
from emulator.faults import Delivery
from emulator.world import World

logger = logging.getLogger("emulator")

PATIENCE, LONG_PATIENCE = 0.1, 0.5
"""Seconds a body that nobody asked for may take to come: for the journal's sake, and before a fault."""

MAX_HEADERS = 100
"""More of them and hyper answers 431."""


class BodyTooLong(Exception):
    """The body has more bytes than wanted."""


class BodyBroken(Exception):
    """The body ended early or was not framed as HTTP wants it."""


class Call:
    """One request, bound to the world that stood when it came.

    `path` and `query` are raw; `params` are the path's parameters, still escaped. `api`, `resource` and `operation` are
    known once a route is; without one `why_not` says why. `actor` is the scenario's name for who asks, `fault` the step
    that had its turn. `micros` is the emulator's clock when the request came.
    """

    __slots__ = (
        "_received", "actor", "api", "fault", "method", "micros", "operation", "params", "path", "query", "request",
        "resource", "why_not", "world",
    )  # fmt: skip

    def __init__(self, request: BaseRequest, world: World) -> None:
        self.request = request
        self.world = world
        self.method = request.method
        self.path, _, self.query = _origin_form(request.raw_path).partition("?")
        self.params: tuple[str, ...] = ()
        self.api: Api | None = None
        self.resource: Resource | None = None
        self.operation = self.actor = self.fault = self.why_not = ""
        self.micros = world.clock.micros()
        self._received = bytearray()

    def bind(self, api: Api, resource: Resource, params: tuple[str, ...]) -> None:
        self.api, self.resource, self.params = api, resource, params
        if route := resource.route(self.method):
            self.operation = route.operation.name

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths that mean what this one means."""
        route = None if self.resource is None else self.resource.route(self.method)
        return (self.path,) if route is None else route.operation.aliases(self.path, self.params)

    @property
    def lost(self) -> asyncio.Future[None]:
        """Done once the connection is lost."""
        found: asyncio.Future[None] = self.request.protocol.lost  # type: ignore[attr-defined]  # server._Connection
        return found

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def header(self, name: str) -> str | None:
        """The first value of a header, any case, without blanks around it. Bytes that are no UTF-8 are surrogates."""
        value = self.request.headers.get(name)
        return None if value is None else value.strip(" \t")  # aiohttp before 3.14.4 keeps those behind it

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises BodyTooLong beyond `limit` bytes, BodyBroken when it can't be read."""
        declared = self.request.content_length
        if declared is not None and declared > limit:
            raise BodyTooLong(f"{declared} bytes")
        self._send_continue()
        content = self.request.content
        try:
            while chunk := await content.readany():
                self._received += chunk
                if len(self._received) > limit:
                    raise BodyTooLong(f"at least {len(self._received)} bytes")
        except ConnectionError:
            raise BodyBroken(f"the client hung up after {len(self._received)} bytes; nobody got this answer") from None
        except web.RequestPayloadError as error:
            raise BodyBroken(str(error)) from error
        return bytes(self._received)

    def _send_continue(self) -> None:
        """hyper says 100 when somebody starts to read, so a request refused before never hears it."""
        expects = self.request.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
        if expects and not self.request.content.is_eof() and self.request.transport is not None:
            self.request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    @property
    def heard(self) -> bool:
        """Whether the body has come in whole."""
        return self.request.content.at_eof()

    async def overhear(self) -> None:
        """Take in a body that no handler asked for, as far as the journal keeps it.

        It is on its way already, if only in the next packet. Who sends slower is not waited for, and who expects
        100-continue is not told to send. Before a fault all of it is awaited: a connection that is closed with bytes
        unread is reset.
        """
        content = self.request.content
        if content.at_eof() or content.exception() or hdrs.EXPECT in self.request.headers:
            return
        with suppress(TimeoutError, web.RequestPayloadError, ConnectionError):
            async with asyncio.timeout(LONG_PATIENCE if self.fault else PATIENCE):
                while (room := KEPT_OF_A_BODY - len(self._received)) > 0 or self.fault:
                    if not (chunk := await content.readany()):
                        break
                    self._received += chunk[: max(room, 0)]

    def sent(self) -> Message:
        """The request as the journal keeps it."""
        size = max(self.request.content_length or 0, len(self._received))
        return Message(head_of(self.request.raw_headers), bytes(self._received[:KEPT_OF_A_BODY]), size)


def _origin_form(target: str) -> str:
    """The path and query of a request target; an absolute one names its server first."""
    target = target.partition("#")[0]
    if target.startswith("/") or "://" not in target:
        return target
    rest = target.partition("://")[2]
    slash = rest.find("/")
    return rest[slash:] if slash >= 0 else "/"


class Reply(web.StreamResponse):
    """An answer on the wire, byte for byte as hyper would send it: aiohttp's own heads are not used."""

    def __init__(self, request: BaseRequest, answer: Answer, date: bytes) -> None:
        super().__init__(status=answer.status)
        self._keep_alive = request.keep_alive
        minor = request.version.minor
        connection = "" if minor else "keep-alive"
        self._render(request, answer, date, minor, connection if self._keep_alive else "close" * minor)

    def _render(self, request: BaseRequest, answer: Answer, date: bytes, minor: int, connection: str) -> None:
        head = head_start(minor, answer.status, answer.content_type, answer.headers, connection)
        if has_content_length(request.method, answer.status):
            head += b"content-length: %d\r\n" % len(answer.body)
        body = b"" if request.method == "HEAD" else answer.body
        self._bytes = b"%bdate: %b\r\n\r\n%b" % (head, date, body)

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter:
        writer = self._payload_writer = request.writer
        await writer.write(self._bytes)
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        self._eof_sent = True


class BrokenReply(Reply):
    """An answer that does not arrive whole; the connection ends with it."""

    def __init__(self, request: BaseRequest, answer: Answer, date: bytes) -> None:
        super().__init__(request, answer, date)
        self._keep_alive = False
        self._delivery = answer.delivery

    def _render(self, request: BaseRequest, answer: Answer, date: bytes, minor: int, connection: str) -> None:
        if answer.delivery is Delivery.GARBAGE:
            self._bytes = answer.body
        elif answer.status == 0:
            self._bytes = b""
        else:
            self._bytes = _cut_short(request, answer, date, minor)

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter:
        writer = self._payload_writer = request.writer
        if request.transport is not None:
            if self._delivery is Delivery.RESET:
                _reset(request.transport)
            else:
                request.transport.write(self._bytes)
                request.transport.close()
        return writer


def _cut_short(request: BaseRequest, answer: Answer, date: bytes, minor: int) -> bytes:
    head = head_start(minor, answer.status, answer.content_type, answer.headers, "")
    if answer.delivery is Delivery.TRUNCATE:
        framing, body = b"content-length: %d" % len(answer.body), answer.body[: answer.cut]
    else:
        half = answer.body[: -(-len(answer.body) // 2)]
        framing, body = b"transfer-encoding: chunked", b"%x\r\n%b\r\nno length\r\n" % (len(half), half)
    return b"%b%b\r\ndate: %b\r\n\r\n%b" % (head, framing, date, b"" if request.method == "HEAD" else body)


def _reset(transport: asyncio.Transport) -> None:
    """Close without a goodbye: with no time to linger, the system sends RST."""
    layout = "hh" if sys.platform == "win32" else "ii"
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0))
    transport.abort()


class LastReply(Reply):
    """hyper's answer to what it can't parse: HTTP/1.1 whatever was asked, and the connection is closed."""

    def __init__(self, request: BaseRequest, answer: Answer, date: bytes) -> None:
        super().__init__(request, answer, date)
        self._keep_alive = False
        self._render(request, answer, date, 1, "close")


Handler = Callable[[Call], Awaitable[Answer]]


def journaled(handler: Handler, is_shown: Callable[[World], bool]) -> Handler:
    """Write down every exchange before its answer is sent, so that whoever has the answer finds it in the journal.

    A bug in the emulator is a plain 500 with a traceback in the log, never a plausible answer.
    """

    async def handle(call: Call) -> Answer:
        world = call.world
        number, started = world.journal.number(), monotonic()
        try:
            answer = await handler(call)
        except (CancelledError, ConnectionError):
            raise
        except Exception as bug:
            logger.exception("a bug in identity-emulator, met by %s %s", call.method, mask(call.path[:200]))
            answer = Answer(500, b"a bug in identity-emulator; its log has the traceback", TEXT, why=f"a bug: {bug!r}")
        if not call.heard:
            await call.overhear()
        world.journal.record(
            Exchange(
                number=number,
                method=call.method,
                target=call.target,
                operation=call.operation,
                request=call.sent(),
                status=answer.status,
                response=received(answer),
                why=_why(call, answer),
                micros=call.micros,
                duration=monotonic() - started,
                matched=call.api is not None,
                outlived=not is_shown(world),
                actor=call.actor,
                fault=call.fault,
            )
        )
        log(call.method, call.path, answer)
        return answer

    return handle


def _why(call: Call, answer: Answer) -> str:
    if not call.fault:
        return answer.why
    return f"a fault was ordered, {call.fault}" + (f"; {answer.why}" if answer.why else "")


def log(method: str, path: str, answer: Answer) -> None:
    """One line, without the query: it can hold a token."""
    level = logging.INFO if answer.why else logging.DEBUG
    if logger.isEnabledFor(level):
        logger.log(level, "%s %s %d %s", method, mask(path[:200]), answer.status, mask(answer.why))


def received(answer: Answer) -> Message:
    """An answer as the journal keeps it."""
    head = head_lines(answer.content_type, answer.headers)
    return Message(head, answer.body[:KEPT_OF_A_BODY], len(answer.body))
