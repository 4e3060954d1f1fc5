"""aiohttp's parser, fed with one part of a message after another.

Given whole packets it loses requests: those before garbage in the same packet.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence

from aiohttp import StreamReader, web
from aiohttp.http import HttpRequestParser, HttpVersion10, RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError, InvalidHeader, InvalidURLError
from yarl import URL

LONGEST_HEAD = 480_000
"""Bytes from the request line to the empty line. hyper takes up to 524,288."""

MOST_QUEUED = 32
"""Requests of a connection that wait for their turn; aiohttp stops reading at this number."""

_LONGEST_NAME = 65_535
"""Bytes of a header's name (the crate http 1.3)."""

_END = b"\r\n\r\n"
_LAST_CHUNK = re.compile(rb"(?:^|\r\n)0+(?:[ \t]*;[^\r\n]*)?\r\n\r\n$")
_LONGEST_LAST_CHUNK = 1024
_ROOT = URL("/")

Parsed = tuple[RawRequestMessage, StreamReader]


class HeadTooLong(BadHttpMessage):
    """The head has more bytes than the limit."""


_WITHOUT_AN_EXCERPT = {InvalidURLError: "the target is no URL", InvalidHeader: "a header that can't be"}


_HTTP_2 = "HTTP/2 is not spoken here; have the client use HTTP/1.1"
_NOT_SPOKEN = {
    "Pause on PRI/Upgrade": _HTTP_2,
    "Expected HTTP/2 Connection Preface": _HTTP_2,
    "Received HTTPS traffic on an HTTP port": "TLS is not spoken here; use http://, not https://",
}
"""By llhttp's messages."""


def reason(error: HttpProcessingError) -> str:
    """Why a request was refused, without the excerpt of it that aiohttp shows: it can hold a token."""
    said, excerpt, _ = error.message.partition("\n\n")
    shown = said if excerpt else _WITHOUT_AN_EXCERPT.get(type(error), said)
    text = " ".join(shown.split()).removesuffix(":")
    return _NOT_SPOKEN.get(text, text)


class Parser:
    """What a connection has in the place of aiohttp's parser.

    Parts end where messages and their heads end, so an error concerns one message only. What follows a request for an
    upgrade is not parsed until `set_upgraded(False)` says that there is none; then `declined` is called.
    `with_trailers` gets the bodies in chunks that trailers follow.
    """

    def __init__(
        self,
        new_parser: Callable[[], HttpRequestParser],
        with_trailers: deque[StreamReader],
        declined: Callable[[], None],
    ) -> None:
        self._new_parser = new_parser
        self._declined = declined
        self._parser = new_parser()
        self._with_trailers = with_trailers
        self._queued = 0
        self._held = b""
        """What arrived while the queue was full."""
        self._head = bytearray()
        self._body: StreamReader | None = None
        self._left: int | None = None
        """Bytes of the body that are to come; None when its chunks say how many."""
        self._chunks = b""
        """The end of a body in chunks, as far as it has come."""
        self._closes = self._outdated = self._done = self._broken = self._upgraded = False
        self.failure: HttpProcessingError | None = None
        """What is wrong behind the requests that were found."""

    def feed_data(self, data: bytes) -> tuple[list[Parsed], bool, bytes]:
        """The requests in `data`, whether the last one asks for an upgrade, and what follows it then.

        Raises HttpProcessingError when there is no request before what is wrong.
        """
        found: list[Parsed] = []
        if self._held:
            data, self._held = self._held + data, b""
        start, end = 0, len(data)
        if not data:  # aiohttp goes on after a pause
            self._feed(data, found)
        while start < end and not self._done:
            if self._queued >= MOST_QUEUED:
                self._held = data[start:]
                break
            part = self._end_of_part(data, start)
            self._feed(data[start:part], found)
            start = part
            if self._upgraded and not self._done:
                return found, True, data[start:]
        if self.failure is not None and not found:
            failure, self.failure = self.failure, None
            raise failure
        return found, False, b""

    def set_upgraded(self, upgraded: bool) -> None:  # noqa: FBT001 - aiohttp's interface
        self._upgraded = upgraded
        self._declined()

    def message_consumed(self) -> None:
        if self._queued:
            self._queued -= 1

    def pause_reading(self) -> None:
        self._parser.pause_reading()

    def _end_of_part(self, data: bytes, start: int) -> int:
        """The index after a head, or after a body or some of it."""
        if self._left is not None:
            return min(len(data), start + self._left)
        if before := (self._head if self._body is None else self._chunks)[-3:]:
            across = (before + data[start : start + 3]).find(_END)
            if across >= 0:
                return start + across + len(_END) - len(before)
        at = data.find(_END, start)
        return len(data) if at < 0 else at + len(_END)

    def _feed(self, part: bytes, found: list[Parsed]) -> None:
        if self._broken:
            return
        try:
            messages, upgraded, _ = self._parser.feed_data(part)
            if upgraded:
                self._parser.set_upgraded(False)
                self._upgraded = True
            if self._body is not None:
                self._follow_body(part, self._body)
            elif self._head or not _is_plain_head(part, messages):
                self._follow_head(part)
            for message, body in messages:
                found.append((self._begun(message, body), body))
                self._queued += 1
        except HttpProcessingError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
            self._fail(BadHttpMessage(f"aiohttp's parser raised {type(error).__name__}"))

    def _follow_head(self, part: bytes) -> None:
        self._head += part
        if len(self._head) > LONGEST_HEAD:
            raise HeadTooLong(f"the head has more than {LONGEST_HEAD} bytes")
        if self._head.endswith(_END):
            first, *headers = self._head.lstrip(b"\r\n").split(b"\r\n")
            if b"  " in first:
                raise BadHttpMessage("two blanks in the request line")
            if any(line.find(b":") > _LONGEST_NAME for line in headers):
                raise HeadTooLong(f"a header's name has more than {_LONGEST_NAME} bytes")
            self._head.clear()

    def _follow_body(self, part: bytes, body: StreamReader) -> None:
        if self._left is not None:
            self._left -= len(part)
            if not self._left:
                self._end(body)
            return
        self._chunks = (self._chunks + part)[-_LONGEST_LAST_CHUNK:]
        if body.is_eof():
            if not _LAST_CHUNK.search(self._chunks):
                self._with_trailers.append(body)
            self._end(body)

    def _begun(self, message: RawRequestMessage, body: StreamReader) -> RawRequestMessage:
        """The head of a message is there."""
        self._closes = message.should_close
        if "Proxy-Connection" in message.headers:  # llhttp takes it for `Connection`, hyper does not know it
            self._closes, self._outdated = _closes(message), message.should_close
            message = message._replace(should_close=self._closes)
        if message.path[0] != "/":  # nobody asks for the host, which `BaseRequest` decodes and which may be none
            message = message._replace(url=_ROOT)
        if body.is_eof():
            self._end(body)
        else:
            self._body, self._chunks = body, b""
            self._left = None if message.chunked else int(message.headers["Content-Length"])
        return message

    def _end(self, body: StreamReader) -> None:
        """The message is there wholly."""
        self._body = self._left = None
        self._done = self._closes
        if self._outdated and body.is_eof():
            self._parser, self._outdated = self._new_parser(), False

    def _fail(self, error: HttpProcessingError) -> None:
        """An error in a body is told to whoever reads it; any other follows the requests before."""
        self._done = self._broken = True
        if self._body is None:
            self.failure = error
        else:
            self._body.set_exception(web.RequestPayloadError(reason(error)))
            self._body.feed_eof()


def _is_plain_head(part: bytes, messages: Sequence[Parsed]) -> bool:
    """Whether it is the head of one message, and in it nothing to look at: so are most.

    The request line has one blank before the version if that is where it then has to be.
    """
    if not messages or len(part) > _LONGEST_NAME:
        return False
    message = messages[0][0]
    return part.startswith(b"HTTP/", len(message.method) + len(message.path) + 2)


def _closes(message: RawRequestMessage) -> bool:
    options = {each.strip().lower() for value in message.headers.getall("Connection", ()) for each in value.split(",")}
    return "close" in options or (message.version == HttpVersion10 and "keep-alive" not in options)
