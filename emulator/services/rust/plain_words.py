"""serde's errors in the words of JSON, for the journal: who writes a test need not know Rust."""

import re
from collections.abc import Callable

from emulator.services.rust.serde_json import JsonError

_KINDS = {
    "a string": "text",
    "a sequence": "a list",
    "i64": "a whole number",
    "u8": "a whole number from 0 to 255",
    "sequence": "a list",
    "map": "an object",
    "null": "null",
    "unit": "null",
    "variant identifier": "text",
    "number": "a number",
}
_VALUE = re.compile(r"(?:integer|boolean|floating point) `(.*)`|string (.*)", re.DOTALL)


def _kind(text: str) -> str:
    if value := _VALUE.fullmatch(text):
        return value[1] or value[2]
    return "an object" if text.startswith("struct ") else _KINDS.get(text, text)


_PATTERNS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    (
        re.compile(r"invalid (?:type|value): (.*), expected (.*?)", re.DOTALL),
        lambda found: f"it is {_kind(found[1])}; it must be {_kind(found[2])}",
    ),
    (re.compile(r"missing field `(.*)`", re.DOTALL), lambda found: f"`{found[1]}` is missing"),
    (re.compile(r"duplicate field `(.*)`", re.DOTALL), lambda found: f"`{found[1]}` is there twice"),
    (
        re.compile(r"invalid length (\d+), expected struct .*", re.DOTALL),
        lambda found: f"it is a list of {found[1]}; it must be an object",
    ),
    (
        re.compile(r"unknown variant `(.*)`, expected one of (.*)", re.DOTALL),
        lambda found: f"it is `{found[1]}`; it must be one of {found[2]}",
    ),
    (re.compile(r"EOF while parsing .*"), lambda found: "the text ends too early"),
    (re.compile(r"recursion limit exceeded"), lambda found: "it has more than 127 levels"),
]


def in_plain_words(error: JsonError) -> str:
    """Like `display_name is 5; it must be text at line 1 column 17`."""
    place = f" at line {error.line} column {error.column}"
    for pattern, words in _PATTERNS:
        if found := pattern.fullmatch(error.message):
            text = words(found)
            return f"{text.replace('it is', f'`{error.dotted_path}` is', 1) if error.path else text}{place}"
    return f"{error.message}{place}"
