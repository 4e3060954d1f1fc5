"""A request as handlers see it: method, path, query, headers, and a body that is read when somebody asks for it."""

import asyncio
from contextlib import suppress

from aiohttp import hdrs, web
from aiohttp.web import BaseRequest

from emulator.journal.exchange import KEPT_OF_A_BODY, Message, head_of

PATIENCE, LONG_PATIENCE = 0.1, 0.5
"""Seconds a body that no handler asked for may take to arrive: for the journal's sake, and before a fault."""

MAX_HEADERS = 100
"""hyper answers 431 to more of them."""


class BodyTooLong(Exception):
    """The body has more bytes than wanted."""


class BodyBroken(Exception):
    """The body ended early or was not framed as HTTP wants it."""


class Request:
    """One request. `path` and `query` are raw; `params` are the path's parameters, still escaped, once it is routed."""

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
        """Done once the connection is lost."""
        found: asyncio.Future[None] = self._raw.protocol.lost  # type: ignore[attr-defined]  # the server's own protocol
        return found

    def header(self, name: str) -> str | None:
        """The first value of a header, any case, without blanks around it. Bytes that are no UTF-8 are surrogates."""
        value = self._raw.headers.get(name)
        return None if value is None else value.strip(" \t")  # aiohttp before 3.14.4 keeps those behind it

    @property
    def has_body(self) -> bool:
        return self._raw.body_exists

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises BodyTooLong beyond `limit` bytes, BodyBroken when it can't be read."""
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
            raise BodyBroken(f"the client hung up after {len(self._received)} bytes; nobody got this answer") from None
        except web.RequestPayloadError as error:
            raise BodyBroken(str(error)) from error
        return bytes(self._received)

    def _send_continue(self) -> None:
        """hyper sends 100 when the body is first read, so a request refused before never gets it."""
        expects = self._raw.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
        if expects and not self._raw.content.is_eof() and self._raw.transport is not None:
            self._raw.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    @property
    def received_whole(self) -> bool:
        """Whether the body has arrived to its end."""
        return self._raw.content.at_eof()

    async def receive_unread(self, *, all_of_it: bool) -> None:
        """Take in a body that no handler asked for, as far as the journal keeps it.

        It is on its way already, if only in the next packet. Who sends slower is not waited for, and who expects
        100-continue is not told to send. `all_of_it` is for faults: a connection that is closed with bytes unread is
        reset.
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
    """The path and query of a request target; an absolute one names its server first."""
    target = target.partition("#")[0]
    if target.startswith("/") or "://" not in target:
        return target
    rest = target.partition("://")[2]
    slash = rest.find("/")
    return rest[slash:] if slash >= 0 else "/"
