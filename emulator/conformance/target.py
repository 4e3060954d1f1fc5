"""The server that cases are sent to."""

import socket
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl


class Target(NamedTuple):
    host: str
    port: int
    tls: "ssl.SSLContext | None" = None

    def connect(self, patience: float) -> socket.socket:
        """A connection that waits so many seconds for anything. Raises OSError."""
        connection = socket.create_connection((self.host, self.port), timeout=patience)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is None:
            return connection
        try:
            return self.tls.wrap_socket(connection, server_hostname=self.host)
        except BaseException:
            connection.close()
            raise
