"""The journal as HAR 1.2, which opens in the network panel of a browser (http://www.softwareishard.com/blog/har-12-spec/).

Times are those of the emulator's clock. What a browser's panel has no place for is in `comment` (the reason) and in
members that begin with `_`, as the format asks.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

from emulator.core.clock import rfc3339
from emulator.core.version import VERSION
from emulator.journal.exchange import Exchange, Message
from emulator.journal.frames import Frame, Frames
from emulator.journal.masking import mask, mask_body, mask_header, mask_target, sent_secrets, without

_OPCODES = {"text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}
"""RFC 6455, 5.2."""


def har(exchanges: Sequence[Exchange], url: str, *, secrets: bool = False) -> dict[str, Any]:
    """The document. `url` is the emulator's, without a slash at its end. Secrets are masked."""
    known = sent_secrets(header for exchange in exchanges for header in exchange.request.headers)
    shown = _Shown(mask=not secrets, known=tuple(known))
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "identity-emulator", "version": VERSION},
            "pages": [],
            "entries": [_entry(exchange, url, shown) for exchange in exchanges],
        }
    }


class _Shown(NamedTuple):
    """How texts are shown: as they are, or without secrets."""

    mask: bool
    known: tuple[str, ...]
    """Keys and tokens that were sent in headers; they may be anywhere."""

    def text(self, text: str) -> str:
        return without(self.known, mask(text)) if self.mask else text

    def body(self, text: str) -> str:
        return without(self.known, mask_body(text)) if self.mask else text

    def target(self, target: str) -> str:
        return without(self.known, mask_target(target)) if self.mask else target

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
        """As `name` and `value`."""
        return [
            {"name": name, "value": without(self.known, mask_header(name, value)) if self.mask else value}
            for name, value in headers
        ]


def _entry(exchange: Exchange, url: str, shown: _Shown) -> dict[str, Any]:
    milliseconds = round(exchange.duration * 1000, 3)
    private = {"operation": exchange.operation, "actor": exchange.actor, "fault": exchange.fault}
    return {
        "startedDateTime": rfc3339(exchange.micros),
        "time": milliseconds,
        "request": _request(exchange, url, shown),
        "response": _response(exchange, shown),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": shown.text(exchange.why),
        "_number": exchange.number,
        **{f"_{name}": value for name, value in private.items() if value},
        **({} if exchange.websocket is None else _websocket(exchange.websocket, shown)),
    }


def _request(exchange: Exchange, url: str, shown: _Shown) -> dict[str, Any]:
    request, target = exchange.request, shown.target(exchange.target)
    query = parse_qsl(target.partition("?")[2], keep_blank_values=True, errors="backslashreplace")
    return {
        "method": exchange.method,
        "url": url + _as_uri(target if target.startswith("/") else f"/{target}"),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": shown.headers(request.headers),
        "queryString": [{"name": name, "value": value} for name, value in query],
        **({"postData": _post_data(request, shown)} if request.size else {}),
        "headersSize": -1,
        "bodySize": request.size,
    }


_NO_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_IN_URI = "%/?:@!$&'()*+,;=-._~"
"""RFC 3986, 3.3 and 3.4, besides letters and digits."""


def _as_uri(target: str) -> str:
    """A target as sent, with escapes for what no URI has."""
    return quote(_NO_ESCAPE.sub("%25", target), safe=_IN_URI, errors="backslashreplace")


def _post_data(request: Message, shown: _Shown) -> dict[str, Any]:
    return {"mimeType": request.header("content-type") or "", "text": shown.body(request.body), **_cut(request)}


def _response(exchange: Exchange, shown: _Shown) -> dict[str, Any]:
    response = exchange.response
    mime = response.header("content-type") or "x-unknown"
    return {
        "status": exchange.status,
        "statusText": _phrase(exchange.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": shown.headers(response.headers),
        "content": {"size": response.size, "mimeType": mime, "text": shown.body(response.body), **_cut(response)},
        "redirectURL": response.header("location") or "",
        "headersSize": -1,
        "bodySize": response.size,
        **({} if exchange.status else {"_error": "no answer was sent"}),
    }


def _phrase(status: int) -> str:
    """Empty for 0, which is what browsers write when no response came, and for what has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _cut(message: Message) -> dict[str, str]:
    kept = len(message.kept)
    return {"comment": f"{message.size} bytes, of which {kept} were kept"} if message.size > kept else {}


def _websocket(frames: Frames, shown: _Shown) -> dict[str, Any]:
    """The members that Chromium writes (front_end/models/har/Log.ts), and how many frames were dropped."""
    messages = [_message(frame, shown) for frame in frames.kept]
    dropped = {"_webSocketMessagesDropped": frames.dropped} if frames.dropped else {}
    return {"_resourceType": "websocket", "_webSocketMessages": messages, **dropped}


def _message(frame: Frame, shown: _Shown) -> dict[str, Any]:
    """`time` is in seconds. Data of a binary message are base64: here of its words, which is what the journal keeps."""
    text = shown.body(frame.text)
    return {
        "type": "send" if frame.by == "client" else "receive",
        "time": frame.micros / 1_000_000,
        "opcode": _OPCODES[frame.kind],
        "data": b64encode(text.encode("utf-8", "backslashreplace")).decode() if frame.kind == "binary" else text,
    }
