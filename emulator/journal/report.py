"""Exchanges as text, for the report of a failed test."""

import json
import re
import shlex
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import Any

from emulator.core.clock import rfc3339
from emulator.journal.exchange import Exchange
from emulator.journal.frames import brief
from emulator.journal.masking import (
    LONGEST,
    mask_body,
    mask_header,
    mask_target,
    printable,
    readable,
    sent_secrets,
    without,
)

SHOWN = 20
"""The most exchanges in a report: the last ones."""

_QUERY_TOKEN = re.compile(r"(?<=[?&]token=)[^&]*")


def report(exchanges: Sequence[Exchange], url: str, *, secrets: bool = False) -> str:
    """The exchanges, each with its reason, its token's claims, and a `curl` that repeats it. Secrets are masked."""
    if not exchanges:
        return f"{url}: nothing was requested"
    shown = exchanges[-SHOWN:]
    earlier = [f"… {len(exchanges) - SHOWN} earlier"] if len(exchanges) > SHOWN else []
    known = [] if secrets else _sent_secrets(exchanges)
    described = "\n".join(_described(exchange, url, known, secrets=secrets) for exchange in shown)
    return "\n".join([url, *earlier, without(known, described)])


def short(exchanges: Sequence[Exchange]) -> str:
    """The last five error responses in one line, or the number of exchanges when there is none."""
    known = _sent_secrets(exchanges)
    errors = [f"{each.summary}: {readable(each.why, secrets=known)}" for each in exchanges if each.why]
    return without(known, "; ".join(errors[-5:])) or f"{len(exchanges)} exchanges without errors"


def claims(exchange: Exchange) -> dict[str, Any] | None:
    """The claims of a request's token, valid or not; None when there is no readable token."""
    token = _token(exchange)
    try:
        payload = (token or "").split(".")[1]
        found = json.loads(b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True))
    except (IndexError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _sent_secrets(exchanges: Sequence[Exchange]) -> list[str]:
    return sent_secrets(header for exchange in exchanges for header in exchange.request.headers)


def _described(exchange: Exchange, url: str, known: list[str], *, secrets: bool) -> str:
    def shown(text: str) -> str:
        if not secrets:
            return readable(text, secrets=known)
        return printable(text[:LONGEST]) + ("…" if len(text) > LONGEST else "")

    lines = [f"{exchange.summary}  ({exchange.duration * 1000:.1f} ms)"]
    if exchange.why:
        lines.append(f"why: {shown(exchange.why)}")
    if exchange.outlived:
        lines.append("the world was reset during this request")
    if exchange.response.body and exchange.status >= 400:
        lines.append(f"body: {shown(exchange.response.body)}")
    if (found := claims(exchange)) is not None:
        lines.append(f"token: {shown(_claims_in_words(found, exchange.micros // 1_000_000))}")
    lines.append(curl(exchange, url, secrets=secrets))
    if exchange.websocket is not None:
        lines += [shown(line) for line in brief(exchange.websocket)]
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


# --- curl -------------------------------------------------------------------------------------------------------------

_CURLS_OWN = frozenset({"host", "content-length", "accept-encoding", "user-agent"})
"""Headers that curl sends itself."""
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Those of one connection only, besides those that `Connection` names, such as HTTP2-Settings (RFC 9110, 7.6.1)."""


def curl(exchange: Exchange, url: str, *, secrets: bool = False) -> str:
    """A command for a POSIX shell that sends the request again, byte for byte; one printable line."""
    request = exchange.request
    target = exchange.target if secrets else mask_target(exchange.target)
    body = request.kept if secrets else mask_body(request.body).encode()
    words = ["curl", "-i", *_method(exchange), *_address(url, target)]
    for name, value in _sent_again(exchange):
        words += ["-H", _word(_header(name, value, secrets=secrets))]
    if not request.size:
        return " ".join(words)
    if request.header("content-type") is None:
        words += ["-H", "Content-Type:"]  # or curl would say that it is a form
    if request.size > len(request.kept):
        told = f"# the body had {request.size} bytes, of which {len(request.kept)} were kept"
        return " ".join([*words, "--data-binary", "@-", "", told])
    if _is_plain(body):
        return " ".join([*words, "--data-raw", _word(body)])
    return " ".join(["printf", _format(body), "|", *words, "--data-binary", "@-"])


def _method(exchange: Exchange) -> list[str]:
    if exchange.method == "HEAD":
        # With a body it can't be `--head`; then curl would wait for the body of the response.
        ends = ["-X", "HEAD", "--ignore-content-length", "-H", "'Connection: close'"]
        return ends if exchange.request.size else ["--head"]
    return [] if exchange.method == "GET" and not exchange.request.size else ["-X", exchange.method]


_USUAL = re.compile(r"/(?!/)[!$%&'()*+,./0-9:;=?@A-Z\[\]_a-z{}~-]*")


def _address(url: str, target: str) -> list[str]:
    """By default curl expands brackets as patterns and removes `/./` and `/../`; other characters it may escape."""
    if not _USUAL.fullmatch(target):
        return ["--request-target", _word(target.encode("utf-8", "surrogateescape")), shlex.quote(url)]
    odd = (["--globoff"] if set(target) & set("[]{}") else []) + (["--path-as-is"] if "/." in target else [])
    return [*odd, shlex.quote(url + target)]


def _sent_again(exchange: Exchange) -> Iterator[tuple[bytes, bytes]]:
    """The header lines, without those of the connection and those that curl sends."""
    named = ",".join(value for name, value in exchange.request.headers if name.lower() == "connection")
    left_out = _CURLS_OWN | _HOP_BY_HOP | {name.strip().lower() for name in named.split(",")}
    for name, value in exchange.request.lines:
        lower = name.decode("latin-1").lower()
        if lower not in left_out and (lower, value) != ("accept", b"*/*"):
            yield name, value


def _header(name: bytes, value: bytes, *, secrets: bool) -> bytes:
    if not value:
        return name + b";"  # curl's way to send an empty one
    if not secrets:
        value = mask_header(name.decode("latin-1"), value.decode("utf-8", "backslashreplace")).encode()
    return b"%b: %b" % (name, value)


def _word(data: bytes) -> str:
    """One argument, of any bytes but NUL."""
    return shlex.quote(data.decode()) if _is_plain(data) else f'"$(printf {_format(data)})"'


def _is_plain(data: bytes) -> bool:
    try:
        return data.decode().isprintable()
    except UnicodeDecodeError:
        return False


_PRINTF = {ord("\\"): "\\\\", ord("%"): "%%", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}


def _format(data: bytes) -> str:
    """The format with which `printf` writes these bytes."""
    pieces = [_PRINTF.get(byte) or (chr(byte) if _is_literal(byte) else f"\\{byte:03o}") for byte in data]
    return f"'{''.join(pieces)}'" if data[:1] != b"-" else f"'\\055{''.join(pieces[1:])}'"


def _is_literal(byte: int) -> bool:
    return 0x20 <= byte < 0x7F and byte != ord("'")
