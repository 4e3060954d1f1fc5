"""Servers that say what they are told to."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emulator.conformance.target import Target

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Serve = Callable[[socket.socket], None]


@contextmanager
def serving(serve: Serve) -> Iterator[Target]:
    """A server that handles each connection with `serve`, and then ends it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield Target(*listening.getsockname())
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def saying(answer: bytes, *, until_the_client_ends: bool = False) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)
        while until_the_client_ends and connection.recv(65536):
            pass

    return serve


def always(connection: socket.socket) -> None:
    while request := connection.recv(65536):
        connection.sendall(OK)
        if b"Connection: close" in request:
            return


KEY = b"-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"
DATE = b"Thu, 26 Nov 2026 20:11:49 GMT"


def http(body: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\ncontent-length: %d\r\ndate: %b\r\n\r\n%b" % (status, len(body), DATE, body)


def with_a_key(serve: Serve, pem: bytes = KEY) -> Serve:
    """A server that says its public key, and answers the rest with `serve`."""

    def serve_all(connection: socket.socket) -> None:
        if b"GET /v1/identity/public-key " in connection.recv(65536, socket.MSG_PEEK):
            saying(http(pem))(connection)
        else:
            serve(connection)

    return serve_all
