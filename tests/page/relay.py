"""A relay between the browser and an emulator, whose connections a test breaks."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK = 65536


class Relay:
    """On a port of its own, while the block lasts."""

    def __init__(self, port: int) -> None:
        self.port = port
        """Of the emulator to which new connections go."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._is_broken = False
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "Relay":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._end_all()

    @contextmanager
    def broken(self) -> Iterator[None]:
        """All connections end, and new ones end at once."""
        self._is_broken = True
        self._end_all()
        try:
            yield
        finally:
            self._is_broken = False

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                if self._is_broken:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.port))
                with self._lock:
                    self._open += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                sink.sendall(data)
        self._end([source, sink])

    def _end_all(self) -> None:
        with self._lock:
            ended, self._open = self._open, []
        self._end(ended)

    def _end(self, sockets: list[socket.socket]) -> None:
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
