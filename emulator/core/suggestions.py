"""What was meant, when a name is not there."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 100
_MOST = 30


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'alice'?`, or those there are."""
    known = list(known)
    match = get_close_matches(name[:_LONGEST], known, n=1)
    return f"did you mean {match[0]!r}?" if match else f"there is {_listed(known)}"


def _listed(known: list[str]) -> str:
    more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return f"{', '.join(known[:_MOST]) or 'none'}{more}"
