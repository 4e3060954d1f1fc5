"""The sockets that a server listens on: one for each address, and for TLS the same addresses on another port."""

import errno
import socket
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from emulator.core.errors import Misconfigured

if TYPE_CHECKING:
    from emulator.server.tls import Tls

_ATTEMPTS = 20
"""At a free port that is free at the first address and taken at another."""

_ANY = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104 - compared only
"""The address that stands for all of a family."""
_LOOPBACK = ((socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_INET6, ("::1", 0, 0, 0)))

_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT})
"""The errors for an address that this machine does not have."""


class _Address(NamedTuple):
    family: int
    at: tuple[Any, ...]
    """Of its family's form: the address, any port, and what else an IPv6 address has."""
    host: str
    """As it was given."""
    is_only_one: bool
    """Whether the host has no other address."""


class SecureListener(socket.socket):
    """A listening socket for TLS, which remembers the connections that it accepts.

    asyncio knows none whose handshake is not done, before CPython 3.13 has `Server.abort_clients`. A loop that does not
    accept by `accept` (uvloop, Windows' proactor) ends those after the time for a handshake.
    """

    def __init__(self, bound: socket.socket) -> None:
        super().__init__(fileno=bound.detach())
        self.setblocking(False)  # noqa: FBT003 - the standard library has no keyword here
        self._accepted: WeakSet[socket.socket] = WeakSet()

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        self._accepted.add(connection)
        return connection, address

    def end_connections(self) -> None:
        """Those that are open end at the next iteration of the loop."""
        for connection in list(self._accepted):
            with suppress(OSError):  # it is closed, or the client has reset it
                connection.shutdown(socket.SHUT_RDWR)


class Listening(NamedTuple):
    """Listening sockets, at least one of them plain; those of `secure` speak TLS."""

    plain: tuple[socket.socket, ...]
    secure: tuple[SecureListener, ...] = ()
    tls: "Tls | None" = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Without ports."""
        return tuple(each.getsockname()[0] for each in self.plain)

    @property
    def url(self) -> str:
        """What clients are given: over TLS, if there is TLS."""
        return self.tls_url or self.plain_url

    @property
    def plain_url(self) -> str:
        return _url_of(self.plain[0], "http")

    @property
    def tls_url(self) -> str | None:
        return _url_of(self.secure[0], "https") if self.secure else None

    def close(self) -> None:
        for each in (*self.plain, *self.secure):
            each.close()

    def __enter__(self) -> "Listening":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _url_of(listener: socket.socket, scheme: str) -> str:
    host, port = listener.getsockname()[:2]
    # 0.0.0.0 and :: listen on all addresses, but clients need one; loopback is always among them.
    named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here
    return f"{scheme}://[{named}]:{port}" if ":" in named else f"{scheme}://{named}:{port}"


def hosts_of(given: str | Iterable[str]) -> tuple[str, ...]:
    """One host or several, without brackets. Raises Misconfigured for none."""
    hosts = (given,) if isinstance(given, str) else tuple(given)
    if not hosts:
        raise Misconfigured("there is no host to listen on; give one like 127.0.0.1")
    return tuple(each.removeprefix("[").removesuffix("]") for each in hosts)


def listen(hosts: str | Iterable[str], port: int, tls: "Tls | None" = None, tls_port: int = 0) -> Listening:
    """Sockets for all addresses of these hosts, on one port, and for TLS on another; 0 is one that is free on all.

    Made in the caller's thread, so that an error is raised there. `localhost` and names below it are 127.0.0.1 and ::1,
    as far as this machine has them. Raises Misconfigured.
    """
    wanted = _addresses(hosts_of(hosts), port)
    plain = _bound(wanted, port, "--port")
    if tls is None:
        return Listening(plain)
    try:
        return Listening(plain, tuple(map(SecureListener, _bound(wanted, tls_port, "--tls-port"))), tls)
    except Misconfigured:
        Listening(plain).close()
        raise


def _addresses(hosts: Sequence[str], port: int) -> list[_Address]:
    """Each address once; where all addresses of a family are listened on, no other of it. Raises Misconfigured."""
    found: dict[str, _Address] = {}
    for host in hosts:
        for each in _addresses_of(host, port):
            found.setdefault(each.at[0], each)
    everywhere = {each.family for each in found.values() if each.at[0] in _ANY.values()}
    return [each for each in found.values() if each.family not in everywhere or each.at[0] in _ANY.values()]


def _addresses_of(host: str, port: int) -> list[_Address]:
    """Raises Misconfigured."""
    if host.lower().rpartition(".")[2] == "localhost":  # RFC 6761, 6.3, whatever the resolver says
        return [_Address(family, at, host, is_only_one=False) for family, at in _LOOPBACK]
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)  # noqa: S104 - as the system reads it
    except (OSError, UnicodeError) as error:
        raise Misconfigured(_why_not_bound(host, port, error, "--port")) from error
    return [_Address(family, at, host, is_only_one=len(found) == 1) for family, _, _, _, at in found if family in _ANY]


def _bound(addresses: Sequence[_Address], port: int, option: str) -> tuple[socket.socket, ...]:
    """Raises Misconfigured."""
    for attempt in range(1, _ATTEMPTS + 1):
        bound: list[socket.socket] = []
        missing: Exception | None = None
        for each in addresses:
            try:
                at = bound[0].getsockname()[1] if bound else port
                bound.append(_socket(each, at, alone=len(addresses) == 1))
            except (OSError, OverflowError) as error:
                missing = error
                if each.is_only_one or getattr(error, "errno", None) not in _NOT_HERE:
                    break
        else:
            if bound:
                return tuple(bound)
        Listening(tuple(bound)).close()
        taken = getattr(missing, "errno", None) == errno.EADDRINUSE
        if port or not (bound and taken) or attempt == _ATTEMPTS:
            assert missing is not None, "each address was bound or not"
            raise Misconfigured(_why_not_bound(each.host, port, missing, option)) from missing
    raise AssertionError("the last attempt returns or raises")


def _socket(address: _Address, port: int, *, alone: bool) -> socket.socket:
    listener = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # where it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.family == socket.AF_INET6 and not alone:  # or :: would take the IPv4 addresses too
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address.at[0], port, *address.at[2:]))
        listener.listen(1024)
        listener.setblocking(False)  # noqa: FBT003 - the standard library has no keyword here
    except BaseException:
        listener.close()
        raise
    return listener


def _why_not_bound(host: str, port: int, error: Exception, option: str) -> str:
    hint = f"stop the process that listens there, choose another {option}, or {option} 0 for a free one"
    if isinstance(error, socket.gaierror | UnicodeError) or getattr(error, "errno", None) in _NOT_HERE:
        hint = "--host is a name or an address of this machine, like 127.0.0.1"
    return f"can't listen on {host}:{port}: {getattr(error, 'strerror', None) or error}; {hint}"
