"""The journal as HAR 1.2, which opens in the network panel of a browser (http://www.softwareishard.com/blog/har-12-spec/).

Times are those of the emulator's clock. What a browser's panel has no place for is in `comment` (the reason) and in
members that begin with `_`, as the format asks.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

from emulator.core.clock import rfc3339
from emulator.core.version import VERSION
from emulator.journal.exchange import Exchange, Message
from emulator.journal.frames import Frame, Frames
from emulator.journal.shown import Shown

_OPCODES = {"text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}
"""RFC 6455, 5.2."""


def har(exchanges: Sequence[Exchange], url: str, *, secrets: bool = False) -> dict[str, Any]:
    """The document. `url` is the emulator's, without a slash at its end. Secrets are masked."""
    shown = Shown.of(exchanges, secrets=secrets)
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "identity-emulator", "version": VERSION},
            "pages": [],
            "entries": [_entry(exchange, url, shown) for exchange in exchanges],
        }
    }


def _entry(exchange: Exchange, url: str, shown: Shown) -> dict[str, Any]:
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


def _request(exchange: Exchange, url: str, shown: Shown) -> dict[str, Any]:
    request, target = exchange.request, shown.target(exchange.target)
    query = parse_qsl(target.partition("?")[2], keep_blank_values=True, errors="backslashreplace")
    return {
        "method": exchange.method,
        "url": url + _as_uri(target if target.startswith("/") else f"/{target}"),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(request, shown),
        "queryString": [{"name": name, "value": value} for name, value in query],
        **({"postData": _post_data(request, shown)} if request.size else {}),
        "headersSize": -1,
        "bodySize": request.size,
    }


def _headers(message: Message, shown: Shown) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in shown.headers(message.headers)]


_NO_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_IN_URI = "%/?:@!$&'()*+,;=-._~"
"""RFC 3986, 3.3 and 3.4, besides letters and digits."""


def _as_uri(target: str) -> str:
    """A target as sent, with escapes for what no URI has."""
    return quote(_NO_ESCAPE.sub("%25", target), safe=_IN_URI, errors="backslashreplace")


def _post_data(request: Message, shown: Shown) -> dict[str, Any]:
    return {"mimeType": request.header("content-type") or "", "text": shown.content(request), **_cut(request)}


def _response(exchange: Exchange, shown: Shown) -> dict[str, Any]:
    response = exchange.response
    mime = response.header("content-type") or "x-unknown"
    return {
        "status": exchange.status,
        "statusText": _phrase(exchange.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(response, shown),
        "content": {"size": response.size, "mimeType": mime, "text": shown.content(response), **_cut(response)},
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


def _websocket(frames: Frames, shown: Shown) -> dict[str, Any]:
    """The members that Chromium writes (front_end/models/har/Log.ts), and how many frames were dropped."""
    messages = [_message(frame, shown) for frame in frames.kept]
    dropped = {"_webSocketMessagesDropped": frames.dropped} if frames.dropped else {}
    return {"_resourceType": "websocket", "_webSocketMessages": messages, **dropped}


def _message(frame: Frame, shown: Shown) -> dict[str, Any]:
    """`time` is in seconds. Data of a binary message are base64: here of its words, which is what the journal keeps."""
    text = shown.body(frame.text)
    return {
        "type": "send" if frame.by == "client" else "receive",
        "time": frame.micros / 1_000_000,
        "opcode": _OPCODES[frame.kind],
        "data": b64encode(text.encode("utf-8", "backslashreplace")).decode() if frame.kind == "binary" else text,
    }
