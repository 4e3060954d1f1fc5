"""What was meant, when a name is not known."""

from collections.abc import Iterable

_LONGEST = 100
"""Characters of a name that are compared."""
_MOST = 30
"""Names that are listed."""


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that is most like `name`; None when none is like it."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name[:_LONGEST], known, n=1, cutoff=cutoff)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'alice'?`, or those there are."""
    known = list(known)
    match = nearest(name, known)
    return f"there is {_listed(known)}" if match is None else f"did you mean {match!r}?"


def _listed(known: list[str]) -> str:
    more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return f"{', '.join(known[:_MOST]) or 'none'}{more}"
