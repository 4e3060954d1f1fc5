"""A request as handlers see it: method, path, query, headers, and a body that is read on demand."""

import asyncio
from contextlib import suppress

from aiohttp import hdrs, web
from aiohttp.web import BaseRequest

from emulator.journal.exchange import Message, head_of
from emulator.journal.limits import KEPT_OF_A_BODY
from emulator.journal.masking import without_excerpt

PATIENCE, LONG_PATIENCE = 0.1, 0.5
"""Seconds to wait for a body that no handler has read: for the journal, and before a fault."""

MAX_HEADERS = 100
"""hyper 1.7.0 answers 431 to more (docs/fidelity.md, Heads)."""


class BodyTooLong(Exception):
    """The body has more bytes than the limit."""


class BodyBroken(Exception):
    """The body ended early, or its framing is not valid HTTP (RFC 9112, 6)."""


class Request:
    """One request. `path` and `query` are raw; `params` are the path's parameters, percent-encoded, set by routing."""

    __slots__ = ("_raw", "_received", "method", "params", "path", "query")

    def __init__(self, raw: BaseRequest) -> None:
        self._raw = raw
        self.method = raw.method
        self.path, _, self.query = _origin_form(raw.raw_path).partition("?")
        self.params: tuple[str, ...] = ()
        self._received = bytearray()

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def remote(self) -> str:
        """The client's address."""
        return self._raw.remote or ""

    @property
    def lost(self) -> asyncio.Future[None]:
        """Done when the connection is lost."""
        found: asyncio.Future[None] = self._raw.protocol.lost  # type: ignore[attr-defined]  # the server's own protocol
        return found

    def header(self, name: str) -> str | None:
        """The first value of a header, any case, stripped (RFC 9110, 5.5). Bytes that are no UTF-8 are surrogates."""
        value = self._raw.headers.get(name)
        return None if value is None else value.strip(" \t")  # aiohttp before 3.14.4 keeps the trailing ones

    @property
    def has_body(self) -> bool:
        return self._raw.body_exists

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises BodyTooLong above `limit` bytes, BodyBroken when it can't be read."""
        declared = self._raw.content_length
        if declared is not None and declared > limit:
            raise BodyTooLong(f"{declared} bytes")
        self._send_continue()
        content = self._raw.content
        try:
            while chunk := await content.readany():
                self._received += chunk
                if len(self._received) > limit:
                    raise BodyTooLong(f"at least {len(self._received)} bytes")
        except ConnectionError:
            raise BodyBroken(f"the client hung up after {len(self._received)} bytes, before this response") from None
        except web.RequestPayloadError as error:
            raise BodyBroken(without_excerpt(str(error))) from error
        return bytes(self._received)

    def _send_continue(self) -> None:
        """hyper sends 100 Continue (RFC 9110, 10.1.1) at the first read of the body, so not when it refuses before."""
        expects = self._raw.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
        if expects and not self._raw.content.is_eof() and self._raw.transport is not None:
            self._raw.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    @property
    def received_whole(self) -> bool:
        """Whether the whole body has arrived."""
        return self._raw.content.at_eof()

    async def receive_unread(self, *, all_of_it: bool) -> None:
        """Receive a body that no handler has read, up to the size that the journal keeps.

        Usually it arrives with the next packet; a slower one is not waited for, and a client that expects 100-continue
        gets no 100. Faults need `all_of_it`: closing a connection with unread bytes resets it.
        """
        content = self._raw.content
        if content.at_eof() or content.exception() or hdrs.EXPECT in self._raw.headers:
            return
        with suppress(TimeoutError, web.RequestPayloadError, ConnectionError):
            async with asyncio.timeout(LONG_PATIENCE if all_of_it else PATIENCE):
                while (room := KEPT_OF_A_BODY - len(self._received)) > 0 or all_of_it:
                    if not (chunk := await content.readany()):
                        break
                    self._received += chunk[: max(room, 0)]

    def message(self) -> Message:
        """The request as the journal keeps it."""
        size = max(self._raw.content_length or 0, len(self._received))
        return Message(head_of(self._raw.raw_headers), bytes(self._received[:KEPT_OF_A_BODY]), size)


def _origin_form(target: str) -> str:
    """The path and query of a request target, also of the absolute form (RFC 9112, 3.2.2)."""
    target = target.partition("#")[0]
    if target.startswith("/") or "://" not in target:
        return target
    rest = target.partition("://")[2]
    slash = rest.find("/")
    return rest[slash:] if slash >= 0 else "/"
