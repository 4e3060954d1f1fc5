"""The server that cases are sent to."""

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

PORTS = {"http": 80, "https": 443}


class Unusable(Exception):
    """Why a target can't be held against anything, and what to do about it, for whoever named it."""


class Target(NamedTuple):
    host: str
    port: int
    tls: "ssl.SSLContext | None" = None

    @classmethod
    def of(cls, url: str, ca_file: str | None = None) -> "Target":
        """The server at `http://host:port` or `https://host:port`. Raises Unusable."""
        with suppress(ValueError):
            parts = urlsplit(url.strip())
            beside = parts.path.strip("/"), parts.query, parts.fragment, parts.username
            if parts.scheme in PORTS and parts.hostname and not any(beside):
                tls = _tls(ca_file) if parts.scheme == "https" else None
                return cls(parts.hostname, parts.port or PORTS[parts.scheme], tls)
        raise Unusable(f"{url!r} is no address of a server; write it like http://127.0.0.1:3000, without a path")

    @property
    def authority(self) -> str:
        """As it is written in `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"

    def connect(self, patience: float) -> socket.socket:
        """A connection that waits so many seconds for anything. Raises OSError."""
        try:
            connection = socket.create_connection((self.host, self.port), timeout=patience)
        except UnicodeError:
            raise OSError("that is no name of a host") from None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is None:
            return connection
        try:
            return self.tls.wrap_socket(connection, server_hostname=self.host)
        except BaseException:
            connection.close()
            raise


def _tls(ca_file: str | None) -> "ssl.SSLContext":
    """Raises Unusable."""
    import ssl

    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise Unusable(f"no certificate of a CA can be read from {ca_file}: {error.strerror or error}") from None
