"""A minimal client of WebSockets: it sends and receives raw frames."""

import socket
import ssl
from typing import NamedTuple

from tests.raw import _DATE, connect

TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A


class Frame(NamedTuple):
    first: int
    """Its first byte: FIN and the opcode."""
    payload: bytes


def masked(first: int, payload: bytes = b"", key: bytes = b"\1\2\3\4") -> bytes:
    """A frame of a client."""
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 2**16:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2)
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8)
    return head + key + bytes(byte ^ key[place % 4] for place, byte in enumerate(payload))


class Peer:
    """The client's end of a connection."""

    def __init__(self, url: str, handshake: bytes, context: ssl.SSLContext | None = None) -> None:
        self.socket = connect(url)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.socket.sendall(handshake)
        self._stream = self.socket.makefile("rb")
        try:
            self.head = _DATE.sub(b"\r\ndate: <date>\r\n", self._read_head())
        except (AssertionError, OSError):
            self.__exit__()
            raise

    def _read_head(self) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self._stream.readline()
            assert line, f"the connection ended in the head: {head!r}"
            head += line
        return head

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self.socket.close()

    def send(self, first: int, payload: bytes | str = b"") -> None:
        self.socket.sendall(masked(first, payload.encode() if isinstance(payload, str) else payload))

    def frame(self) -> Frame | None:
        """The next frame; None at the end of the connection."""
        head = self._stream.read(2)
        if len(head) < 2:
            return None
        size = head[1]
        assert size < 127, "the server masks, or sends more than 65,535 bytes in a frame"
        if size == 126:
            size = int.from_bytes(self._stream.read(2))
        return Frame(head[0], self._stream.read(size))

    def frames(self, count: int) -> list[Frame | None]:
        return [self.frame() for _ in range(count)]

    def ends(self) -> bool:
        """Whether the connection ends next, without a frame."""
        try:
            return self.frame() is None
        except ConnectionError:
            return True

    def is_silent(self, seconds: float) -> bool:
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b"never"
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(None)
