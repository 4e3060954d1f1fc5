"""Whatever comes over a connection, in whatever packets: answers, never a 500, and in the end a close."""

import re
import socket

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator import Emulator
from tests.conftest import API_KEY
from tests.raw import connect

any_connection = settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

LAST = b"\r\n\r\nGET /v1/ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
"""Ends whatever was begun: a head, a short body, or the connection."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) ")

texts = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=12)
hosts = st.sampled_from(["xn--a", "xn--0.xn--1:9", "a@xn--a", "[::1", "[::1]", "a:b", "", "%", "é"]) | texts
encoded_hosts = st.builds("xn--{}".format, st.text("abc019-.:@", max_size=6))
"""Names in IDNA, and what looks like them."""
targets = st.one_of(
    st.sampled_from(["/v1/ping", "/v1/identity", "/identity", "/_emulator/health", "*", "", "/", "//", "?", "#", "é"]),
    st.builds("http://{}{}".format, hosts, st.sampled_from(["", "/v1/ping", "?/v1/ping", "#x"])),
    hosts,
    texts,
)
methods = st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "CONNECT", "PRI", "get", "BREW", "", "G T"])
versions = st.sampled_from([" HTTP/1.1", " HTTP/1.0", " HTTP/2.0", " HTTP/0.9", " HTTP/1.9", "", " ", "  HTTP/1.1"])
headers = st.sampled_from(
    [
        "Host: a",
        "Host: xn--a",
        "Host:",
        "Content-Length: 3",
        "Content-Length: 18446744073709551615",
        "Content-Length: -1",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip",
        "Connection: close",
        "Connection: keep-alive",
        "Connection: Upgrade",
        "Upgrade: h2c",
        "Upgrade: websocket",
        "Proxy-Connection: close",
        "Expect: 100-continue",
        "Content-Type: application/json",
        "Content-Encoding: gzip",
        f"x-api-key: {API_KEY}",
        "Sec-WebSocket-Key1: x",
        "Authorization : x",
        " folded",
        "no colon",
        "X: \0",
        "",
    ]
)
bodies = st.sampled_from(
    ["", "{}x", "3\r\n{}x\r\n0\r\n\r\n", "3\r\n{}x\r\n0\r\nX: y\r\n\r\n", "zz\r\n", "0\r\n\r\n", "\r\n"]
)
usual_heads = st.just(["Host: a"]) | st.lists(headers, max_size=4).map(lambda some: ["Host: a", *some])
heads = usual_heads | st.lists(headers, max_size=5)
requests = st.builds(
    "{0} {1}{2}\r\n{3}\r\n\r\n{4}".format,
    st.just("GET") | methods,
    targets,
    st.just(" HTTP/1.1") | versions,
    heads.map("\r\n".join),
    st.just("") | bodies,
)
with_any_target = st.builds(
    "{} {} HTTP/1.1\r\nHost: a\r\n\r\n".format,
    st.sampled_from(["GET", "CONNECT"]),
    st.builds(
        "{}{}{}".format, st.sampled_from(["http://", ""]), encoded_hosts | hosts, st.sampled_from(["", "/v1/ping"])
    ),
)
good = st.sampled_from(
    [
        "GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /v1/identity HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{}x",
        f"POST /identity HTTP/1.1\r\nHost: a\r\nx-api-key: {API_KEY}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}x\r\n0\r\n\r\n",
    ]
)


def until_it_ends(connection: socket.socket) -> bytes:
    received = b""
    try:
        while some := connection.recv(65_536):
            received += some
    except ConnectionResetError:  # more came than was read
        pass
    return received


@any_connection
@given(st.lists(with_any_target | good | requests | texts, max_size=3), st.integers(1, 200))
def test_it_ends_with_answers_or_without(emulator: Emulator, sent: list[str], packet: int) -> None:
    stream = "".join(sent).encode("utf-8") + LAST

    with connect(emulator.url) as connection:
        try:
            for at in range(0, len(stream), packet):
                connection.sendall(stream[at : at + packet])
        except (BrokenPipeError, ConnectionResetError):  # it was closed meanwhile
            pass
        received = until_it_ends(connection)

    statuses = [int(status) for status in _STATUS.findall(received)]
    assert all(200 <= status < 500 for status in statuses)
    assert [each.status for each in emulator.journal.exchanges if each.status >= 500] == []
