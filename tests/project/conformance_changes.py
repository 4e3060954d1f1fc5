"""Cases that were recorded from one release, as another profile says them (docs/fidelity.md, Profiles)."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace

from emulator.conformance.cases import Case

_OTHER = re.compile(rb"untagged enum AlgorithmParameters|ExpiredSignature")
"""What the newer rules judge otherwise. Cases of it were run with the releases' own code, and are in the table."""
_OTHER_ROWS = re.compile(r"\balg (HS256|RS256)|expired (wrong key|foreign)|deep extra")
"""Names of other such rows."""
_ALLOWED = rb"access-control-allow-headers: authorization,accept,content-type"
_MORE_ALLOWED = _ALLOWED + rb",spacetime-environment,spacetime-environment-remove"
TOKEN = re.compile(rb"\b(eyJ[\w-]+)\.([\w-]+)\.([\w-]{86})")
_LENGTH = re.compile(rb"(\r\ncontent-length: )(\d+)\r\n")


def as_2_14(cases: Iterable[Case]) -> Iterator[Case]:
    for case in cases:
        if not (_OTHER.search(case.response) or _OTHER_ROWS.search(case.name)):
            response = case.response.replace(_ALLOWED, _MORE_ALLOWED)
            yield replace(case, response=_without_exp(response, case.request))


def _without_exp(response: bytes, request: bytes) -> bytes:
    """New tokens as the release has them, with the length of the body."""
    head, blank, body = (_new_tokens(part, request) for part in response.partition(b"\r\n\r\n"))
    shorter = len(response.partition(b"\r\n\r\n")[2]) - len(body)
    length = _LENGTH.sub(lambda found: b"%b%d\r\n" % (found[1], int(found[2]) - shorter), head + b"\r\n")[:-2]
    return (length if b"eyJ" in body else head) + blank + body


def _new_tokens(said: bytes, request: bytes) -> bytes:
    return TOKEN.sub(lambda token: without_exp(token, request), said)


def without_exp(token: re.Match[bytes], request: bytes) -> bytes:
    """A new token that never expires has no `exp`, instead of null; the client's own stays."""
    payload = urlsafe_b64decode(token[2] + b"=" * (-len(token[2]) % 4))
    if token[0] in request or json.loads(payload).get("exp", 0) is not None:
        return token[0]
    segment = urlsafe_b64encode(payload.replace(b',"exp":null', b"")).rstrip(b"=")
    return b".".join((token[1], segment, token[3]))


# --- the documentation page -------------------------------------------------------------------------------------------

_MALFORMED = re.compile(
    rb"\AHTTP/1\.1 400 Bad Request\r\n(.*\r\n\r\nAuthorization is invalid: malformed token)\Z", re.DOTALL
)
_BASIC = re.compile(rb"\r\nAuthorization: Basic ", re.IGNORECASE)


def as_documented(cases: Iterable[Case]) -> Iterator[Case]:
    """Bad credentials are 401 on the two routes that want some, databases have addresses."""
    for case in cases:
        # The page has its own set-email and Basic.
        if b"/set-email" in case.request or _BASIC.search(case.request):
            continue
        if _wants_credentials(case) and (malformed := _MALFORMED.match(case.response)):
            yield replace(case, response=b"HTTP/1.1 401 Unauthorized\r\n" + malformed[1], evidence="page")
        elif b"/databases" in case.request and b"\r\ncontent-length: 17\r\n" in case.response:
            yield replace(case, response=_with_addresses(case.response), evidence="page")
        else:
            yield case


def _wants_credentials(case: Case) -> bool:
    return b"/websocket-token" in case.request or b"/verify" in case.request


def _with_addresses(response: bytes) -> bytes:
    shorter = response.replace(b"\r\ncontent-length: 17\r\n", b"\r\ncontent-length: 16\r\n")
    return shorter.replace(b'{"identities":[]}', b'{"addresses":[]}')
