"""Conditions on the query, headers and body of a request, for queries of the journal and for faults."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

Pattern = re.Pattern[str] | re.Pattern[bytes]
Pairs = Sequence[tuple[str, str]]

_SHOWN = 60
"""Characters of a value in a difference."""


class Sent(NamedTuple):
    """A request's query and headers as they were sent, and as much of its body as is there."""

    query: str
    headers: Pairs
    content: bytes
    is_whole: bool = True
    patterns_see: int | None = None
    """Bytes of the content, from its beginning, that patterns are matched with; None is all."""


class RequestMatch(NamedTuple):
    """What a request must have; None is anything.

    `json` is a part of the body: what it names must be equal. A header or a field of the query must have one value that
    is equal or matches. `body` is all of the body, as bytes or text, or a pattern that is found in it.
    """

    json: Any = None
    headers: Mapping[str, "str | Pattern"] | None = None
    query: Mapping[str, "str | int | Pattern"] | None = None
    body: "bytes | str | Pattern | None" = None

    def __bool__(self) -> bool:
        return any(each is not None for each in self)

    def differences(self, sent: Sent) -> list[str]:
        """The conditions that a request does not meet, in words."""
        return [
            *(_different_values("header", self.headers, _lower(sent.headers), str.lower) if self.headers else ()),
            *(_different_values("query", self.query, fields(sent.query), str) if self.query else ()),
            *(_different_json(self.json, sent) if self.json is not None else ()),
            *(_different_body(self.body, sent) if self.body is not None else ()),
        ]


ANY_REQUEST = RequestMatch()


def fields(query: str) -> list[tuple[str, str]]:
    """The fields of a query, decoded: `+` is a blank."""
    return parse_qsl(query, keep_blank_values=True, errors="replace")


def _lower(headers: Pairs) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers]


def _different_values(what: str, wanted: Mapping[str, Any], found: Pairs, spelling: Any) -> Iterator[str]:
    for name, value in wanted.items():
        values = [each for known, each in found if known == spelling(name)]
        if not any(_is_value(value, each) for each in values):
            yield f"{what} {name} is {_short(values[0])}" if values else f"there is no {what} {name}"


def _is_value(wanted: Any, value: str) -> bool:
    if isinstance(wanted, re.Pattern):
        return _search(wanted, value.encode("utf-8", "surrogateescape"))
    return str(wanted) == value


def _search(pattern: Pattern, content: bytes) -> bool:
    if isinstance(pattern.pattern, bytes):
        return re.search(pattern, content) is not None
    return re.search(pattern, content.decode("utf-8", "replace")) is not None


def _different_body(wanted: Any, sent: Sent) -> Iterator[str]:
    if isinstance(wanted, re.Pattern):
        if not _search(wanted, sent.content[: sent.patterns_see]):
            yield f"body is {_short(sent.content.decode('utf-8', 'replace'))}"
    elif not sent.is_whole:
        yield "only the beginning of the body was kept"
    elif sent.content != (wanted.encode() if isinstance(wanted, str) else wanted):
        yield f"body is {_short(sent.content.decode('utf-8', 'replace'))}"


def _different_json(wanted: Any, sent: Sent) -> Iterator[str]:
    if not sent.is_whole:
        yield "only the beginning of the body was kept"
        return
    try:
        found = json.loads(sent.content)
    except (ValueError, RecursionError):
        yield "body is not JSON" if sent.content else "body is empty"
        return
    yield from _different(wanted, found, "json")


def _different(wanted: Any, found: Any, where: str) -> Iterator[str]:
    """Where a value does not hold what is wanted of it."""
    if isinstance(wanted, Mapping) and isinstance(found, dict):
        for key, each in wanted.items():
            if key in found:
                yield from _different(each, found[key], f"{where}.{key}")
            else:
                yield f"{where} has no {key!r}"
    elif isinstance(wanted, list | tuple) and isinstance(found, list) and len(wanted) == len(found):
        for number, (each, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _different(each, other, f"{where}[{number}]")
    elif not _is_equal(wanted, found):
        yield f"{where} is {_short(json.dumps(found, ensure_ascii=False))}"


def _is_equal(wanted: Any, found: Any) -> bool:
    """As JSON has it: `true` is not 1."""
    return wanted == found and isinstance(wanted, bool) == isinstance(found, bool)


def _short(text: str) -> str:
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"


def pattern_text(pattern: Pattern) -> str:
    """A compiled pattern as one text, its flags included. Raises ValueError for bytes that are no ASCII."""
    text, flags = pattern.pattern, pattern.flags & ~(re.UNICODE | re.DEBUG)
    if isinstance(text, bytes):
        if not text.isascii():
            raise ValueError("a pattern of bytes must be ASCII; use one of text")
        text, flags = text.decode(), flags | re.ASCII
    letters = "".join(letter for letter, flag in _FLAGS if flags & flag)
    return f"(?{letters}){text}" if letters else text


_FLAGS = (("a", re.ASCII), ("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL), ("x", re.VERBOSE))
