"""What real servers did with connections: tests/data/golden_connections.json, byte for byte."""

import re
import socket
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from emulator import Emulator
from tests.conftest import data
from tests.raw import connect

Row = dict[str, Any]

_DATE = re.compile(rb"\r\ndate: [^\r]*")
_IDENTITY = re.compile(rb'"identity":"[0-9a-f]{64}"')
_TOKEN = re.compile(rb"eyJ[\w.-]{60,}")

ONE_MORE = b"GET /v1/ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
ITS_ANSWER = (
    b"HTTP/1.1 200 OK\r\nvary: origin, access-control-request-method, access-control-request-headers\r\n"
    b"access-control-allow-origin: *\r\nconnection: close\r\ncontent-length: 0\r\ndate: <date>\r\n\r\n"
)


def rows() -> list[Any]:
    return [pytest.param(row, id=f"{row['profile']} {row['name']}") for row in data("golden_connections.json")["rows"]]


def in_bytes(parts: list[Any]) -> bytes:
    return b"".join((each if isinstance(each, str) else each[0] * each[1]).encode("latin-1") for each in parts)


def masked(received: bytes) -> bytes:
    received = _DATE.sub(b"\r\ndate: <date>", received)
    return _TOKEN.sub(b"<token>", _IDENTITY.sub(b'"identity":"<identity>"', received))


def until_it_ends(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("row", rows())
def test_a_connection_goes_as_with_a_real_server(v2: Emulator, row: Row) -> None:
    v2.reset(spacetime_profile=row["profile"])
    if row["date"] is not None:
        v2.clock.freeze(parsedate_to_datetime(row["date"]))
    received = b""

    with connect(v2.url) as connection:
        first, *others = map(in_bytes, row["sent"])
        connection.sendall(first)
        for each in others:
            if len(first) > 1:
                received += connection.recv(65_536)  # an answer without a body, in one packet
            connection.sendall(each)
        if not row["closed"]:
            connection.sendall(ONE_MORE)
        received += until_it_ends(connection)

    assert masked(received) == row["received"].encode("latin-1") + (b"" if row["closed"] else ITS_ANSWER)
