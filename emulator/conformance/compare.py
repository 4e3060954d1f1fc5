"""What differs between a recorded response and another, but for what is masked."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from itertools import zip_longest
from typing import Any


@dataclass(frozen=True)
class Response:
    status: bytes
    headers: tuple[bytes, ...]
    """The lines of the headers."""
    body: bytes

    @classmethod
    def of(cls, raw: bytes) -> "Response":
        head, _, body = raw.partition(b"\r\n\r\n")
        status, *headers = head.split(b"\r\n")
        return cls(status, tuple(headers), body)

    @property
    def raw(self) -> bytes:
        return b"\r\n".join((self.status, *self.headers, b"", self.body))

    def header(self, name: bytes) -> bytes | None:
        return next((line.partition(b":")[2].strip() for line in self.headers if _name(line) == name), None)


def responses_in(raw: bytes) -> list[bytes]:
    """The responses of a connection, one by one. None of the recorded bodies has a status line in it."""
    return [part for part in re.split(rb"(?=HTTP/1\.[01] [0-9]{3} )", raw) if part]


def shown(data: bytes) -> str:
    """As text, with escapes for what can't be printed."""
    text = data.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


@dataclass(frozen=True)
class Difference:
    """What differs first between what was expected and what came, both with the masks on."""

    part: str
    """`status`, `head`, `body`, `connection` (whether it ends), `frame` of a WebSocket."""
    expected: bytes | None
    """The line, the body, or the frame in words; None if nothing more was expected."""
    found: bytes | None
    wholes: tuple[bytes, bytes]
    """All that was expected, and all that came of the response, to show them beside each other."""

    @property
    def place(self) -> int:
        """The first byte of `expected` and `found` that differs."""
        pairs = zip_longest(self.expected or b"", self.found or b"")
        return next((place for place, (one, other) in enumerate(pairs) if one != other), 0)

    def __str__(self) -> str:
        return f"{self.found!r}, not {self.expected!r}"


def difference(recorded: bytes, responses: Sequence[bytes], masks: Sequence[str]) -> Difference | None:
    """What differs first; None if nothing does."""
    for expected, found in zip_longest(responses_in(recorded), responses):
        if expected is None or found is None:
            return Difference("status", _status(expected), _status(found), (expected or b"", found or b""))
        if wrong := _between(Response.of(expected), Response.of(found), masks):
            return wrong
    return None


def _status(raw: bytes | None) -> bytes | None:
    return raw and raw.partition(b"\r\n")[0]


def _between(expected: Response, found: Response, masks: Sequence[str]) -> Difference | None:
    found = _as_noted(expected, found) if "other headers" in masks else found
    for name in masks:
        expected, found = _under(name, expected), _under(name, found)
    parts = [("status", (expected.status, found.status)), *_head_lines(expected, found)]
    parts.append(("body", (expected.body, found.body)))
    differing = [(part, pair) for part, pair in parts if pair[0] != pair[1]]
    differing.sort(key=lambda each: _name(each[1][0] or b"") == b"content-length")  # it says the least
    if not differing:
        return None
    part, pair = differing[0]
    return Difference(part, *pair, (expected.raw, found.raw))


def _under(name: str, response: Response) -> Response:
    """The response under a mask; as it is where it is not well formed: then nothing is to be masked."""
    try:
        return MASKS[name](response)
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return response


def _head_lines(expected: Response, found: Response) -> Iterator[tuple[str, tuple[bytes | None, bytes | None]]]:
    for pair in zip_longest(expected.headers, found.headers):
        yield "head", pair


def _as_noted(expected: Response, found: Response) -> Response:
    """What came, without what was not noted: other headers, the case of names, and chunks."""
    names = {_name(line) for line in expected.headers}
    lines = (b":".join((_name(line), line.partition(b":")[2])) for line in found.headers if _name(line) in names)
    chunked = (found.header(b"transfer-encoding") or b"").lower() == b"chunked"
    return replace(found, headers=tuple(lines), body=b"".join(_chunks(found.body)) if chunked else found.body)


def _chunks(body: bytes) -> Iterator[bytes]:
    while (found := _CHUNK.match(body)) and (length := int(found[1], 16)):
        end = found.end() + length
        yield body[found.end() : end]
        body = body[end + 2 :]


_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[^\r]*\r\n")


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].lower()


# --- masks ------------------------------------------------------------------------------------------------------------


def _mask_date(response: Response) -> Response:
    lines = (b"date: <date>" if _name(line) == b"date" else line for line in response.headers)
    return replace(response, headers=tuple(lines))


def _mask_length(response: Response) -> Response:
    return replace(response, headers=tuple(line for line in response.headers if _name(line) != b"content-length"))


def _mask_body(response: Response) -> Response:
    return replace(response, body=b"")


def _mask_reason(response: Response) -> Response:
    return replace(response, status=b" ".join(response.status.split(b" ")[:2]))


_TOKEN = re.compile(rb'"token":"([\w-]+)\.([\w-]+)\.([\w-]{86})"')
_IDENTITY = re.compile(rb'"identity":"([0-9a-f]{64})"')
_UUID = re.compile(r'"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"')
_IN_ORDER = ("hex_identity", "sub", "iss", "aud", "iat", "exp")


def _mask_token(response: Response) -> Response:
    """A token as text, without what is random or depends on the time; claims of the caller by name, as they vary."""
    if not (date := response.header(b"date")):
        return response
    now = int(parsedate_to_datetime(date.decode()).timestamp())
    identity = _IDENTITY.search(response.body)
    created = identity[1].decode() if identity else None
    body = _TOKEN.sub(lambda token: _readable(token, now, created), response.body)
    return replace(response, body=_IDENTITY.sub(b'"identity":"<identity>"', body))


def _readable(token: re.Match[bytes], now: int, created: str | None) -> bytes:
    said = list(_claims(_decoded(token[2])))
    times = dict(_times(dict(said), now))
    claims = [(name, times.get(name) or _masked(name, text, created)) for name, text in said]
    extra = sorted(claim for claim in claims if claim[0] not in _IN_ORDER)
    ordered = [claim for claim in claims if claim[0] in _IN_ORDER] + extra
    payload = ",".join(f"{json.dumps(name)}:{text}" for name, text in ordered)
    return b'"token":"%s.{%s}.<signature>"' % (_decoded(token[1]), payload.encode())


def _decoded(segment: bytes) -> bytes:
    return urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))


def _times(claims: Mapping[str, str], now: int) -> Iterator[tuple[str, str]]:
    """A token's `iat` is rounded half up: it is the second of the response's `date`, or the next.

    A `date` that is a second late itself is rare, and the case is then sent again: of 410 recorded tokens none has one.
    """
    issued, expires = (int(claims[name]) if claims.get(name, "").isdecimal() else None for name in ("iat", "exp"))
    if issued is not None and 0 <= issued - now <= 1:
        yield "iat", "<now>"
        if expires == issued + 60:
            yield "exp", "<now + 60>"


def _masked(name: str, text: str, created: str | None) -> str:
    if created and text == f'"{created}"':
        return '"<identity>"'
    return '"<uuid>"' if created and name == "sub" and _UUID.fullmatch(text) else text


def _mask_caller(response: Response) -> Response:
    """The identity and token of an unnamed caller, which are new in each response; those that were sent are kept."""
    token, date = response.header(b"spacetime-identity-token"), response.header(b"date")
    if not (token and date and _MINTED_FOR.search(_decoded(token.split(b".")[1]))):
        return response
    identity = response.header(b"spacetime-identity") or b""
    now = int(parsedate_to_datetime(date.decode()).timestamp())
    whole = _TOKEN.sub(lambda found: _readable(found, now, identity.decode()), b'"token":"%b"' % token)
    headers = tuple(line.replace(token, whole).replace(identity, b"<identity>") for line in response.headers)
    return replace(response, headers=headers, body=response.body.replace(identity, b"<identity>"))


_MINTED_FOR = re.compile(rb'"sub":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-')


def _mask_values(response: Response) -> Response:
    """Of a JSON body the shape: what kind each value is of; of a list of objects the first."""
    try:
        return replace(response, body=_shape(json.loads(response.body, object_pairs_hook=tuple)).encode())
    except ValueError:
        return response


def _mask_blanks(response: Response) -> Response:
    """JSON without blanks between its parts."""
    try:
        value = json.loads(response.body)
    except ValueError:
        return response
    return replace(response, body=json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _shape(value: Any) -> str:
    match value:
        case tuple():
            return "{" + ",".join(f"{json.dumps(name)}:{_shape(item)}" for name, item in value) + "}"
        case list():
            return "[" + ",".join(map(_shape, value[:1])) + "]"
        case str():
            return "<JSON Web Token>" if _TOKEN_ALONE.fullmatch(value) else "<string>"
        case bool() | None:
            return json.dumps(value)
        case _:
            return "<number>"


_TOKEN_ALONE = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


def _in_body(*changes: tuple[bytes, bytes]) -> Callable[[Response], Response]:
    """A mask that puts texts in the place of what matches patterns in the body."""
    patterns = [(re.compile(pattern), text) for pattern, text in changes]

    def masked(response: Response) -> Response:
        body = response.body
        for pattern, text in patterns:
            body = pattern.sub(text, body)
        return replace(response, body=body)

    return masked


class _Number(str):
    """A number as it was written: `1.50` is not `1.5`."""

    __slots__ = ()


def _claims(payload: bytes) -> Iterator[tuple[str, str]]:
    """Raises ValueError for what is no JSON object."""
    members = json.loads(payload, object_pairs_hook=tuple, parse_int=_Number, parse_float=_Number)
    if not isinstance(members, tuple):
        raise ValueError("a list of pairs is no object")
    for name, value in members:
        yield name, _text(value)


def _text(value: Any) -> str:
    match value:
        case _Number():
            return str(value)
        case tuple():
            return "{" + ",".join(f"{json.dumps(name)}:{_text(item)}" for name, item in value) + "}"
        case list():
            return "[" + ",".join(map(_text, value)) + "]"
        case _:
            return json.dumps(value)


MASKS: Mapping[str, Callable[[Response], Response]] = {
    "token": _mask_token,
    "date": _mask_date,
    "content-length": _mask_length,
    "body": _mask_body,
    "reason": _mask_reason,
    "caller": _mask_caller,
    "program": _in_body((rb'"initial_program":"0x[0-9a-f]{64}"', b'"initial_program":"<hash>"')),
    "timestamp": _in_body((rb'"(__timestamp_micros_since_unix_epoch__)":[0-9]{16}', rb'"\1":<now>')),
    "blanks": _mask_blanks,
    "values": _mask_values,
    "row": _in_body(
        (rb'"id":"[^"]+"', b'"id":"<id>"'),
        (rb"did:intuition:ipfs:\w+", b"did:intuition:ipfs:<cid>"),
        (rb'"identity_hash":"[^"]+"', b'"identity_hash":"<hash>"'),
        (rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"', b'"<time>"'),
        (rb'"vault_id":"\d+"', b'"vault_id":"<number>"'),
    ),
    "version": _in_body((rb'"version":"[^"]*"', b'"version":"<version>"')),
    "public key": _in_body(
        (rb"(-----BEGIN PUBLIC KEY-----\r?\n)[A-Za-z0-9+/=\r\n]+(\r?\n-----END PUBLIC KEY-----)", rb"\1<base64>\2")
    ),
    "hashes": _in_body((rb"[0-9a-f]{64}", b"<64 hex digits>")),
    "other headers": lambda response: response,
}
"""What two good responses may differ in, by name. `other headers` are those that were not recorded; `row` is a new one
of Intuition's, without its ids, its hash, its times and the number of its vault; `hashes` are identities of databases,
which are the target's own.
"""

MINTED = ("token", "caller", "program", "timestamp", "date")
"""The masks for a response that was recorded whole."""
