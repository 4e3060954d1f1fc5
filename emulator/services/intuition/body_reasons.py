"""Why the body of `POST /identity` was refused, for the author of a test: the mistakes that people make."""

import json
import re
from collections.abc import Mapping
from typing import Any

from emulator.core.encodings import compression, wide
from emulator.core.suggestions import nearest
from emulator.services.intuition.body_json import FIELDS
from emulator.services.rust.plain_words import in_plain_words
from emulator.services.rust.serde_json import JsonError

_EXAMPLE = '{"display_name": "JP", "creator": "0x81"}'
_ENCODINGS = {"br": "brotli"}
"""Names in `Content-Encoding` that say little."""
_BEGINNINGS = {
    b"[object Object]": "an object was sent without JSON.stringify",
    b"\xef\xbb\xbf": "the body begins with a byte-order mark",
    b"<": "the body is XML or HTML; the service takes JSON",
    b"--": "the body is a form with parts (multipart); the service takes JSON",
    b"{'": "the body has single quotes, as Python prints a dict; send it with json=, or use json.dumps",
}
_FORM = re.compile(rb"[\w.%+-]+=[^\s{\"]*(?:&[\w.%+-]+=[^\s{\"]*)*")


def why_refused(body: bytes, content_encoding: str | None, error: JsonError) -> str:
    """The reason of a 400."""
    missing = error.message.startswith("missing field")
    return (
        _not_text(body, content_encoding)
        or _not_json(body)
        or _wrong_json(body, missing=missing)
        or in_plain_words(error)
    )


def _not_text(body: bytes, content_encoding: str | None) -> str:
    """What says that these bytes are no JSON in UTF-8."""
    if not body.strip():
        return "the body is empty"
    named = (content_encoding or "").strip().lower()[:40]
    if compressed := (named if named != "identity" else "") or compression(body):
        return f"the body is {_ENCODINGS.get(compressed, compressed)}, which the service does not decompress"
    encoding = wide(body)
    return f"the body is {encoding}; the service takes UTF-8" if encoding else ""


def _not_json(body: bytes) -> str:
    for beginning, why in _BEGINNINGS.items():
        if body.lstrip().startswith(beginning):
            return why
    if _FORM.fullmatch(body):
        return f"the body is a form, not JSON; send {_EXAMPLE}"
    return ""


def _wrong_json(body: bytes, *, missing: bool) -> str:
    """What is wrong with the body, if it begins with JSON, or with its fields, if some are missing."""
    try:
        found, _ = json.JSONDecoder().raw_decode(body.decode().lstrip(" \t\r\n"))
    except (ValueError, RecursionError):
        return ""
    if isinstance(found, list):
        return f"the body is a list of {len(found)}; the service takes one object, like {_EXAMPLE}"
    if isinstance(found, str) and found.lstrip()[:1] in {"{", "["}:
        return "the body is JSON inside a JSON string: it was encoded twice"
    if not isinstance(found, dict):
        return f"the body is {json.dumps(found)[:60]}; the service takes an object, like {_EXAMPLE}"
    return "; ".join(_missing(found)) if missing else ""


def _missing(found: Mapping[str, Any]) -> list[str]:
    """For each field that is missing, the one that was probably meant to be it."""
    others = {_plain(name): name for name in found if name not in FIELDS}
    texts = []
    for name in (name for name, field in FIELDS.items() if field.required and name not in found):
        sent = others.get(_plain(name)) or others.get(nearest(_plain(name), others) or "")
        meant = f"you sent `{sent[:60]}`; the field is `{name}`" if sent else f"`{name}` is missing"
        texts.append(meant)
    return texts


def _plain(name: str) -> str:
    """A name without the marks of a spelling: `displayName` and `display-name` are one."""
    return "".join(filter(str.isalnum, name)).lower()
