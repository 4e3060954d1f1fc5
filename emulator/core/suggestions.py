"""Suggestions for an unknown name."""

from collections.abc import Iterable

_LONGEST = 100
"""The most characters of a name that are compared."""
_MOST = 30
"""The most names in a list."""


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name most similar to `name`; None when no name is similar."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name[:_LONGEST], known, n=1, cutoff=cutoff)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'alice'?`, or the list of known names."""
    known = list(known)
    match = nearest(name, known)
    return f"there is {_listed(known)}" if match is None else f"did you mean {match!r}?"


def _listed(known: list[str]) -> str:
    more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return f"{', '.join(known[:_MOST]) or 'none'}{more}"
