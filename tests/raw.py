"""A minimal client: sends and receives raw bytes on a socket."""

import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.waiting import PATIENCE

_DATE = re.compile(rb"\r\ndate: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT\r\n")


@dataclass(frozen=True)
class RawAnswer:
    head: bytes
    """With its dates masked as `<date>`, up to and with the empty line."""
    body: bytes
    """In chunks, if it was sent so."""

    @property
    def whole(self) -> bytes:
        return self.head + self.body

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])

    @property
    def names(self) -> list[str]:
        """Header names, as sent and in order."""
        return [line.partition(b":")[0].decode() for line in self.head.split(b"\r\n")[1:-2]]

    def header(self, name: str) -> str | None:
        lines = (line.partition(b": ")[::2] for line in self.head.split(b"\r\n")[1:-2])
        return next((value.decode() for found, value in lines if found.decode() == name), None)


def exchange(url: str, request: bytes, *, timeout: float = PATIENCE) -> RawAnswer:
    """Send `request`, read one response, close the connection."""
    with connect(url, timeout=timeout) as connection:
        connection.sendall(request)
        return read_answer(connection, request.partition(b" ")[0])


def connect(url: str, *, timeout: float = PATIENCE) -> socket.socket:
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    return socket.create_connection((address.hostname, address.port), timeout=timeout)


def read_answer(connection: socket.socket, method: bytes = b"GET") -> RawAnswer:
    with connection.makefile("rb") as stream:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            assert line, f"the connection ended inside the head: {head!r}"
            head += line
        length = re.search(rb"\r\ncontent-length: (\d+)\r\n", head)
        has_body = length is not None and method != b"HEAD"
        body = stream.read(int(length.group(1))) if length and has_body else b""
        if b"\r\ntransfer-encoding: chunked\r\n" in head:
            while not body.endswith(b"0\r\n\r\n"):
                body += stream.readline()
    return RawAnswer(_DATE.sub(b"\r\ndate: <date>\r\n", head), body)


def read_statuses(connection: socket.socket, status: int, count: int) -> None:
    """Read so many answers with this status, whatever else is in them."""
    start, received = f"HTTP/1.1 {status} ".encode(), b""
    while count > 0:
        more = connection.recv(65536)
        assert more, f"the connection ended before {count} more answers"
        received = received[-len(start) + 1 :] + more
        count -= received.count(start)


def request(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    """A request as bytes; `content-length` is added where there is a body."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1:3000", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
