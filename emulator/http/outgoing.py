"""Requests that the emulator sends itself, as values and Protocols; the server layer sends them."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from ipaddress import ip_address
from typing import NamedTuple, Protocol

LOOPBACK = "loopback"
"""Stands for `localhost` and every loopback address in a list of hosts."""

LARGEST_ANSWER = 2**20
"""Bytes of a body."""


class FetchFailed(Exception):
    """That something could not be fetched; the message says why."""


class Got(NamedTuple):
    """A response: `location` is None without that header."""

    status: int
    location: str | None
    body: bytes


class Hosts(NamedTuple):
    """The hosts that may be asked, in lower case, `loopback` among them or not."""

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, listed: Iterable[str]) -> "Hosts":
        """Of names such as `loopback` and `auth.example.com`."""
        return cls(frozenset(each.lower() for each in listed))

    def allow(self, host: str) -> bool:
        """Whether a host may be asked. No name is looked up for it: of the names, `localhost` alone is loopback."""
        return self.are_named(host) or (LOOPBACK in self.names and is_loopback(host))

    def are_named(self, host: str) -> bool:
        """Whether this host may be asked at any address."""
        return host.lower() in self.names

    def with_loopback(self) -> "Hosts":
        return Hosts(self.names | {LOOPBACK})


def is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Outgoing(Protocol):
    """What sends requests, one after the other on one connection to a host."""

    async def get(self, url: str, headers: Mapping[str, str]) -> Got:
        """Send one GET with these headers besides `host`, and follow no redirect. Raises FetchFailed."""


Connect = Callable[[Hosts], AbstractAsyncContextManager[Outgoing]]
"""Opens what sends requests to these hosts, and to no other."""
