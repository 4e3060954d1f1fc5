"""A request as handlers see it: method, path, query, headers, and a body that is read on demand."""

import asyncio
import re
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Protocol

from aiohttp import HttpVersion10, HttpVersion11, StreamReader, hdrs, web
from aiohttp.web import BaseRequest

from emulator.core.bounded_pattern import SEEN
from emulator.core.request_match import Sent
from emulator.http.outgoing import Connect
from emulator.journal.exchange import Message, head_of
from emulator.journal.limits import KEPT_OF_A_BODY
from emulator.journal.masking import without_excerpt

PATIENCE, LONG_PATIENCE = 0.1, 0.5
"""Seconds to wait for a body that no handler has read: for the journal, and before a fault."""

MAX_HEADERS = 100
"""hyper 1.7.0 answers 431 to more (docs/fidelity.md, Response headers)."""

_LONGEST_TARGET = 65_534
"""Bytes (the crate http 1.3)."""

_TOO_LONG_A_BODY = 2**64 - 2
"""hyper 1.7.0 takes a content-length below it (src/body/length.rs)."""

# The crate http 1.3 refuses some of the characters that should be percent-encoded (src/uri/path.rs).
_PATH_AND_QUERY = re.compile(r"""([!"$-;=@-_a-~]*)(?:\?([!$-;=?-~]*))?(?:#.*)?""")


class NotHttp(Exception):
    """A request that aiohttp's parser takes and hyper refuses, with this status and an empty body."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Connection(Protocol):
    """What a request asks of its connection."""

    lost: "asyncio.Future[None]"
    """Done when the connection is lost."""
    with_trailers: Collection[StreamReader]
    """Bodies in chunks that trailers follow."""

    @property
    def connect(self) -> Connect:
        """Opens what sends requests to other servers."""


class BodyTooLong(Exception):
    """The body has more bytes than the limit."""


class BodyBroken(Exception):
    """The body ended early, or its framing is not valid HTTP (RFC 9112, 6)."""


class Request:
    """One request. `path` and `query` are raw; `params` are the path's parameters, percent-encoded, set by routing.

    Raises NotHttp.
    """

    __slots__ = ("_failure", "_raw", "_received", "_wanted", "method", "params", "path", "query")

    def __init__(self, raw: BaseRequest) -> None:
        self._raw = raw
        self.method = raw.method
        _check_head(raw)
        self.path, self.query = _path_and_query(raw.raw_path)
        self.params: tuple[str, ...] = ()
        self._received = bytearray()
        self._wanted = False
        self._failure: BodyTooLong | BodyBroken | None = None

    @property
    def minor(self) -> int:
        """Of the version: 0 for HTTP/1.0, 1 for HTTP/1.1."""
        return self._raw.version.minor

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def remote(self) -> str:
        """The client's address."""
        return self._raw.remote or ""

    @property
    def origin(self) -> str:
        """Of the emulator, as the client calls it: `http://127.0.0.1:3000`, or https."""
        return f"{'https' if self._raw.secure else 'http'}://{self.header('host')}"

    @property
    def lost(self) -> asyncio.Future[None]:
        """Done when the connection is lost."""
        return self._connection.lost

    @property
    def connect(self) -> Connect:
        """Opens what sends requests to other servers."""
        return self._connection.connect

    @property
    def _connection(self) -> "Connection":
        return self._raw.protocol  # type: ignore[return-value]  # of the server's own class

    def header(self, name: str) -> str | None:
        """The first value of a header, any case, stripped (RFC 9110, 5.5). Bytes that are no UTF-8 are surrogates."""
        return self._raw.headers.get(name)

    def header_values(self, name: str) -> list[str]:
        """The values of all headers with this name."""
        return list(self._raw.headers.getall(name, ()))

    @property
    def has_body(self) -> bool:
        return self._raw.body_exists

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises BodyTooLong above `limit` bytes, BodyBroken when it can't be read."""
        await self.receive(limit, self._received.extend)
        return bytes(self._received)

    async def receive(self, limit: int, take: Callable[[bytes], object]) -> None:
        """Hand the body over as it arrives. Raises as `body`, and what `take` raises."""
        self._wanted = True
        if self._failure is not None:
            raise self._failure
        declared = self._raw.content_length
        if declared is not None and declared > limit:
            raise BodyTooLong(f"{declared} bytes")
        self._send_continue()
        content, received = self._raw.content, 0
        try:
            while chunk := await content.readany():
                received += len(chunk)
                if received > limit:
                    raise BodyTooLong(f"at least {received} bytes")
                take(chunk)
        except ConnectionError:
            raise BodyBroken(f"the client hung up after {received} bytes, before this response") from None
        except web.RequestPayloadError as error:
            raise BodyBroken(without_excerpt(str(error))) from error

    async def discard_body(self) -> None:
        """Receive the whole body, of any size, and keep only what the journal shows of it."""

        def take(chunk: bytes) -> None:
            room = max(KEPT_OF_A_BODY - len(self._received), 0)
            self._received.extend(chunk[:room])

        with suppress(BodyBroken):
            await self.receive(_TOO_LONG_A_BODY, take)

    async def sent(self, limit: int) -> Sent:
        """Query, headers and body, before a handler reads that; of one that is too long or broken its beginning."""
        is_whole = True
        if self.has_body:
            try:
                await self.body(limit)
            except (BodyTooLong, BodyBroken) as error:
                is_whole, self._failure = False, error
        headers = [(name.decode("latin-1"), _text(value)) for name, value in self._raw.raw_headers]
        return Sent(self.query, headers, bytes(self._received), is_whole, SEEN)

    def _send_continue(self) -> None:
        """hyper sends 100 Continue (RFC 9110, 10.1.1) at the first read of the body, so not when it refuses before."""
        expects = self._raw.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
        if expects and not self._raw.content.is_eof() and self._raw.transport is not None:
            self._raw.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def receive_unread(self, *, all_of_it: bool) -> bool:
        """Receive a body that no handler has read, up to the size that the journal keeps.

        Usually it arrives with the next packet; a slower one is not waited for, and a client that expects 100-continue
        gets no 100. Faults need `all_of_it`: closing a connection with unread bytes resets it.

        True if hyper would not have the whole body when it has sent the response, and therefore hang up. It reads once
        more after the response: a short body, or one chunk without trailers, is whole then
        (poll_drain_or_close_read in hyper 1.7.0, src/proto/h1/conn.rs).
        """
        content, chunks = self._raw.content, 0
        if not content.at_eof() and content.exception() is None:
            patience = LONG_PATIENCE if all_of_it else PATIENCE
            with suppress(TimeoutError, web.RequestPayloadError, ConnectionError):
                async with asyncio.timeout(0 if hdrs.EXPECT in self._raw.headers else patience):
                    while (room := KEPT_OF_A_BODY - len(self._received)) > 0 or all_of_it:
                        chunk, ends = await content.readchunk()
                        if not (chunk or ends):
                            break
                        self._received += chunk[: max(room, 0)]
                        chunks += ends
        if content.exception() is not None or not content.at_eof():
            return True
        short = len(self._received) < KEPT_OF_A_BODY and chunks <= 1
        return not self._wanted and not (short and content not in self._connection.with_trailers)

    def message(self) -> Message:
        """The request as the journal keeps it."""
        size = max(self._raw.content_length or 0, len(self._received))
        return Message(head_of(self._raw.raw_headers), bytes(self._received[:KEPT_OF_A_BODY]), size, self.query)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _check_head(raw: BaseRequest) -> None:
    version = raw.version
    if version is not HttpVersion11 and version != HttpVersion11:
        if version != HttpVersion10:
            raise NotHttp(400, f"HTTP/{version.major}.{version.minor}, or no version at all")
        if hdrs.TRANSFER_ENCODING in raw.headers:
            raise NotHttp(400, "`Transfer-Encoding` in HTTP/1.0")
    if len(raw.raw_path) > _LONGEST_TARGET:
        raise NotHttp(414, f"the target has more than {_LONGEST_TARGET} bytes")
    if len(raw.raw_headers) > MAX_HEADERS:
        raise NotHttp(431, f"more than {MAX_HEADERS} headers")
    if raw.body_exists and int(raw.headers.get(hdrs.CONTENT_LENGTH, 0)) >= _TOO_LONG_A_BODY:
        raise NotHttp(431, "`Content-Length` is as long as a number of 64 bits can say")


def _path_and_query(target: str) -> tuple[str, str]:
    """Of a target in any form (RFC 9112, 3.2). One that names no path has `/`, that of CONNECT is a path as it is."""
    if target[:1] != "/":
        rest = target.partition("://")[2]
        if not rest:
            return target, ""
        path = _PATH_BEGINS.search(rest)
        target = rest[path.start() :] if path else ""
    match = _PATH_AND_QUERY.fullmatch(target)
    if match is None:
        raise NotHttp(400, 'the path has a raw `, < or >, or the query a raw ", < or >')
    return match[1] or "/", match[2] or ""


_PATH_BEGINS = re.compile("[/?#]")
