"""Every request gets an answer or a close, whatever it is and whatever is raised on its way."""

import json
import re
import socket
from typing import Any

import pytest

from emulator import Emulator
from emulator.core.clock import http_date
from emulator.server import app, protocol
from emulator.server.replies import Reply
from emulator.world.stage import Stage
from tests.conftest import API_KEY
from tests.raw import connect, exchange, request

ONE_MORE = request("GET", "/v1/nope", "Connection: close")
BUG = b"a bug in identity-emulator; its log has the traceback"


def all_of(emulator: Emulator, *sent: bytes) -> bytes:
    """What comes until the server ends the connection."""
    with connect(emulator.url) as connection:
        for each in sent:
            connection.sendall(each)
        return until_it_ends(connection)


def until_it_ends(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", received)]


# --- odd targets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET http://xn--a/v1/ping", 200),
        ("GET http://xn--a:80/v1/ping", 200),
        ("GET http://user:xn--a@xn--a/v1/ping", 200),
        (f"GET http://{'x' * 300}.xn--0/v1/ping", 200),
        ("GET http://host?/v1/ping", 404),
        ("GET http://host/v1/ping?http://xn--a/", 200),
        ("CONNECT xn--a:443", 404),
        ("CONNECT [::1:443", 404),
        ("CONNECT /v1/ping", 405),
        ("CONNECT", 400),
        ("CONNECT ", 400),
        ("GET", 400),
        ("GET ", 400),
    ],
)
def test_a_target_of_any_form_is_answered(emulator: Emulator, line: str, status: int) -> None:
    sent = f"{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()

    assert statuses(all_of(emulator, sent)) == [status]
    assert emulator.journal.exchanges[-1].status == status


@pytest.mark.parametrize("raw", ["/v1/`", "/v1/<", "/v1/>", '/v1/ping?"', "/v1/ping?<", "/v1/ping?a=>", "http://a/`"])
def test_some_raw_characters_are_refused(emulator: Emulator, raw: str) -> None:
    assert exchange(emulator.url, request("GET", raw)).whole == (
        b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: <date>\r\n\r\n"
    )


@pytest.mark.parametrize("raw", ['/v1/"{}\\^|[]', "/v1/?`{}\\^|[]", '/v1/ping#<>"`', "/v1/?a#<"])
def test_others_are_taken_as_they_are(emulator: Emulator, raw: str) -> None:
    assert exchange(emulator.url, request("GET", raw)).status in {200, 404}


# --- bodies that nobody reads -----------------------------------------------------------------------------------------

CREATE = ("POST", "/v1/identity")
CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    "sent",
    [
        request(*CREATE, "Content-Length: 100"),
        request(*CREATE, "Content-Length: 100") + b"x" * 99,
        request(*CREATE, "Content-Length: 100", "Expect: 100-continue"),
        request(*CREATE, CHUNKED),
        request(*CREATE, CHUNKED) + b"1\r\nx\r\n",
        request(*CREATE, CHUNKED) + b"1\r\nx\r\n1\r\ny\r\n0\r\n\r\n" + ONE_MORE,
        request(*CREATE, CHUNKED) + b"1\r\nx\r\n0\r\nX: y\r\n\r\n" + ONE_MORE,
        request(*CREATE, CHUNKED) + b"no number\r\n" + ONE_MORE,
        request(*CREATE, body=b"x" * 50_000) + ONE_MORE,
        request(*CREATE, body=b"x" * 3_000_000) + ONE_MORE,
    ],
    ids=["none", "short", "expect", "no chunk", "one chunk", "two chunks", "trailers", "bad chunk", "50 kB", "3 MB"],
)
def test_a_body_that_is_not_wholly_there_ends_the_connection(emulator: Emulator, sent: bytes) -> None:
    received = all_of(emulator, sent)

    assert statuses(received) == [200]
    assert b"connection:" not in received


@pytest.mark.parametrize(
    "sent",
    [
        request(*CREATE, body=b"x"),
        request(*CREATE, "Expect: 100-continue", body=b"x"),
        request(*CREATE, CHUNKED) + b"1\r\nx\r\n0\r\n\r\n",
        request(*CREATE, CHUNKED) + b"1;a=b\r\nx\r\n000;c\r\n\r\n",
        request(*CREATE, CHUNKED) + b"0\r\n\r\n",
    ],
    ids=["length", "expect", "chunk", "chunk extensions", "no chunk"],
)
def test_a_body_that_is_wholly_there_does_not(emulator: Emulator, sent: bytes) -> None:
    assert statuses(all_of(emulator, sent + ONE_MORE)) == [200, 404]


def test_a_body_that_is_read_keeps_the_connection_trailers_or_not(emulator: Emulator) -> None:
    body = json.dumps({"display_name": "JP", "creator": "0x81"}).encode()
    chunks = b"1\r\n%b\r\n%x\r\n%b\r\n0\r\nX: y\r\n\r\n" % (body[:1], len(body) - 1, body[1:])
    head = request("POST", "/identity", f"x-api-key: {API_KEY}", "Content-Type: application/json", CHUNKED)

    assert statuses(all_of(emulator, head + chunks + ONE_MORE)) == [200, 404]


def test_what_arrives_of_a_body_that_nobody_reads_is_in_the_journal(emulator: Emulator) -> None:
    all_of(emulator, request(*CREATE, "Content-Length: 100"), b"part of it")

    [exchanged] = emulator.journal.exchanges
    assert (exchanged.request.body, exchanged.request.size) == ("part of it", 100)


def test_a_body_that_breaks_while_it_is_awaited_is_answered(emulator: Emulator) -> None:
    head = request("POST", "/identity", f"x-api-key: {API_KEY}", "Content-Type: application/json", CHUNKED)

    assert statuses(all_of(emulator, head + b"1\r\n{\r\n", b"garbage\r\n")) == [400]
    assert "Invalid character in chunk size" in emulator.journal.exchanges[-1].why


# --- what is raised ---------------------------------------------------------------------------------------------------


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize("target", ["/v1/ping", "/identities", "/nowhere", "/_emulator/health"])
@pytest.mark.parametrize(
    ("place", "name"),
    [(protocol, "Request"), (protocol, "Call"), (app, "_is_below"), (protocol, "Reply"), (protocol, "http_date")],
    ids=["made", "called", "routed", "answered", "dated"],
)
def test_a_bug_anywhere_is_an_answer_in_the_journal_and_a_close(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, target: str
) -> None:
    if name == "http_date":
        monkeypatch.setattr(protocol, name, once(http_date))
    else:
        monkeypatch.setattr(place, name, broken)

    received = all_of(emulator, request("GET", target))

    assert statuses(received) == [500]
    assert received.endswith(BUG)
    assert "ZeroDivisionError" in emulator.journal.exchanges[-1].why


def once(works: Any) -> Any:
    """A function that is broken when it is first called."""
    calls: list[Any] = []

    def call(argument: Any) -> Any:
        calls.append(argument)
        return broken() if len(calls) == 1 else works(argument)

    return call


def test_where_not_even_the_journal_works_there_is_an_answer(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Stage, "settled_world", broken)

    received = all_of(emulator, request("GET", "/v1/ping?token=secret"))

    assert received.endswith(BUG)
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text


def test_a_bug_before_there_is_a_request_closes_the_connection(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("aiohttp.web_server.BaseRequest", broken)

    assert all_of(emulator, request("GET", "/v1/ping")) == b""
    assert "ZeroDivisionError" in caplog.text


def test_a_bug_while_an_answer_is_sent_closes_the_connection(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reply, "prepare", broken)

    assert all_of(emulator, request("GET", "/v1/ping")) == b""
