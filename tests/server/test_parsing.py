"""aiohttp's parser as connections feed it: no request is lost, wherever packets begin and end."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import BadHttpMessage
from hypothesis import given
from hypothesis import strategies as st

from emulator.server.parsing import LONGEST_HEAD, MOST_QUEUED, HeadTooLong, Parser, reason

HEAD = b"Host: a\r\n\r\n"
GET = b"GET /1 HTTP/1.1\r\n" + HEAD
WITH_LENGTH = b"POST /2 HTTP/1.1\r\nContent-Length: 9\r\n" + HEAD + b"{\r\n\r\n\r\n\r\n"
IN_CHUNKS = b"POST /3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HEAD + b"4\r\n\r\n\r\n\r\n1\r\n0\r\n0\r\n\r\n"
WITH_TRAILERS = b"POST /4 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HEAD + b"1\r\nx\r\n0;a=b\r\nX: 0\r\n\r\n"
H2C = b"POST /5 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n" + HEAD + b"{}"
H2C_IN_CHUNKS = (
    b"POST /6 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n"
    + HEAD
    + b"1\r\nx\r\n0\r\n\r\n"
)
WEBSOCKET = b"GET /7 HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + HEAD
CONNECT = b"CONNECT /8 HTTP/1.1\r\n" + HEAD
PROXY = b"GET /9 HTTP/1.1\r\nProxy-Connection: close\r\n" + HEAD
EMPTY_LINES = b"\r\n\r\n\r\n"

BODIES = {
    GET: b"",
    WITH_LENGTH: b"{\r\n\r\n\r\n\r\n",
    IN_CHUNKS: b"\r\n\r\n0",
    WITH_TRAILERS: b"x",
    H2C: b"{}",
    H2C_IN_CHUNKS: b"x",
    WEBSOCKET: b"",
    CONNECT: b"",
    PROXY: b"",
}


class Fed:
    """A parser without a connection, and what it found."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.protocol = BaseProtocol(self.loop)
        self.with_trailers: deque[StreamReader] = deque()
        self.declined = 0
        self.parser = Parser(self._new_parser, self.with_trailers, self._decline)
        self.protocol._parser = self.parser  # type: ignore[assignment]
        self.found: list[tuple[Any, StreamReader]] = []

    def _decline(self) -> None:
        self.declined += 1

    def _new_parser(self) -> HttpRequestParser:
        return HttpRequestParser(
            self.protocol,
            self.loop,
            2**16,
            max_line_size=2 * LONGEST_HEAD,
            max_field_size=2 * LONGEST_HEAD,
            payload_exception=web.RequestPayloadError,
            auto_decompress=False,
        )

    def feed(self, packets: Iterable[bytes]) -> "Fed":
        for packet in packets:
            self.take(packet)
        return self

    def take(self, packet: bytes) -> None:
        """As aiohttp does, when no upgrade is granted."""
        while True:
            found, upgraded, tail = self.parser.feed_data(packet)
            self.found += found
            for _ in found:
                self.parser.message_consumed()
            if upgraded:
                self.parser.set_upgraded(False)
            if not found:
                return
            packet = tail

    @property
    def paths(self) -> list[str]:
        return [message.path for message, _ in self.found]


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """For bodies, which want one; it never runs."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def read(body: StreamReader) -> bytes:
    assert body.is_eof()
    return b"" if body.at_eof() else body.read_nowait()


@given(st.lists(st.sampled_from([*BODIES, EMPTY_LINES]), max_size=6), st.lists(st.integers(0, 600), max_size=12))
def test_requests_are_found_wherever_packets_begin(
    loop: asyncio.AbstractEventLoop, sent: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(sent)
    at = [0, *sorted({min(cut, len(stream)) for cut in cuts}), len(stream)]

    fed = Fed(loop).feed(stream[begin:end] for begin, end in pairwise(at))

    expected = [each for each in sent if each != EMPTY_LINES]
    assert fed.paths == [each.split(b" ")[1].decode() for each in expected]
    assert [read(body) for _, body in fed.found] == [BODIES[each] for each in expected]
    assert len(fed.with_trailers) == sent.count(WITH_TRAILERS)
    assert not any(message.should_close for message, _ in fed.found)


def test_what_is_good_before_garbage_is_found_and_then_the_garbage_is_told(loop: asyncio.AbstractEventLoop) -> None:
    fed = Fed(loop)
    fed.found = fed.parser.feed_data(GET + WITH_LENGTH + b"garbage\r\n\r\n" + GET)[0]

    assert fed.paths == ["/1", "/2"]
    with pytest.raises(BadHttpMessage):
        fed.parser.feed_data(b"")
    assert fed.parser.feed_data(GET)[0] == []


def test_behind_a_request_that_closes_nothing_is_read(loop: asyncio.AbstractEventLoop) -> None:
    closes = b"GET /last HTTP/1.1\r\nConnection: close\r\n" + HEAD

    assert Fed(loop).feed([GET + closes + GET + b"garbage\r\n\r\n", GET]).paths == ["/1", "/last"]


@pytest.mark.parametrize(
    ("version", "headers", "closes"),
    [
        (b"1.1", b"Proxy-Connection: close\r\n", False),
        (b"1.1", b"Proxy-Connection: close\r\nConnection: close\r\n", True),
        (b"1.1", b"Proxy-Connection: keep-alive\r\nConnection: a, Close\r\n", True),
        (b"1.0", b"Proxy-Connection: keep-alive\r\n", True),
        (b"1.0", b"Proxy-Connection: close\r\nConnection: keep-alive\r\n", False),
    ],
)
def test_proxy_connection_says_nothing(
    loop: asyncio.AbstractEventLoop, version: bytes, headers: bytes, closes: bool
) -> None:
    sent = b"POST / HTTP/%b\r\nContent-Length: 1\r\n%b%bx" % (version, headers, HEAD)

    assert Fed(loop).feed([sent + GET]).paths == (["/"] if closes else ["/", "/1"])


def test_a_queue_that_is_full_keeps_the_rest_for_later(loop: asyncio.AbstractEventLoop) -> None:
    fed = Fed(loop)

    found = [fed.parser.feed_data(GET * 100)[0]]
    found.append(fed.parser.feed_data(GET)[0])
    for _ in range(10):
        fed.parser.message_consumed()
    found.append(fed.parser.feed_data(b"")[0])

    assert [len(each) for each in found] == [MOST_QUEUED, 0, 10]


def test_garbage_in_a_body_is_told_to_whoever_reads_it(loop: asyncio.AbstractEventLoop) -> None:
    fed = Fed(loop)
    [(_, body)] = fed.parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HEAD + b"secret\r\n")[0]

    assert fed.parser.failure is None
    with pytest.raises(web.RequestPayloadError, match=r"Invalid character in chunk size$"):
        body.read_nowait()


@pytest.mark.parametrize("piece", [1000, LONGEST_HEAD])
def test_a_head_is_bounded_as_a_whole(loop: asyncio.AbstractEventLoop, piece: int) -> None:
    head = b"GET / HTTP/1.1\r\n" + b"X: %b\r\n" % (b"x" * 10_000) * (LONGEST_HEAD // 10_000)
    fed = Fed(loop)

    with pytest.raises(HeadTooLong):
        fed.feed(head[at : at + piece] for at in range(0, len(head), piece))
    assert fed.found == []


@pytest.mark.parametrize("line", [b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b"GET /  HTTP/1.0"])
def test_two_blanks_in_a_request_line_are_refused(loop: asyncio.AbstractEventLoop, line: bytes) -> None:
    with pytest.raises(BadHttpMessage, match="two blanks"):
        Fed(loop).feed([b"\r\n" + line + b"\r\n" + HEAD])


def test_whatever_the_parser_raises_is_a_refusal(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed = Fed(loop)
    monkeypatch.setattr(fed.parser, "_parser", None)

    with pytest.raises(BadHttpMessage, match="raised AttributeError"):
        fed.feed([GET])


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nAuthorization : Bearer secret\r\n",
        b"GET / HTTP/1.1\r\nAuthorization: Bearer secret\r\n secret\r\n",
        b"GET / HTTP/1.1\r\nAuthorization: Bearer secret\0\r\n",
        b"GET secret HTTP/1.1\r\n",
        b"GET http://secret:x/ HTTP/1.1\r\n",
        b"GET /?token=secret\xff HTTP/1.1\r\n",
        b"GET /?token=secret SECRET/1.1\r\n",
        b"Authorization: Bearer secret\r\n",
        b"\x16\x03secret\r\n",
    ],
)
def test_a_reason_quotes_nothing_of_the_request(loop: asyncio.AbstractEventLoop, sent: bytes) -> None:
    with pytest.raises(BadHttpMessage) as refused:
        Fed(loop).feed([sent + HEAD])

    assert "secret" not in reason(refused.value).lower()


def test_what_follows_a_request_for_an_upgrade_is_not_parsed(loop: asyncio.AbstractEventLoop) -> None:
    fed = Fed(loop)

    found, upgraded, tail = fed.parser.feed_data(WEBSOCKET + b"\x81\x80\r\n\r\n")

    assert [message.path for message, _ in found] == ["/7"]
    assert (upgraded, tail) == (True, b"\x81\x80\r\n\r\n")


def test_it_is_parsed_when_there_is_no_upgrade(loop: asyncio.AbstractEventLoop) -> None:
    fed = Fed(loop).feed([WEBSOCKET + GET])

    assert fed.paths == ["/7", "/1"]
    assert fed.declined == 1


def test_garbage_behind_it_is_told_then(loop: asyncio.AbstractEventLoop) -> None:
    fed = Fed(loop)
    _, _, tail = fed.parser.feed_data(CONNECT + b"garbage\r\n\r\n")

    fed.parser.set_upgraded(False)

    with pytest.raises(BadHttpMessage):
        fed.parser.feed_data(tail)
