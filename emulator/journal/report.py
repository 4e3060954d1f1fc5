"""Exchanges as text, for the report of a failed test."""

import json
import re
import shlex
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from emulator.core.clock import rfc3339
from emulator.journal.exchange import Exchange
from emulator.journal.masking import MASK, is_secret, mask

SHOWN = 20
"""The most exchanges in a report: the last ones."""
LONGEST = 500
"""The most characters of a reason, a body or a token's claims."""

_SHORTEST_SECRET = 12
_QUERY_TOKEN = re.compile(r"(?<=[?&]token=)[^&]*")
# Headers that curl sends itself, or that would be wrong in a second request.
_CURLS_OWN = frozenset({"host", "content-length", "connection", "accept-encoding", "user-agent", "transfer-encoding"})


def report(exchanges: Sequence[Exchange], url: str, *, secrets: bool = False) -> str:
    """The exchanges, each with its reason, its token's claims, and a `curl` that repeats it. Secrets are masked."""
    if not exchanges:
        return f"{url}: nothing was requested"
    shown = exchanges[-SHOWN:]
    earlier = [f"… {len(exchanges) - SHOWN} earlier"] if len(exchanges) > SHOWN else []
    text = "\n".join([url, *earlier, *(_described(exchange, url, secrets=secrets) for exchange in shown)])
    return text if secrets else _without(_sent_secrets(exchanges), text)


def short(exchanges: Sequence[Exchange]) -> str:
    """The last five error responses in one line, or the number of exchanges when there is none."""
    errors = [f"{exchange.summary}: {mask(exchange.why)}" for exchange in exchanges if exchange.why]
    text = "; ".join(errors[-5:]) or f"{len(exchanges)} exchanges without errors"
    return _without(_sent_secrets(exchanges), text)


def curl(exchange: Exchange, url: str, *, secrets: bool = False) -> str:
    """A shell command that sends the request again."""
    target = exchange.target if secrets else mask(exchange.target)
    words = ["curl", "-i", *_method(exchange), *_odd_path(target), shlex.quote(url + target)]
    for name, value in exchange.request.headers:
        if name.lower() not in _CURLS_OWN and (name.lower(), value) != ("accept", "*/*"):
            words += ["-H", shlex.quote(f"{name}: {value if secrets else _masked_header(name, value)}")]
    return " ".join([*words, *_body(exchange, secrets=secrets)])


def claims(exchange: Exchange) -> dict[str, Any] | None:
    """The claims of a request's token, valid or not; None when there is no readable token."""
    token = _token(exchange)
    try:
        payload = (token or "").split(".")[1]
        found = json.loads(b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True))
    except (IndexError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _sent_secrets(exchanges: Sequence[Exchange]) -> set[str]:
    """API keys and tokens that were sent in headers; they may appear again in a path or a body."""
    values = {value for each in exchanges for name, value in each.request.headers if is_secret(name)}
    return {word for value in values for word in value.split() if len(word) >= _SHORTEST_SECRET}


def _without(secrets: set[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _printable(text: str) -> str:
    """One line, control characters escaped, long texts cut."""
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text[:LONGEST])
    return f"{shown}…" if len(text) > LONGEST else shown


def _described(exchange: Exchange, url: str, *, secrets: bool) -> str:
    lines = [f"{exchange.summary}  ({exchange.duration * 1000:.1f} ms)"]
    if exchange.why:
        lines.append(f"why: {_printable(exchange.why if secrets else mask(exchange.why))}")
    if exchange.outlived:
        lines.append("the world was reset during this request")
    if exchange.response.body and exchange.status >= 400:
        body = exchange.response.body
        lines.append(f"body: {_printable(body if secrets else mask(body))}")
    if (found := claims(exchange)) is not None:
        lines.append(f"token: {_printable(_claims_in_words(found, exchange.micros // 1_000_000))}")
    lines.append(curl(exchange, url, secrets=secrets))
    return "\n    ".join(lines)


def _claims_in_words(found: dict[str, Any], now: int) -> str:
    words = [f"{name}={found[name]}" for name in ("sub", "iss", "hex_identity") if name in found]
    return " ".join([*words, _time_left(found.get("exp"), now)])


def _time_left(expires_at: object, now: int) -> str:
    if expires_at is None:
        return "(never expires)"
    if type(expires_at) is not int or not 0 <= expires_at < 253_370_764_800:  # the year 9999
        return f"exp={expires_at}"
    left = expires_at - now
    return f"exp={rfc3339(expires_at * 1_000_000)} ({f'{left} s left' if left >= 0 else f'expired {-left} s ago'})"


def _token(exchange: Exchange) -> str | None:
    header = exchange.request.header("authorization")
    if header is None:
        match = _QUERY_TOKEN.search(exchange.target)
        return match.group() if match else None
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return rest.strip()
    try:
        return b64decode(rest).decode().partition(":")[2]
    except ValueError:
        return None


def _method(exchange: Exchange) -> list[str]:
    if exchange.method == "HEAD":
        return ["--head"]
    return [] if exchange.method == "GET" else ["-X", exchange.method]


def _odd_path(target: str) -> list[str]:
    """By default curl expands brackets as patterns and removes `/./` and `/../`."""
    return (["--globoff"] if set(target) & set("[]{}") else []) + (["--path-as-is"] if "/." in target else [])


def _masked_header(name: str, value: str) -> str:
    if not is_secret(name):
        return mask(value)
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {MASK}" if space and scheme.lower() in {"bearer", "basic"} else MASK


def _body(exchange: Exchange, *, secrets: bool) -> list[str]:
    request = exchange.request
    if not request.size:
        return []
    if request.size > len(request.kept):
        return [f"--data-binary @-  # the body had {request.size} bytes, of which {len(request.kept)} were kept"]
    text = request.body if secrets else mask(request.body)
    return ["--data-binary", shlex.quote(text)]
