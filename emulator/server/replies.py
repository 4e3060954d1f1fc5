"""Responses on the wire, byte for byte as hyper 1.7.0 sends them (docs/fidelity.md, Heads)."""

import asyncio
import socket
import struct
import sys

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web import BaseRequest

from emulator.faults.delivery import Delivery
from emulator.http.response import Response, has_content_length, head_start


class Reply(web.StreamResponse):
    """A response with hyper's head instead of aiohttp's: names in lower case, no `server`, `date` last."""

    def __init__(self, request: BaseRequest, response: Response, date: bytes) -> None:
        super().__init__(status=response.status)
        self._keep_alive = request.keep_alive
        minor = request.version.minor
        connection = "" if minor else "keep-alive"
        self._render(request, response, date, minor, connection if self._keep_alive else "close" * minor)

    def _render(self, request: BaseRequest, response: Response, date: bytes, minor: int, connection: str) -> None:
        head = head_start(minor, response.status, response.content_type, response.headers, connection)
        if has_content_length(request.method, response.status):
            head += b"content-length: %d\r\n" % len(response.body)
        body = b"" if request.method == "HEAD" else response.body
        self._bytes = b"%bdate: %b\r\n\r\n%b" % (head, date, body)

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter:
        writer = self._payload_writer = request.writer
        await writer.write(self._bytes)
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        self._eof_sent = True


class BrokenReply(Reply):
    """A response that is broken on the wire; the connection is closed after it."""

    def __init__(self, request: BaseRequest, response: Response, date: bytes) -> None:
        super().__init__(request, response, date)
        self._keep_alive = False
        self._delivery = response.delivery

    def _render(self, request: BaseRequest, response: Response, date: bytes, minor: int, connection: str) -> None:
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
    head = head_start(minor, response.status, response.content_type, response.headers, "")
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
    """hyper's response to a request that it can't parse: always HTTP/1.1, and the connection is closed."""

    def __init__(self, request: BaseRequest, response: Response, date: bytes) -> None:
        super().__init__(request, response, date)
        self._keep_alive = False
        self._render(request, response, date, 1, "close")
