"""An answer as a value, and the head that hyper writes for it."""

from functools import lru_cache
from http import HTTPStatus

import msgspec

from emulator.faults.delivery import Delivery

CORS = (
    b"vary: origin, access-control-request-method, access-control-request-headers\r\naccess-control-allow-origin: *\r\n"
)


PREFLIGHT = (
    b"access-control-allow-origin: *\r\n"
    b"vary: origin, access-control-request-method, access-control-request-headers\r\n"
    b"access-control-allow-methods: *\r\n"
    b"access-control-allow-headers: authorization,accept,content-type\r\n"
)


TEXT = "text/plain; charset=utf-8"


JSON = "application/json"


class Response(msgspec.Struct, frozen=True):
    """What goes back. `headers` are whole lines that stand behind `content-type`; `why` goes to the journal only.

    With a `delivery` it does not arrive whole; a `status` of 0 is no answer at all, and `cut` is how many bytes of a
    truncated body are sent.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: bytes = b""
    why: str = ""
    delivery: Delivery | None = None
    cut: int = 0


def json_response(value: object, status: int = 200, why: str = "") -> Response:
    """Compact, raw UTF-8, a bare content type: as serde_json and axum write it."""
    return Response(status, msgspec.json.encode(value), JSON, why=why)


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@lru_cache(maxsize=512)
def head_start(minor: int, status: int, content_type: str, headers: bytes, connection: str) -> bytes:
    """A head up to where `content-length` comes. Few differ, so each is made once."""
    first = f"HTTP/1.{minor} {status} {_PHRASES.get(status, '')}\r\n"
    end = f"connection: {connection}\r\n" if connection else ""
    return first.encode() + head_lines(content_type, headers) + end.encode()


@lru_cache(maxsize=512)
def head_lines(content_type: str, headers: bytes) -> bytes:
    """The header lines that are the answer's own."""
    return (f"content-type: {content_type}\r\n".encode() if content_type else b"") + headers


def has_content_length(method: str, status: int) -> bool:
    """hyper leaves it out of a 204, unless HEAD asked."""
    return status != 204 or method == "HEAD"


def with_headers(response: Response, headers: bytes) -> Response:
    return Response(
        response.status,
        response.body,
        response.content_type,
        headers + response.headers,
        response.why,
        response.delivery,
        response.cut,
    )
