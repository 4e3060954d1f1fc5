"""Access checks of the control routes."""

import re
from collections.abc import Iterable
from hmac import compare_digest
from ipaddress import ip_address

import msgspec

from emulator.control.api.routes import PAGE, PAGE_FILES, PREFIX
from emulator.control.control_token import control_token
from emulator.core.errors import Misconfigured, Refused
from emulator.http.request import Request


class ControlRefused(Refused):
    """`text` is the error, `hint` how to fix it; `headers` are complete header lines."""

    def __init__(self, status: int, text: str, hint: str, headers: bytes = b"") -> None:
        super().__init__(status, text, hint)
        self.hint = hint
        self.headers = headers


_OPEN_TO_ALL = re.compile(rf"{PREFIX}/issuers/[0-9]+/\.well-known/(openid-configuration|jwks\.json)")
"""Documents of foreign issuers: public keys, which apps and pages of any origin need to verify tokens."""
_WITHOUT_TOKEN = frozenset({f"{PREFIX}/health", *PAGE_FILES})
"""What GET and HEAD answer although a token is demanded: the page asks for it, and sends it with everything else."""
_READING = frozenset({"GET", "HEAD"})
_LABEL = re.compile(r"[a-z0-9-]{1,63}")


def is_loopback(host: str) -> bool:
    """Whether a host name or address refers to this machine only; an IPv6 address may stand in brackets."""
    name = host.removeprefix("[").removesuffix("]").lower()
    *labels, last = name.split(".")
    if last == "localhost":
        return all(map(_LABEL.fullmatch, labels))
    try:
        address = ip_address(name if "%" not in name else "")
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


class Guard(msgspec.Struct, frozen=True):
    """The access checks; all must pass. `hosts` are bound, `token` is the control token.

    Binding to loopback does not exclude web pages: a page can post to 127.0.0.1, and by DNS rebinding it can read the
    responses. So the `Host` must be ours, a foreign `Origin` and other marks of a foreign page are refused, and a body
    must be JSON, which a page of another origin can't send without a CORS preflight.
    """

    hosts: tuple[str, ...] = ("127.0.0.1",)
    token: str | None = None

    @classmethod
    def of(cls, hosts: Iterable[str], token: str | None) -> "Guard":
        """Raises Misconfigured for a host that is open to other machines without a token, and for an invalid token."""
        hosts, token = tuple(hosts), None if token is None else control_token(token)
        if token is None and (beyond := [host for host in hosts if not is_loopback(host)]):
            raise Misconfigured(
                f"the host {beyond[0]} is open to other machines: give a control token too (--control-token, "
                "control_token=), or use 127.0.0.1"
            )
        return cls(hosts, token)

    def check(self, request: Request) -> None:
        """Raises ControlRefused."""
        if request.method in _READING and _OPEN_TO_ALL.fullmatch(request.path):
            return
        self._check_origin(request)
        if self.token is None:
            self._check_sender(request)
        elif not self._has_token(request, self.token) and not _needs_no_token(request):
            raise ControlRefused(
                401,
                "the control token is missing or wrong",
                "send it as `Authorization: Bearer …` or `X-Emulator-Token`",
            )
        self._check_body(request)

    def _has_token(self, request: Request, token: str) -> bool:
        scheme, _, bearer = (request.header("authorization") or "").partition(" ")
        sent = request.header("x-emulator-token") or (bearer.strip() if scheme.lower() == "bearer" else "")
        return compare_digest(sent.encode("utf-8", "surrogateescape"), token.encode())

    def _check_sender(self, request: Request) -> None:
        host = without_port(request.header("host") or "")
        if not is_loopback(host) and host not in self.hosts:
            raise ControlRefused(
                403,
                f"the host {host[:100]!r} is not allowed",
                "use 127.0.0.1, or start the emulator with --control-token",
            )
        if not is_loopback(request.remote):
            raise ControlRefused(
                403,
                f"requests from {request.remote or 'an unknown address'} are not allowed",
                "send them from the same machine, or start the emulator with --control-token",
            )

    def _check_origin(self, request: Request) -> None:
        hosts, origins = request.header_values("host"), request.header_values("origin")
        if len(hosts) != 1 or len(origins) > 1:
            raise ControlRefused(
                403, f"{len(hosts)} `Host` and {len(origins)} `Origin` headers", "send one `Host`, and no `Origin`"
            )
        foreign = [origin for origin in origins if origin != request.origin]
        if foreign:
            raise ControlRefused(
                403,
                f"the origin {foreign[0][:100]!r} is not allowed",
                "call the control routes from a test, not from a web page",
            )
        if "cross-site" in request.header_values("sec-fetch-site") and not _opens_the_page(request):
            raise ControlRefused(
                403, "a page of another site sent this request", "call the control routes from a test, or open the page"
            )

    def _check_body(self, request: Request) -> None:
        """Before the body is read, also for routes that ignore it."""
        essence = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if request.has_body and essence != "application/json":
            raise ControlRefused(415, "the body must be JSON", "send it with `Content-Type: application/json`")


def _needs_no_token(request: Request) -> bool:
    return request.method in _READING and request.path in _WITHOUT_TOKEN


def _opens_the_page(request: Request) -> bool:
    """Whether a link on another site was followed to the emulator's page, which only shows it."""
    opened = (request.header("sec-fetch-mode"), request.header("sec-fetch-dest")) == ("navigate", "document")
    return opened and request.method == "GET" and request.path in {PREFIX, PAGE}


_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::[0-9]{0,5})?")


def without_port(host: str) -> str:
    """The host of a `Host` header (RFC 9110, 7.2); empty for what is none."""
    found = _HOST_AND_PORT.fullmatch(host)
    return found[1] if found and ("[" in found[1]) == (":" in found[1]) else ""
