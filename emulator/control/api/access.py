"""Access checks of the control routes."""

from hmac import compare_digest
from ipaddress import ip_address

import msgspec

from emulator.control.api.routes import PREFIX
from emulator.core.errors import Refused
from emulator.http.request import Request


class ControlRefused(Refused):
    """`text` is the error, `hint` how to fix it; `headers` are complete header lines."""

    def __init__(self, status: int, text: str, hint: str, headers: bytes = b"") -> None:
        super().__init__(status, text, hint)
        self.hint = hint
        self.headers = headers


def is_loopback(host: str) -> bool:
    """Whether a host name or address refers to this machine only."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


class Guard(msgspec.Struct, frozen=True):
    """The access checks; all must pass.

    Binding to loopback does not exclude web pages: a page can post to 127.0.0.1, and by DNS rebinding it can read the
    responses. So the `Host` must be ours, a foreign `Origin` is refused, and a body must be JSON, which a page of
    another origin can't send without a CORS preflight.
    """

    host: str = "127.0.0.1"
    token: str | None = None

    def check(self, request: Request) -> None:
        """Raises ControlRefused."""
        self._check_origin(request)
        if self.token is None:
            self._check_host(request)
        elif not self._has_token(request, self.token) and (request.method, request.path) != ("GET", f"{PREFIX}/health"):
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

    def _check_host(self, request: Request) -> None:
        host = _without_port(request.header("host") or "")
        if not is_loopback(host) and host != self.host:
            raise ControlRefused(
                403, f"the host {host!r} is not allowed", "use 127.0.0.1, or start the emulator with --control-token"
            )

    def _check_origin(self, request: Request) -> None:
        origin = request.header("origin")
        if origin is not None and origin != f"http://{request.header('host')}":
            raise ControlRefused(
                403, f"the origin {origin!r} is not allowed", "call the control routes from a test, not from a web page"
            )

    def _check_body(self, request: Request) -> None:
        """Before the body is read, also for routes that ignore it."""
        essence = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if request.has_body and essence != "application/json":
            raise ControlRefused(415, "the body must be JSON", "send it with `Content-Type: application/json`")


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
