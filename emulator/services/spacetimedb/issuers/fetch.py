"""The two GETs with which the server fetches an issuer's keys. What sends them is handed in by the server layer.

`KeyFetcher` in crates/core/src/auth/token_validation.rs, on reqwest 0.11 and 0.12 (docs/fidelity.md, Issuers).
"""

from urllib.parse import urljoin, urlsplit, urlunsplit

from emulator.http.outgoing import Connect, FetchFailed, Hosts, Outgoing
from emulator.services.rust import serde
from emulator.services.rust.serde_json import JsonError
from emulator.services.spacetimedb.issuers.providers import document_of
from emulator.services.spacetimedb.releases import Release

TIMEOUT = 10.0
"""Seconds until an issuer is given up; the real server has no limit."""
MOST_REDIRECTS = 10

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


_DISCOVERY = serde.struct("OidcConfig", {"jwks_uri": serde.Field(serde.string, required=True)})


async def fetch_key_set(issuer: str, connect: Connect, hosts: Hosts, rules: Release) -> bytes:
    """The document of an issuer's key set. Raises FetchFailed.

    Status, content type and the member `issuer` are not looked at.
    """
    _, connections = rules.issuer_requests
    url = document_of(issuer)
    async with connect(hosts) as first:
        discovery = await _got(first, url, hosts, rules)
        jwks_uri = _jwks_uri(discovery, rules)
        if connections == "one connection":
            return await _got(first, jwks_uri, hosts, rules)
    async with connect(hosts) as second:
        return await _got(second, jwks_uri, hosts, rules)


def _jwks_uri(discovery: bytes, rules: Release) -> str:
    try:
        found = serde.parse(discovery, _DISCOVERY, arbitrary_precision=rules.numbers == "as text")
    except JsonError as error:
        raise FetchFailed(f"the discovery document can't be read: {error}") from None
    except RecursionError:
        raise FetchFailed("the discovery document is nested too deeply") from None
    return str(found["jwks_uri"])


async def _got(connection: Outgoing, url: str, hosts: Hosts, rules: Release) -> bytes:
    """The body of a URL, after up to ten redirects. As in reqwest, one without `location` is an answer."""
    headers = {"accept": "*/*"}
    if encodings := rules.issuer_requests[0]:
        headers["accept-encoding"] = encodings
    for _ in range(MOST_REDIRECTS + 1):
        _check(url, hosts)
        got = await connection.get(url, headers)
        if got.status not in _REDIRECTS or got.location is None:
            return got.body
        target = _target(url, got.location)
        headers |= {"referer": _without_secrets(url)} if target.startswith("https") or url.startswith("http:") else {}
        url = target
    raise FetchFailed(f"{url[:200]} is the end of more than {MOST_REDIRECTS} redirects")


def _target(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise FetchFailed(f"{url[:200]} redirects to {location[:200]!r}, which is no URL") from None


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def _check(url: str, hosts: Hosts) -> None:
    """Raises FetchFailed for what is no absolute URL of HTTP, and for an address that must not be asked."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        raise FetchFailed(f"{url[:200]!r} is no absolute URL of HTTP")
    if not hosts.allow(host):
        raise FetchFailed(f"{host} is not on this machine, and --fetch-issuers does not list it")
