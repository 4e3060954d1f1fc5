"""Sends the requests for the keys of foreign issuers, with aiohttp's client."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.compression_utils import HAS_BROTLI

from emulator.http.outgoing import LARGEST_ANSWER, FetchFailed, Got, Hosts, is_loopback

_MOST = 20
"""Connections that one request for keys may have open; it needs one."""


@asynccontextmanager
async def connected(hosts: Hosts) -> AsyncIterator["_Client"]:
    """A client with its own connection. It uses no proxy and no cookies, whatever the environment says."""
    connector = aiohttp.TCPConnector(resolver=_Resolver(hosts), use_dns_cache=False, limit=_MOST)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept-Encoding", "Accept"),
        timeout=aiohttp.ClientTimeout(total=None),
    ) as session:
        yield _Client(session)


class _Client:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, url: str, headers: Mapping[str, str]) -> Got:
        try:
            async with self._session.get(url, headers=_decodable(headers), allow_redirects=False) as response:
                return Got(response.status, response.headers.get("location"), await _body(response))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchFailed(f"{url[:200]}: {error or type(error).__name__}") from None


def _decodable(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Without `br` where it can't be decoded: that needs the extra `brotli`."""
    if HAS_BROTLI or "accept-encoding" not in headers:
        return headers
    return {**headers, "accept-encoding": headers["accept-encoding"].removesuffix(", br")}


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise FetchFailed(f"{str(response.url)[:200]} answers with more than {LARGEST_ANSWER} bytes")
    return bytes(body)


class _Resolver(AbstractResolver):
    """Looks names up, and leaves out addresses beyond this machine unless the name is listed."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await aiohttp.ThreadedResolver().resolve(host, port, family)
        if self._hosts.are_named(host):
            return found
        local = [each for each in found if is_loopback(each["host"])]
        if not local:
            raise OSError(f"{host} has no loopback address")
        return local

    async def close(self) -> None:
        """Nothing is open."""
