"""What a target says of itself, before anything else is sent."""

import json
import re
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from emulator.conformance.cases import Case, Step
from emulator.conformance.compare import Response
from emulator.conformance.replay import MORE_PATIENCE, send
from emulator.conformance.target import Target, Unusable

NOT_TOLD = "not told"


class Identified(NamedTuple):
    now: int
    """Its time, in seconds."""
    public_key: bytes
    """The PEM that it serves."""


def identify(target: Target) -> Identified:
    """Raises Unusable for what is no server with `/v1/identity`."""
    response = get(target, "/v1/identity/public-key")
    now = seconds(response)
    if b" 200 " not in response.status or b"-----BEGIN" not in response.body or now is None:
        said = response.status[:80].decode("latin-1")
        raise Unusable(
            f"{target.authority} answers GET /v1/identity/public-key with {said!r}, not with a key and its date: "
            "give the address of a server with SpacetimeDB's /v1/identity"
        )
    return Identified(now, response.body)


def version_of(target: Target) -> str:
    """As its `/v1/health` says it; `not told` if it doesn't."""
    with suppress(ValueError, TypeError, KeyError, Unusable):
        return str(json.loads(get(target, "/v1/health").body)["version"])
    return NOT_TOLD


def date_of(target: Target) -> str:
    """By its own clock. Raises Unusable if it doesn't answer any more."""
    return (get(target, "/v1/ping").header(b"date") or NOT_TOLD.encode()).decode("latin-1")


def is_emulator(target: Target) -> bool:
    """Whether it has the control routes of this package's emulator."""
    with suppress(Unusable):
        response = get(target, "/_emulator/health")
        return b" 404 " not in response.status and response.header(b"content-type") == b"application/json"
    return False


def get(target: Target, path: str) -> Response:
    """Raises Unusable if there is no response."""
    request = f"GET {path} HTTP/1.1\r\nHost: {target.authority}\r\nConnection: close\r\n\r\n"
    case = Case(path, (Step("send", request.encode()),), b"HTTP/1.1 200 \r\n\r\n", closed=None)
    try:
        responses = send(target, case, patience=MORE_PATIENCE).responses
    except OSError as error:
        raise Unusable(unreachable(target, error)) from None
    if not responses or not responses[0].startswith(b"HTTP/"):
        raise Unusable(f"{target.authority} accepts connections, but gives no HTTP response within {MORE_PATIENCE:g} s")
    return Response.of(responses[0])


def unreachable(target: Target, error: OSError) -> str:
    trusted = ", speaks TLS, and has a certificate of a known CA (--ca-file)" if target.tls else ""
    return f"{target.authority} can't be reached: {error.strerror or error}; see that it is up{trusted}"


def seconds(response: Response) -> int | None:
    """The time of a response; None if it has no date, or a wrong one."""
    date = response.header(b"date")
    if date is None or not re.fullmatch(rb"[\w,: ]+", date):
        return None
    with suppress(ValueError, TypeError, OverflowError):
        return int(parsedate_to_datetime(date.decode()).timestamp())
    return None
