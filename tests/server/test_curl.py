"""`GET /_emulator/journal/:n/curl`: what its command sends is what was sent."""

import subprocess
import sys
from shutil import which

import pytest
import requests

from emulator import Emulator
from emulator.journal.exchange import Exchange
from tests.limits import LIMIT
from tests.raw import connect, read_answer

pytestmark = pytest.mark.skipif(sys.platform == "win32" or which("curl") is None, reason="no POSIX shell with curl")

FROM_CURL = {"host", "user-agent", "accept", "accept-encoding", "content-length"}
HOP_BY_HOP = {"connection", "upgrade", "http2-settings", "keep-alive", "te", "transfer-encoding", "proxy-connection"}
EVERY_BYTE = bytes(range(256))


def sent(emulator: Emulator, head: str, body: bytes = b"") -> Exchange:
    lines = [*head.split("\n"), "Host: x", *([f"Content-Length: {len(body)}"] if body else []), "", ""]
    return sent_raw(emulator, "\r\n".join(lines).encode("utf-8", "surrogateescape") + body)


def sent_raw(emulator: Emulator, request: bytes) -> Exchange:
    with connect(emulator.url, timeout=LIMIT) as connection:
        connection.sendall(request)
        read_answer(connection, request.partition(b" ")[0])
    return emulator.journal.exchanges[-1]


def repeated(emulator: Emulator, first: Exchange) -> tuple[str, Exchange]:
    """The command, and what came when a shell had run it."""
    command = requests.get(f"{emulator.url}/_emulator/journal/{first.number}/curl", timeout=LIMIT).text
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    again = emulator.journal.exchanges[-1]
    assert again.number == first.number + 1
    return command, again


def headers(exchange: Exchange) -> list[tuple[bytes, bytes]]:
    left_out = FROM_CURL | HOP_BY_HOP
    return [(name, value) for name, value in exchange.request.lines if name.decode().lower() not in left_out]


def assert_repeated(emulator: Emulator, first: Exchange) -> str:
    command, again = repeated(emulator, first)

    assert (again.method, again.target, again.status) == (first.method, first.target, first.status)
    assert (again.request.kept, again.request.size) == (first.request.kept, first.request.size)
    assert headers(again) == headers(first)
    assert command.removesuffix("\n").isprintable()
    return command


@pytest.mark.parametrize(
    "body",
    [
        b"@/etc/passwd",
        b"@-",
        b"-",
        b"--data-binary @x",
        b'it\'s $HOME `id` "$(id)" \\n %s %% !x',
        b'{\n  "display_name": "J\xc3\xbc",\r\n\t"a": 1\n}\n\n',
        EVERY_BYTE,
        EVERY_BYTE[::-1],
        b"\0",
        b"\n",
        b"-\n",
        b"\x1b[31m",
        b"\\\n%d\\0'\0001",
        "\u202eé\u2028".encode(),
        b"\xff" * 16_384,
    ],
    ids=lambda body: repr(body[:12]),
)
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
def test_a_body_is_repeated_byte_for_byte(emulator: Emulator, method: str, body: bytes) -> None:
    assert_repeated(emulator, sent(emulator, f"{method} /identity HTTP/1.1\nContent-Type: application/json", body))


def test_what_has_no_content_type_is_sent_without(emulator: Emulator) -> None:
    assert_repeated(emulator, sent(emulator, "POST /identity HTTP/1.1", b"a=b"))


@pytest.mark.parametrize(
    "lines",
    [
        "X-Empty:",
        "X-Empty: ",
        "x-api-key:\nX-Other: 1",
        "X-A: it's $HOME `id` \"\\ %s ;,",
        "X-A: \udcff\udce9",
        "X-A: é",
        "X-A: one\nX-A: two\nx-a: three",
        "X-A: a\tb",
        "X-A: @file",
        "Accept: application/json",
        "Expect: 100-continue",
        "Cookie: a=b; c=d",
        "Authorization: Bearer x",
        "!#$%&'*+-.^_`|~: x",
    ],
)
def test_headers_are_repeated_in_order_and_case(emulator: Emulator, lines: str) -> None:
    assert_repeated(emulator, sent(emulator, f"GET /v1/ping HTTP/1.1\n{lines}"))


@pytest.mark.parametrize(
    "target",
    [
        "/v1/ping?a=b&c=$HOME'\"",
        "/v1/ping?a[]={b}",
        "/v1/../v1/./ping",
        "//v1/ping",
        "/v1/ping?token=%00%20%FF",
        "/v1/\\ping",
        "/v1/pi|ng^",
        "/v1/@ping:80",
        "/identity/é",
        "/identity/\udcff",
        "/identity/a*b?~=-!",
    ],
)
def test_targets_are_repeated(emulator: Emulator, target: str) -> None:
    assert_repeated(emulator, sent(emulator, f"GET {target} HTTP/1.1"))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "DELETE", "PATCH"])
@pytest.mark.parametrize("body", [b"", b"body"])
def test_methods_are_repeated(emulator: Emulator, method: str, body: bytes) -> None:
    assert_repeated(emulator, sent(emulator, f"{method} /v1/ping HTTP/1.1", body))


def test_an_offered_upgrade_is_not_repeated(emulator: Emulator) -> None:
    """As Java's HttpClient offers it with every first request."""
    offer = (
        "Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"
    )
    command = assert_repeated(emulator, sent(emulator, f"POST /v1/identity HTTP/1.1\n{offer}\nX-A: b"))

    assert "h2c" not in command
    assert "HTTP2" not in command


@pytest.mark.parametrize("connection", ["Upgrade", "keep-alive, Upgrade", "upgrade"])
def test_the_handshake_of_a_websocket_is_repeated(emulator: Emulator, connection: str) -> None:
    head = f"""GET /v1/database/chat/subscribe HTTP/1.1
Connection: {connection}
Upgrade: websocket
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Protocol: v2.bsatn.spacetimedb"""
    first = sent(emulator, head)
    assert first.status == 404

    assert_repeated(emulator, first)


def test_a_body_in_chunks_is_repeated_in_one_piece(emulator: Emulator) -> None:
    head = b"POST /identity HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert_repeated(emulator, sent_raw(emulator, head + b"2\r\n@a\r\n3\r\nb\0c\r\n0\r\n\r\n"))
