"""What a target says of itself, before anything else is sent."""

import json
import re
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import quote

from emulator.conformance.cases import Case, Step
from emulator.conformance.compare import Response, shown
from emulator.conformance.replay import MORE_PATIENCE, send
from emulator.conformance.target import Target, Unusable

NOT_TOLD = "not told"
_LONGEST_VERSION = 80


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
        raise Unusable(
            f"{target.authority} answers GET /v1/identity/public-key with {_said(response)}, "
            "not with a key and its date: give the address of a server with SpacetimeDB's /v1/identity"
        )
    return Identified(now, response.body)


def identify_intuition(target: Target) -> Identified:
    """Raises Unusable for what is no server with Intuition's `/identities`, which asks in JSON for a key."""
    response = get(target, "/identities")
    if not _is_object(response.body):
        raise Unusable(
            f"{target.authority} answers GET /identities with {_said(response)}, and no JSON object: "
            "give the address of a server with Intuition's /identity and /identities"
        )
    return Identified(seconds(response) or 0, b"")


def look_for_database(target: Target, name: str) -> None:
    """Raises Unusable if the target has none of that name or identity."""
    if b" 404 " in get(target, f"/v1/database/{quote(name, safe='')}").status + b" ":
        raise Unusable(f"{target.authority} has no database {name!r}: give the name of one that it has (--database)")


def _said(response: Response) -> str:
    return repr(response.status[:80].decode("latin-1"))


def _is_object(body: bytes) -> bool:
    with suppress(ValueError, RecursionError):
        return isinstance(json.loads(body), dict)
    return False


def version_of(target: Target) -> str:
    """As its `/v1/health` says it; `not told` if it doesn't."""
    with suppress(ValueError, TypeError, KeyError, RecursionError, Unusable):
        return shown(str(json.loads(get(target, "/v1/health").body)["version"]).encode())[:_LONGEST_VERSION]
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
