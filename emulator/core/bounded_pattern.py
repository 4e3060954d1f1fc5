"""Regular expressions that are matched while a server waits: how much work one can be, and which are too much.

Python's `re` tries one way to match after another, and can't be interrupted: for 30 characters `(a+)+$` has a
billion ways.
"""

import re
from math import log2
from re import _constants as codes
from re import _parser as parser
from typing import Any

SEEN = 1024
"""Bytes of a body that a pattern is matched with: the first ones."""
LONGEST = 500
"""Characters of a pattern."""
_MOST_DOUBLINGS = 21
"""A pattern may have so many ways to match at one place, as a power of two: a second or so for the worst text."""


def compiled(pattern: str) -> re.Pattern[str]:
    """Raises ValueError for what is no regular expression, or may take too long."""
    if len(pattern) > LONGEST:
        raise ValueError(f"the pattern has {len(pattern)} characters; the limit is {LONGEST}")
    try:
        found = re.compile(pattern)
        doublings = _doublings(parser.parse(pattern))
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{pattern[:100]!r} is not a regular expression: {error}") from None
    if doublings > _MOST_DOUBLINGS:
        raise ValueError(
            f"{pattern[:100]!r} can take too long, and the server waits for it: at most two parts may be repeated "
            "(`*`, `+`), and nothing in a repeated group; `[ab]*` does it for `(a|b)*`"
        )
    return found


def _doublings(parts: Any) -> float:
    """The power of two that is the number of ways in which parts of a pattern can match, with room for more."""
    return sum(_doublings_of(code, value) for code, value in parts)


def _doublings_of(code: Any, value: Any) -> float:
    if code in {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}:
        least, most, repeated = value
        least, most = min(least, SEEN), min(most, SEEN)
        return log2(most - least + 1) + float(most) * _doublings(repeated)
    if code is codes.BRANCH:
        return log2(len(value[1])) + sum(map(_doublings, value[1]))
    if code is codes.GROUPREF_EXISTS:
        return sum(_doublings(branch) for branch in value[1:] if branch)
    inner = value if code is codes.ATOMIC_GROUP else value[-1] if code in _WITH_PARTS else ()
    return _doublings(inner)


_WITH_PARTS = {codes.SUBPATTERN, codes.ASSERT, codes.ASSERT_NOT}
