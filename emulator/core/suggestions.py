"""Suggestions for an unknown name."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

_LONGEST = 100
"""The most characters of a name that are compared."""
_MOST_COMPARED = 100_000
"""The most pairs of characters that one search compares, which takes up to 20 ms."""
_MOST = 30
"""The most names in a list."""
_SHOWN = 100
"""The most characters of a name in a list."""
_MOST_SEARCHES = 100

Suggest = Callable[[str, Iterable[str]], str]
"""`did_you_mean`, or one that searches only so often."""


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name most similar to `name`; None when no name is similar."""
    from difflib import get_close_matches

    wanted = name[:_LONGEST]
    return next(iter(get_close_matches(wanted, _comparable(wanted, known, cutoff), n=1, cutoff=cutoff)), None)


def _comparable(name: str, known: Iterable[str], cutoff: float) -> Iterator[str]:
    """The known names whose length allows a match, as many as are compared."""
    left = _MOST_COMPARED
    for each in known:
        if 2 * min(len(name), len(each)) >= cutoff * (len(name) + len(each)):
            left -= len(name) * len(each)
            if left < 0:
                return
            yield each


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'alice'?`, or the list of known names."""
    known = list(known)
    match = nearest(name, known)
    return f"there is {_listed(known)}" if match is None else f"did you mean {match!r}?"


def limited_suggestions() -> Suggest:
    """As `did_you_mean` for the first hundred names; a list of a few names for the others."""
    searches = iter(range(_MOST_SEARCHES))

    def suggest(name: str, known: Iterable[str]) -> str:
        if next(searches, None) is not None:
            return did_you_mean(name, known)
        return f"there is {', '.join(each[:_SHOWN] for each in islice(known, 3)) or 'none'} …"

    return suggest


def _listed(known: list[str]) -> str:
    more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return f"{', '.join(each[:_SHOWN] for each in known[:_MOST]) or 'none'}{more}"
