"""A response as a value, and its head as hyper writes it."""

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus

import msgspec

from emulator.faults.delivery import Delivery
from emulator.http.stream import Stream
from emulator.http.upgrade import Upgrade

CORS = (
    b"vary: origin, access-control-request-method, access-control-request-headers\r\naccess-control-allow-origin: *\r\n"
)


PREFLIGHT = (
    b"access-control-allow-origin: *\r\n"
    b"vary: origin, access-control-request-method, access-control-request-headers\r\n"
    b"access-control-allow-methods: *\r\n"
    b"access-control-allow-headers: %b\r\n"
)
"""With a place for the names of the allowed headers."""


TEXT = "text/plain; charset=utf-8"


JSON = "application/json"


class Response(msgspec.Struct, frozen=True):
    """A response. `headers` are complete lines that follow `content-type`; `why` is shown in the journal only.

    With a `delivery` it is broken on the wire; a `status` of 0 means that no response is sent, and `cut` is the number
    of bytes sent of a truncated body. A `chunked` body is sent as one chunk. `emulated` is false for a route that the
    emulator has, but does not answer as the real service does. An `upgrade` comes with the status 101. A `stream` is
    sent in place of `body`.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: bytes = b""
    why: str = ""
    delivery: Delivery | None = None
    cut: int = 0
    chunked: bool = False
    emulated: bool = True
    upgrade: Upgrade | None = None
    stream: Stream | None = None


def json_response(value: object, status: int = 200, why: str = "") -> Response:
    """Compact JSON in raw UTF-8, content type without charset: as serde_json and axum's `Json` write it."""
    return Response(status, msgspec.json.encode(value), JSON, why=why)


_PHRASES = {status.value: status.phrase for status in HTTPStatus} | {
    203: "Non Authoritative Information",
    413: "Payload Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Entity",
}
"""Those that are not Python's, or not those of every Python, are from the crate http 1.3 (src/status.rs)."""


def phrase(status: int) -> str:
    """The reason phrase; empty for a status that has none."""
    return _PHRASES.get(status, "")


_LONGEST_CACHED = 1024
"""Bytes of header lines. Faults can add longer ones, of any text."""


def head_start(minor: int, status: int, content_type: str, headers: bytes) -> bytes:
    """The head up to `content-length`. There are few different ones, so they are cached."""
    made = _head_start if len(headers) + len(content_type) <= _LONGEST_CACHED else _head_start.__wrapped__
    return made(minor, status, content_type, headers)


@lru_cache(maxsize=512)
def _head_start(minor: int, status: int, content_type: str, headers: bytes) -> bytes:
    first = f"HTTP/1.{minor} {status} {phrase(status)}\r\n"
    return first.encode() + head_lines(content_type, headers)


def head_lines(content_type: str, headers: bytes) -> bytes:
    """`content-type`, if any, and the response's own header lines."""
    return (f"content-type: {content_type}\r\n".encode() if content_type else b"") + headers


def has_content_length(method: str, status: int) -> bool:
    """Not in a 204 (RFC 9110, 8.6), but hyper 1.7.0 sends it in the response to HEAD."""
    return status != 204 or method == "HEAD"


def followed_by(response: Response, headers: bytes) -> Response:
    """With header lines after its own."""
    return msgspec.structs.replace(response, headers=response.headers + headers)


def with_headers(response: Response, headers: bytes) -> Response:
    """With header lines before its own."""
    return msgspec.structs.replace(response, headers=headers + response.headers)


def with_given_headers(response: Response, headers: Mapping[str, str]) -> Response:
    """The response with the headers that a test has given it, names in lower case as hyper sends them."""
    lines = {name.lower(): value for name, value in headers.items()}
    content_type = lines.pop("content-type", response.content_type)
    more = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return msgspec.structs.replace(response, content_type=content_type, headers=response.headers + more.encode())
