"""The cause of a difference, in words, from the difference alone: what one mistake breaks in many cases has one text.

Values are shown where they are few: numbers, hashes and tokens are masked, so that they do not tell cases apart.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from emulator.conformance.compare import Difference, Response, shown

_LONGEST = 60
"""Characters of a value that are shown."""
Pairs = Sequence[tuple[str, Any]]
"""Names and values in their order: of a head, of a token's claims, of a JSON object."""


def cause(wrong: Difference) -> str:
    """What is wrong with what was found, in a line. Never empty."""
    try:
        return _OF_A_PART[wrong.part](wrong)
    except RecursionError:  # JSON as deep as can just be read
        return f"the {wrong.part} is another"


def _of_status(wrong: Difference) -> str:
    if wrong.found is None:
        return "there is no response"
    if wrong.expected is None:
        return f"there is a response more than expected: {_value(wrong.found)}"
    expected, found = ((*line.split(b" ", 2), b"", b"")[:3] for line in (wrong.expected, wrong.found))
    if not found[0].startswith(b"HTTP/"):
        return "what comes is no HTTP response"
    names = "the response's protocol", "the status", "the reason beside the status"
    pairs = zip(names, expected, found, strict=True)
    name, one, other = next(pair for pair in (*pairs, ("the status line", b"", b"")) if pair[1] != pair[2])
    return f"{name} is {_other(one, other)}"


def _of_head(wrong: Difference) -> str:
    if in_words := _of_token(wrong):
        return in_words
    expected, found = (_lines(Response.of(whole)) for whole in wrong.wholes)
    if (framing := _framing(found)) != (due := _framing(expected)):
        return f"the body is sent {framing}, not {due}"
    name = _name(wrong.expected or wrong.found or b"")
    if name != "content-length":  # it follows from the body
        expected, found = ([pair for pair in pairs if pair[0] != "content-length"] for pairs in (expected, found))
    return _changed("the head", expected, found) or f"the head has `{name}` written in another way"


def _lines(response: Response) -> Pairs:
    return [(_name(line), shown(line.partition(b":")[2].strip())) for line in response.headers]


def _name(line: bytes) -> str:
    return shown(line.partition(b":")[0].lower())[:_LONGEST]


def _framing(head: Pairs) -> str:
    names = {name for name, _ in head}
    return next((words for name, words in _FRAMING.items() if name in names), "without `content-length` or chunks")


_FRAMING: Mapping[str, str] = {"transfer-encoding": "in chunks", "content-length": "with `content-length`"}


def _of_body(wrong: Difference) -> str:
    expected, found = wrong.expected or b"", wrong.found or b""
    if not expected or not found:
        return "the body is empty" if expected else "there is a body where none is expected"
    return _of_token(wrong) or _of_json(expected, found) or _of_text(expected, found, wrong.place)


def _of_json(expected: bytes, found: bytes) -> str | None:
    """None if one of them is no JSON object."""
    try:
        one, other = (json.loads(body, object_pairs_hook=tuple) for body in (expected, found))
    except ValueError:
        return None
    if not _is_object(one) or not _is_object(other):
        return None
    return _changed("the JSON of the body", one, other) or "the JSON of the body is written in another way"


def _is_object(value: Any) -> bool:
    return isinstance(value, tuple)


def _of_text(expected: bytes, found: bytes, place: int) -> str:
    one, other = (_value(_word(text, place)) for text in (expected, found))
    return f"the body's text has {other or 'nothing more'} where {one or 'its end'} is expected"


def _word(text: bytes, place: int) -> bytes:
    """The word around a byte; where there is none, the marks there."""
    before = _LAST_WORD.search(text[max(0, place - _LONGEST) : place])
    after = _WORD.match(text, place)
    return before[0] + after[0] if before and after else (after or _MARKS.match(text, place) or [b""])[0]


_LAST_WORD, _WORD, _MARKS = re.compile(rb"\w*$"), re.compile(rb"\w+"), re.compile(rb"\W{1,8}")


# --- a token, as the masks write it -----------------------------------------------------------------------------------

_TOKEN = re.compile(rb'"token":"(\{.*?\})\.(\{.*\})\.<signature>"', re.DOTALL)
_TIME = re.compile(rb":(<now[^>]*>)")


def _of_token(wrong: Difference) -> str | None:
    """None if no token differs."""
    tokens = [_TOKEN.search(text or b"") for text in (wrong.expected, wrong.found)]
    if not all(token and token.start() <= wrong.place < token.end() for token in tokens):
        return None
    for number, subject in ((1, "the header of a token"), (2, "the payload of a token")):
        one, other = (_members(token[number]) for token in tokens if token)
        if one is not None and other is not None and one != other:
            return _changed(subject, one, other)
    return None


def _members(text: bytes) -> Pairs | None:
    try:
        found: Any = json.loads(_TIME.sub(rb':"\1"', text), object_pairs_hook=tuple)
    except ValueError:
        return None
    return found if _is_object(found) else None


# --- names and values -------------------------------------------------------------------------------------------------


def _changed(subject: str, expected: Pairs, found: Pairs) -> str | None:
    """In words, what differs first of: which names there are, their order, their values. None if nothing does."""
    names, others = [name for name, _ in expected], [name for name, _ in found]
    if missing := _without(names, others):
        return f"{subject} lacks {_named(missing)}"
    if more := _without(others, names):
        return f"{subject} has {_named(more)}, which is not expected"
    if names != others:
        return f"{subject} has {_named(_out_of_order(names, others))} in another place"
    differing = ((name, one, other) for (name, one), (_, other) in zip(expected, found, strict=True) if one != other)
    return next((_of_values(f"{_named([name])} in {subject}", one, other) for name, one, other in differing), None)


def _without(names: Iterable[str], others: Iterable[str]) -> list[str]:
    return list((Counter(names) - Counter(others)).elements())


def _out_of_order(names: Sequence[str], others: Sequence[str]) -> list[str]:
    return [next(name for name, other in zip(names, others, strict=True) if name != other)]


def _of_values(subject: str, expected: Any, found: Any) -> str:
    one, other = (_items(value) for value in (expected, found))
    if len(one) > 1 and len(other) > 1 and (listed := _changed(subject, one, other)):
        return listed
    if not all(isinstance(value, str | int | float | None) for value in (expected, found)):
        return f"{subject} has another value"
    pair = [value if isinstance(value, str) else json.dumps(value) for value in (expected, found)]
    return f"{subject} is {_other(*map(_bytes, pair))}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _items(value: Any) -> Pairs:
    """Of a list in a head, which has commas."""
    return [(item.strip(), None) for item in value.split(",")] if isinstance(value, str) else []


def _named(names: Sequence[str]) -> str:
    text = ", ".join(f"`{shown(_bytes(name))[:_LONGEST]}`" for name in names[:_MOST])
    return f"{text} and {len(names) - _MOST} more" if len(names) > _MOST else text


_MOST = 4
"""Names in a line."""


def _other(expected: bytes, found: bytes) -> str:
    one, other = _value(expected), _value(found)
    return "another" if one == other else f"{other or 'empty'}, not {one or 'empty'}"


def _value(value: bytes) -> str:
    """Masked and short; empty if the value is."""
    text = shown(value[: 4 * _LONGEST])
    for pattern, name in _VARYING:
        text = pattern.sub(name, text)
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return text and f"`{text}`"


_VARYING = (
    (re.compile(r"eyJ[\w-]+(\.[\w-]+)*"), "<token>"),
    (re.compile(r"\b(0x)?[0-9a-f]{16,}\b"), "<hex>"),
    (re.compile(r"(?<![\w./])-?\d{4,}(\.\d+)?(?![\w/])"), "<number>"),
)
"""What tells the values of two cases apart, and not their causes."""


# --- the end of a connection, and WebSockets --------------------------------------------------------------------------


def _of_connection(wrong: Difference) -> str:
    return f"{shown(wrong.found or b'') or 'the connection'}; expected: {shown(wrong.expected or b'')}"


def _of_frame(wrong: Difference) -> str:
    one, other = (_kind(frame or b"") for frame in (wrong.expected, wrong.found))
    return f"the payload of {one} is another" if one == other else f"on the WebSocket comes {other}, not {one}"


def _kind(frame: bytes) -> str:
    """Of a frame, its kind; what is in words stays as it is."""
    match = _FRAME.match(frame)
    return _KINDS.get(match[1], f"a frame that begins with {match[1].decode()}") if match else shown(frame)


_FRAME = re.compile(rb"([0-9a-f]{2}) ")
_KINDS: Mapping[bytes, str] = {b"81": "a text frame", b"82": "a binary frame", b"88": "a close frame", b"8a": "a pong"}

_OF_A_PART: Mapping[str, Callable[[Difference], str]] = {
    "status": _of_status,
    "head": _of_head,
    "body": _of_body,
    "connection": _of_connection,
    "frame": _of_frame,
}
