"""Characters that look like blanks."""

import re
from collections.abc import Iterator
from itertools import islice

from emulator.scenario.document import Mark, Problem

_SPACES = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff"
_MISTAKEN = re.compile(
    rf"(?m)^[ \t-]*([{_SPACES}])"  # before a line
    rf"|[:,\[{{]([{_SPACES}])"  # after what YAML wants a blank, or nothing, behind
    rf"|([{_SPACES}])(?=[:,\]}}#]|[ \t]*$)"
)
_NAMES = {"\u00a0": "a no-break space", "\u202f": "a narrow no-break space", "\ufeff": "a byte order mark"}

_MOST = 20
"""The most that are pointed at in a text."""


def mistaken_spaces(data: bytes, file: str) -> Iterator[Problem]:
    """Characters that are no blanks where YAML wants blanks. They may be meant, so this is for a text with mistakes."""
    text = data.decode("utf-8-sig", "replace")
    line, begin = 1, 0
    for found in islice(_MISTAKEN.finditer(text), _MOST):
        at = found.start(found.lastindex or 0)
        line, begin = line + text.count("\n", begin, at), max(begin, text.rfind("\n", begin, at) + 1)
        name = _NAMES.get(text[at], f"the space U+{ord(text[at]):04X}")
        yield Problem(Mark(file, line, at - begin + 1), (), f"{name}; write an ordinary one, or put the text in quotes")
