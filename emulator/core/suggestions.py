"""Suggestions for an unknown name."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

_LONGEST = 100
"""The most characters of a name that are compared."""
_MOST_COMPARED = 100_000
"""The most pairs of characters that one search compares, which takes up to 20 ms."""
_MOST = 30
"""The most names in a list."""
_SHOWN = 100
"""The most characters of a name in a list."""
_MOST_SEARCHES = 100


class Suggest(Protocol):
    """`did_you_mean`, or one that searches only so often."""

    def __call__(self, name: str, known: Iterable[str], most: int = _MOST) -> str: ...


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name most similar to `name`; None when no name is similar."""
    return next(iter(_nearest(name, known, 1, cutoff)), None)


def _nearest(name: str, known: Iterable[str], most: int, cutoff: float) -> list[str]:
    from difflib import get_close_matches

    wanted = name[:_LONGEST]
    return get_close_matches(wanted, _comparable(wanted, known, cutoff), n=most, cutoff=cutoff)


def _comparable(name: str, known: Iterable[str], cutoff: float) -> Iterator[str]:
    """The known names whose length allows a match, as many as are compared."""
    left = _MOST_COMPARED
    for each in known:
        if 2 * min(len(name), len(each)) >= cutoff * (len(name) + len(each)):
            left -= len(name) * len(each)
            if left < 0:
                return
            yield each


def did_you_mean(name: str, known: Iterable[str], most: int = _MOST) -> str:
    """`did you mean 'alice'?`, or the list of known names; of a long list, so many that are the most similar."""
    known = list(known)
    match = nearest(name, known)
    if match is not None:
        return f"did you mean {match!r}?"
    shown = known if len(known) <= most else _nearest(name, known, most, 0.0)
    more = f" and {len(known) - len(shown)} more" if len(shown) < len(known) else ""
    return f"there is {', '.join(each[:_SHOWN] for each in shown) or 'none'}{more}"


def limited_suggestions() -> Suggest:
    """As `did_you_mean` for the first hundred names; a list of a few names for the others."""
    searches = iter(range(_MOST_SEARCHES))

    def suggest(name: str, known: Iterable[str], most: int = _MOST) -> str:
        if next(searches, None) is not None:
            return did_you_mean(name, known, most)
        return f"there is {', '.join(each[:_SHOWN] for each in islice(known, 3)) or 'none'} …"

    return suggest
