"""Exchanges as text: the report of a failed test, and the `curl` that repeats a request."""

import json
import re
import shlex
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

import msgspec

from emulator.core.clock import rfc3339
from emulator.core.words import counted
from emulator.journal.exchange import Exchange, Message
from emulator.journal.frames import brief
from emulator.journal.masking import (
    LONGEST,
    left_out,
    mask_body,
    mask_header,
    mask_target,
    printable,
    readable,
    sent_secrets,
    without,
)

T = TypeVar("T")

MOST_LINES = 200
MOST_BYTES = 20_000
"""Of a report, in UTF-8."""
_LAST_BODY_LINES = 40
_LAST_BODY_BYTES = 4000
_FOR_COUNTS = 600
"""Bytes for the lines that say what is not shown."""
_LONGEST_HEADING = 1000
"""Characters."""

_QUERY_TOKEN = re.compile(r"(?<=[?&]token=)[^&]*")


def report(
    exchanges: Sequence[Exchange],
    url: str,
    *,
    heading: str = "",
    lost: str = "",
    secrets: bool = False,
    lines: int = MOST_LINES,
    size: int = MOST_BYTES,
) -> str:
    """What a failed test shows of its exchanges: at most so many lines and bytes, whatever was sent.

    The refused ones come first, each with its reason, its token's claims, and a `curl` that repeats it; then the last
    body that a client received; then all of them, where equal ones that follow each other are one line. `heading` is
    the first line, by default the URL; `lost` says why exchanges are missing. Secrets are masked.
    """
    known = [] if secrets else _sent_secrets(exchanges)
    first = printable(heading[:_LONGEST_HEADING])
    missing = [printable(lost[:_LONGEST_HEADING])] if lost else []
    if not exchanges:
        nothing = [first, "nothing was requested"] if first else [f"{url}: nothing was requested"]
        return _Page(lines, size, [*nothing, *missing]).text
    style = _Style(url, known, secrets=secrets)
    refused = _runs([each for each in exchanges if each.is_refused])
    counts = f"{counted(len(exchanges), 'exchange')}, {sum(map(len, refused))} of them refused"
    page = _Page(lines, size, [first or url, counts, *missing])
    page.add("refused", refused, lambda run: _described(run, style))
    page.add("last body received", [exchanges], lambda every: _last_body(every, style))
    page.add("all exchanges", _runs(exchanges), lambda run: _in_short(run, style))
    return page.text


class _Page:
    """Text of at most so many lines and bytes.

    Parts are added in the order of their importance, of each as many of the last blocks as there is room for.
    """

    def __init__(self, lines: int, size: int, first: list[str]) -> None:
        self._lines, self._bytes = max(lines, 1), max(size, 1)
        self._parts: list[str] = first
        self._left_lines = self._lines - len(first)
        self._left_bytes = self._bytes - _size_of(first) - _FOR_COUNTS

    def add(self, title: str, parts: Sequence[T], lines_of: Callable[[T], list[str]]) -> None:
        """Only what there is room for is put into words."""
        left_lines, left_bytes = self._left_lines - 2, self._left_bytes  # the title, and what is not shown
        kept: list[list[str]] = []
        for each in reversed(parts):
            block = lines_of(each)
            left_lines, left_bytes = left_lines - len(block), left_bytes - _size_of(block)
            if left_lines < 0 or left_bytes < 0:
                break
            kept.append(block)
        earlier = len(parts) - len(kept)
        if not any(kept) and not earlier:
            return
        more = [f"  … {earlier} earlier, for which there is no room"] if earlier else []
        part = [f"{title}:", *more, *(line for block in reversed(kept) for line in block)]
        self._parts += part
        self._left_lines -= len(part)
        self._left_bytes -= _size_of(part[1 + len(more) :])

    @property
    def text(self) -> str:
        """Cut also when not even the first lines fit."""
        whole = "\n".join(self._parts[: self._lines]).encode("utf-8", "backslashreplace")
        return whole[: self._bytes].decode("utf-8", "ignore")


def _size_of(lines: Sequence[str]) -> int:
    return sum(len(line.encode("utf-8", "backslashreplace")) + 1 for line in lines)


class _Style(NamedTuple):
    """How texts of exchanges are shown: `known` are secrets to be masked."""

    url: str
    known: Sequence[str]
    secrets: bool

    def line(self, text: str, longest: int = LONGEST) -> str:
        """One printable line."""
        if not self.secrets:
            return readable(text, longest, self.known)
        return printable(text[:longest]) + ("…" if len(text) > longest else "")

    def legible(self, message: Message) -> str:
        """The body as it was sent; what can't be read as text, and so not be masked, is left out."""
        return message.text if self.secrets or message.is_legible else left_out(message.size)

    def body(self, message: Message) -> str:
        """The body with secrets masked, JSON indented."""
        text = _indented(message.kept) or self.legible(message)
        return text if self.secrets else without(self.known, mask_body(text))


def _runs(exchanges: Sequence[Exchange]) -> list[list[Exchange]]:
    """Exchanges that follow each other and are equal, but for the bodies; with a WebSocket each stands alone."""
    return [list(run) for _, run in groupby(exchanges, key=_alike)]


def _alike(exchange: Exchange) -> tuple[object, ...]:
    alone = 0 if exchange.websocket is None else exchange.number
    return exchange.method, exchange.target, exchange.status, exchange.why, exchange.actor, alone


def _in_short(run: Sequence[Exchange], style: _Style) -> list[str]:
    """The lines of a run among all exchanges; frames are shown once, with what was refused or here."""
    return [_folded(run, style), *(() if run[0].is_refused else _frames(run[0], style))]


def _folded(run: Sequence[Exchange], style: _Style) -> str:
    """The line of a run: `#1 POST /v1/identity -> 200  (after 0.012 s)  × 482`."""
    first = run[0]
    by = f"  by {style.line(first.actor)}" if first.actor else ""
    marks = f"{'  refused' if first.is_refused else ''}{f'  × {len(run)}' if len(run) > 1 else ''}"
    return f"  {style.line(first.summary)}  (after {first.after:.3f} s, {first.duration * 1000:.1f} ms){by}{marks}"


def _last_body(exchanges: Sequence[Exchange], style: _Style) -> list[str]:
    """The lines of the last body of a response, JSON indented; empty when there is none."""
    last = next((each for each in reversed(exchanges) if each.response.kept), None)
    if last is None:
        return []
    shown = style.body(last.response)
    found = [f"    {printable(line)}" for line in shown[:_LAST_BODY_BYTES].splitlines()]
    cut = found[_LAST_BODY_LINES:] or len(shown) > _LAST_BODY_BYTES or last.response.is_cut
    more = [f"    … the body has {last.response.size} bytes"] if cut else []
    return [f"  #{last.number}", *found[:_LAST_BODY_LINES], *more]


def _indented(body: bytes) -> str:
    """JSON as people read it, its values as they were sent; empty for what is not JSON."""
    try:
        return msgspec.json.format(body, indent=2).decode() if body[:1] in {b"{", b"["} else ""
    except (msgspec.DecodeError, ValueError, RecursionError):
        return ""


def short(exchanges: Sequence[Exchange]) -> str:
    """The last five error responses in one line, or the number of exchanges when there is none."""
    known = _sent_secrets(exchanges)
    errors = [f"{each.summary}: {readable(each.why, secrets=known)}" for each in exchanges if each.why]
    return without(known, "; ".join(errors[-5:])) or f"{counted(len(exchanges), 'exchange')} without errors"


def claims(exchange: Exchange) -> dict[str, Any] | None:
    """The claims of a request's token, valid or not; None when there is no readable token."""
    token = sent_token(exchange)
    try:
        payload = (token or "").split(".")[1]
        found = json.loads(b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True))
    except (IndexError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _sent_secrets(exchanges: Sequence[Exchange]) -> list[str]:
    return sent_secrets(header for exchange in exchanges for header in exchange.request.headers)


def _described(run: Sequence[Exchange], style: _Style) -> list[str]:
    """The lines of a refused exchange, the last of its run."""
    exchange = run[-1]
    lines = [_folded([exchange] * len(run), style).removesuffix("  refused")]
    if exchange.why:
        lines.append(f"    why: {style.line(exchange.why)}")
    if exchange.outlived:
        lines.append("    the world was reset during this request")
    if exchange.response.kept:
        lines.append(f"    body: {style.line(style.legible(exchange.response))}")
    if (found := claims(exchange)) is not None:
        lines.append(f"    token: {style.line(_claims_in_words(found, exchange.micros // 1_000_000))}")
    return [*lines, f"    {_curl_or_where(exchange, style)}", *_frames(exchange, style)]


def _frames(exchange: Exchange, style: _Style) -> list[str]:
    """The last frames of its WebSocket, and how that ended."""
    return [f"    {style.line(line)}" for line in brief(exchange.websocket)] if exchange.websocket is not None else []


def _curl_or_where(exchange: Exchange, style: _Style) -> str:
    command = without(style.known, curl(exchange, style.url, secrets=style.secrets))
    if len(command) <= _LONGEST_CURL:
        return command
    return f"a long request; this repeats it: curl -s {style.url}/_emulator/journal/{exchange.number}/curl | sh"


_LONGEST_CURL = 3000
"""Characters of a command in a report."""


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


def sent_token(exchange: Exchange) -> str | None:
    """The token of a request, valid or not; None without one."""
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

_HANDSHAKE = ((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"))
"""What makes a request the handshake of a WebSocket; without it the response is a 426 (RFC 6455, 4.1)."""


def curl(exchange: Exchange, url: str, *, secrets: bool = False) -> str:
    """A command for a POSIX shell that sends the request again, byte for byte; one printable line."""
    request = exchange.request
    target = exchange.target if secrets else mask_target(exchange.target)
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
    if not secrets and not request.is_legible:
        return " ".join([*words, "--data-binary", "@-", "", f"# {left_out(request.size)}"])
    body = request.kept if secrets else mask_body(request.text).encode()
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
    """The header lines, without those that curl sends and those of the connection, except a WebSocket's handshake."""
    connection = ",".join(value for name, value in exchange.request.headers if name.lower() == "connection")
    named = {name.strip().lower() for name in connection.split(",")}
    if "upgrade" in named and (exchange.request.header("upgrade") or "").strip().lower() == "websocket":
        yield from _HANDSHAKE
    left_out = _CURLS_OWN | _HOP_BY_HOP | named
    for name, value in exchange.request.lines:
        lower = name.decode("latin-1").lower()
        if lower not in left_out and (lower, value) != ("accept", b"*/*"):
            yield name, value


def _header(name: bytes, value: bytes, *, secrets: bool) -> bytes:
    if not value:
        return name + b";"  # curl's way to send an empty one
    if not secrets:
        value = mask_header(name.decode("latin-1"), _exactly(value)).encode("utf-8", "surrogateescape")
    return b"%b: %b" % (name, value)


def _exactly(data: bytes) -> str:
    """As text that can be bytes again."""
    return data.decode("utf-8", "surrogateescape")


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
