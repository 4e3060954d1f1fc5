"""Responses on the wire, byte for byte as hyper 1.7.0 sends them (docs/fidelity.md, Heads)."""

import asyncio
import socket
import struct
import sys
from contextlib import aclosing, suppress

from aiohttp import HttpVersion10, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web import BaseRequest

from emulator.faults.delivery import Delivery
from emulator.http.request import PATIENCE
from emulator.http.response import Response, has_content_length, head_start

_CONNECTION = {
    (0, True): b"connection: keep-alive\r\n",
    (0, False): b"",
    (1, True): b"",
    (1, False): b"connection: close\r\n",
}
"""By minor version, and whether the connection stays open."""

_LAST_CHANCE = 30.0
"""Seconds in which the client of a stream that was too slow can still take the rest of it."""


class Reply(web.StreamResponse):
    """A response with hyper's head instead of aiohttp's: names in lower case, no `server`, `date` last."""

    def __init__(self, request: BaseRequest, response: Response, date: bytes) -> None:
        super().__init__(status=response.status)
        self._keep_alive, self._hangs_up = request.keep_alive, False
        minor = 0 if request.version == HttpVersion10 else 1
        self._render(request, response, date, minor, _CONNECTION[minor, self._keep_alive])

    def _render(self, request: BaseRequest, response: Response, date: bytes, minor: int, connection: bytes) -> None:
        head = head_start(minor, response.status, response.content_type, response.headers)
        if connection and response.headers.startswith(b"connection: "):
            connection = b""  # the handler's own takes its place
        length, body = b"", response.body
        if response.chunked and body:
            length, body = self._in_one_chunk(request, body, minor)
        elif has_content_length(request.method, response.status):
            length = b"content-length: %d\r\n" % len(body)
        # axum sets the length of a body, and of every response to HEAD; hyper then `connection`, and a length of 0.
        before = (body or request.method == "HEAD") and not response.chunked
        rest = length + connection if before else connection + length
        self._bytes = b"%b%bdate: %b\r\n\r\n%b" % (head, rest, date, b"" if request.method == "HEAD" else body)

    def _in_one_chunk(self, request: BaseRequest, body: bytes, minor: int) -> tuple[bytes, bytes]:
        """The header and the body in one chunk (RFC 9112, 7.1); in HTTP/1.0 the end of the connection is that of it.

        The response to HEAD has neither length nor chunks.
        """
        if request.method == "HEAD":
            return b"", body
        if minor == 0:
            self._keep_alive = False
            return b"", body
        return b"transfer-encoding: chunked\r\n", b"%X\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    def hang_up(self) -> None:
        """End the connection after the response, without `connection: close`. What the client sends is still taken.

        asyncio can't end only its own side of TLS: there both end when the client sends nothing more for a moment.
        """
        self._keep_alive, self._hangs_up = False, True

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter:
        writer = self._payload_writer = request.writer
        await writer.write(self._bytes)
        if self._hangs_up and request.transport is not None:
            if request.transport.can_write_eof():
                with suppress(OSError):  # the client was first
                    request.transport.write_eof()
            else:
                _close_when_silent(request, request.transport)
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        self._eof_sent = True


def _close_when_silent(request: BaseRequest, transport: asyncio.Transport, received: int = -1) -> None:
    """Close once none of a body has come for a moment: a client that still sends would be reset, and lose the response.

    After 10 s aiohttp closes it (`lingering_time` in aiohttp/web_protocol.py, 3.14).
    """
    if transport.is_closing():
        return
    if request.content.total_bytes == received:
        transport.close()
    else:
        loop = asyncio.get_running_loop()
        loop.call_later(PATIENCE, _close_when_silent, request, transport, request.content.total_bytes)


class StreamedReply(Reply):
    """A response whose body is sent as it comes, until it ends, the client is gone or too slow, or `end` is called."""

    def __init__(
        self,
        request: BaseRequest,
        response: Response,
        date: bytes,
        *,
        lost: "asyncio.Future[None]",
        open_ones: "set[StreamedReply]",
    ) -> None:
        """`lost` is done when the connection is lost. While its body is sent, it is one of `open_ones`."""
        super().__init__(request, response, date)
        assert response.stream is not None
        self._stream, self._lost, self._open_ones = response.stream, lost, open_ones
        self._connection, self._writer, self._transport = request.protocol, request.writer, request.transport
        self._draining: asyncio.Future[None] | None = None
        self._has_body = request.method != "HEAD"
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def _render(self, request: BaseRequest, response: Response, date: bytes, minor: int, connection: bytes) -> None:
        head = head_start(minor, response.status, response.content_type, response.headers)
        self._in_chunks = minor > 0 and request.method != "HEAD"
        if minor == 0:  # the end of the connection is that of the body
            self._keep_alive, connection = False, b""
        framing = b"transfer-encoding: chunked\r\n" if self._in_chunks else b""
        self._bytes = b"%b%b%bdate: %b\r\n\r\n" % (head, framing, connection, date)

    def end(self, _: object = None) -> None:
        """The client is gone, or the server stops."""
        if not self._over.done():
            self._over.set_result(None)

    async def write_eof(self, data: bytes = b"") -> None:
        if self._has_body:
            self._open_ones.add(self)
            self._lost.add_done_callback(self.end)
            try:
                await self._send_body()
            finally:
                self._open_ones.discard(self)
                self._lost.remove_done_callback(self.end)
                if self._draining is not None:
                    self._draining.cancel()
        await super().write_eof(data)

    async def _send_body(self) -> None:
        is_taken = True
        async with aclosing(self._stream.pieces(self._over)) as pieces:
            async for piece in pieces:
                self._send(piece)
                if not (is_taken := await self._is_taken(self._stream.patience)):
                    break
        if not is_taken:
            await self._give_up()
        elif self._over.done():
            self._send_last(self._stream.stopped)
        else:
            self._send_last(b"")

    async def _give_up(self) -> None:
        """The client can still take what it did not take in time, and the last piece."""
        self._keep_alive = False
        self._send_last(self._stream.too_slow)
        if self._transport is not None:
            self._transport.set_write_buffer_limits(0)
            if not await self._is_taken(_LAST_CHANCE):
                self._transport.abort()

    def _send_last(self, piece: bytes) -> None:
        if piece:
            self._send(piece)
        if self._in_chunks:
            self._write(b"0\r\n\r\n")

    def _send(self, piece: bytes) -> None:
        """Raises ConnectionError when the client is gone."""
        chunk = b"%X\r\n%b\r\n" % (len(piece), piece) if self._in_chunks else piece
        self._write(chunk)

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the client is gone")
        self._transport.write(data)

    async def _is_taken(self, patience: float) -> bool:
        """Raises ConnectionError when the client is gone.

        To wait for a drain again is to wait for the same one: aiohttp would wait for a future that was cancelled with
        the first (`_drain_helper` in aiohttp/base_protocol.py, 3.14).
        """
        if self._draining is None:
            if not self._connection.writing_paused:
                return True
            self._draining = asyncio.ensure_future(self._writer.drain())
        await asyncio.wait([self._draining], timeout=patience)
        if not self._draining.done():
            return False
        drained, self._draining = self._draining, None
        drained.result()
        return True


def upgrade_head(response: Response, date: bytes) -> bytes:
    """The head of a 101; hyper leaves out the content-length (src/proto/h1/role.rs)."""
    return b"%bdate: %b\r\n\r\n" % (head_start(1, response.status, response.content_type, response.headers), date)


class NoReply:
    """What aiohttp asks of a response, when a WebSocket has ended and nothing is left to send."""

    keep_alive = False

    async def prepare(self, request: BaseRequest) -> None: ...

    async def write_eof(self) -> None: ...


class BrokenReply(Reply):
    """A response that is broken on the wire; the connection is closed after it."""

    def __init__(self, request: BaseRequest, response: Response, date: bytes) -> None:
        super().__init__(request, response, date)
        self._keep_alive = False
        self._delivery = response.delivery

    def _render(self, request: BaseRequest, response: Response, date: bytes, minor: int, connection: bytes) -> None:
        if response.delivery is Delivery.GARBAGE:
            self._bytes = response.body
        elif response.status == 0:
            self._bytes = b""
        else:
            self._bytes = _cut_short(request, response, date, minor)

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter:
        writer = self._payload_writer = request.writer
        if request.transport is not None:
            if self._delivery is Delivery.RESET:
                _reset(request.transport)
            else:
                request.transport.write(self._bytes)
                request.transport.close()
        return writer


def _cut_short(request: BaseRequest, response: Response, date: bytes, minor: int) -> bytes:
    head = head_start(minor, response.status, response.content_type, response.headers)
    if response.delivery is Delivery.TRUNCATE:
        framing, body = b"content-length: %d" % len(response.body), response.body[: response.cut]
    else:
        half = response.body[: -(-len(response.body) // 2)]
        framing, body = b"transfer-encoding: chunked", b"%x\r\n%b\r\nno length\r\n" % (len(half), half)
    return b"%b%b\r\ndate: %b\r\n\r\n%b" % (head, framing, date, b"" if request.method == "HEAD" else body)


def _reset(transport: asyncio.Transport) -> None:
    """Close with SO_LINGER at 0 seconds, for which the system sends RST instead of FIN."""
    layout = "hh" if sys.platform == "win32" else "ii"
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0))
    transport.abort()


class LastReply(Reply):
    """The response to a request that no handler answers: always HTTP/1.1, and the connection is closed."""

    def __init__(self, request: BaseRequest, response: Response, date: bytes) -> None:
        super().__init__(request, response, date)
        self.hang_up()

    def _render(self, request: BaseRequest, response: Response, date: bytes, minor: int, connection: bytes) -> None:
        head = head_start(1, response.status, response.content_type, response.headers)
        lines = b"connection: close\r\ncontent-length: %d\r\ndate: %b\r\n\r\n" % (len(response.body), date)
        self._bytes = head + lines + (b"" if request.method == "HEAD" else response.body)
