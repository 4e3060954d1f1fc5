"""Bytes to text, and characters that look like blanks."""

import re
from collections.abc import Iterator
from itertools import islice

from emulator.scenario.document import Mark, Problem

_MARKS = {b"\xff\xfe\x00\x00": "UTF-32", b"\x00\x00\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
"""Byte order marks, the longer ones first."""
_WITHOUT_MARK: dict[tuple[bool, ...], str] = {
    (True, True, True, False): "UTF-32",
    (False, True, True, True): "UTF-32",
    (True, False, True, False): "UTF-16",
    (False, True, False, True): "UTF-16",
}
"""Which of the first four bytes are 0, for two characters of ASCII."""

_SPACES = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff"
_MISTAKEN = re.compile(
    rf"(?m)^[ \t-]*([{_SPACES}])"  # before a line
    rf"|[:,\[{{]([{_SPACES}])"  # after what YAML wants a blank, or nothing, behind
    rf"|([{_SPACES}])(?=[:,\]}}#]|[ \t]*$)"
)
_NAMES = {"\u00a0": "a no-break space", "\u202f": "a narrow no-break space", "\ufeff": "a byte order mark"}

_MOST = 20
"""The most that are pointed at in a text."""


def wide(data: bytes) -> str | None:
    """UTF-16 or UTF-32, if that is what the bytes are."""
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    return _WITHOUT_MARK.get(tuple(byte == 0 for byte in data[:4]))


def mistaken_spaces(data: bytes, file: str) -> Iterator[Problem]:
    """Characters that are no blanks where YAML wants blanks. They may be meant, so this is for a text with mistakes."""
    text = data.decode("utf-8-sig", "replace")
    line, begin = 1, 0
    for found in islice(_MISTAKEN.finditer(text), _MOST):
        at = found.start(found.lastindex or 0)
        line, begin = line + text.count("\n", begin, at), max(begin, text.rfind("\n", begin, at) + 1)
        name = _NAMES.get(text[at], f"the space U+{ord(text[at]):04X}")
        yield Problem(Mark(file, line, at - begin + 1), (), f"{name}; write an ordinary one, or put the text in quotes")
