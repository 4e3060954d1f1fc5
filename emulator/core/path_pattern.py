"""Patterns of paths, as used in scenarios, faults and journal queries: `*` is one segment, `**` is anything."""

import re
from collections.abc import Iterator, Sequence

_ANYTHING = re.compile(r"\*\*+(?:/\*\*+)*")
"""`**`, and as many in a row as there are."""

Pieces = Sequence[str]
"""Texts with a `*` between each two."""


class PathPattern:
    """A pattern of paths.

    Matching takes time in proportion to pattern and path, whatever they are: what is between two `**` is looked for
    once, from left to right, and nothing is ever taken back.
    """

    def __init__(self, text: str) -> None:
        first, *others = _ANYTHING.split(text)
        self._first = first.split("*")
        self._between = others[:-1]
        self._last = [piece[::-1] for piece in reversed(others[-1].split("*"))] if others else None

    def matches(self, path: str) -> bool:
        if self._last is None:
            return _is_whole(self._first, path)
        at = _end(self._first, path, 0)
        for stretch in self._between:
            at = _end_after(stretch, path, at) if at >= 0 else at
        # The last stretch is matched backwards, from the path's end.
        return at >= 0 and (length := _end(self._last, path[::-1], 0)) >= 0 and at + length <= len(path)


def _end(pieces: Pieces, path: str, at: int) -> int:
    """Where pieces end at the earliest if they begin at `at`; -1 if they don't."""
    if not path.startswith(pieces[0], at):
        return -1
    at += len(pieces[0])
    slash = -1
    for piece in pieces[1:]:
        if slash < at:
            slash = _segment_end(path, at)
        before_slash = piece.find("/")
        if before_slash < 0:
            at = path.find(piece, at, slash)
        else:  # it can be in one place only
            at = slash - before_slash if slash - before_slash >= at else -1
        if at < 0 or not path.startswith(piece, at):
            return -1
        at += len(piece)
    return at


def _segment_end(path: str, at: int) -> int:
    slash = path.find("/", at)
    return len(path) if slash < 0 else slash


def _is_whole(pieces: Pieces, path: str) -> bool:
    """Whether pieces are all of a path, or of a segment."""
    *before, last = pieces
    if not before:
        return path == last
    at, rest = _end(before, path, 0), len(path) - len(last)
    return 0 <= at <= rest and path.endswith(last) and path.find("/", at, rest) < 0


def _end_after(stretch: str, path: str, at: int) -> int:
    """Where the first match of what is between two `**` ends, from `at` on; -1 if there is none."""
    if "*" not in stretch:
        found = path.find(stretch, at)
        return found if found < 0 else found + len(stretch)
    if "/" not in stretch:
        return _end_within_a_segment(stretch.split("*"), path, at)
    first, *between, last = stretch.split("/")
    # It may begin and end inside a segment.
    return _end_over_segments([each.split("*") for each in (f"*{first}", *between, f"{last}*")], path, at)


def _end_within_a_segment(pieces: Pieces, path: str, at: int) -> int:
    while (at := path.find(pieces[0], at)) >= 0:
        if (end := _end(pieces, path, at)) >= 0:
            return end
        at = _segment_end(path, at)  # a later place in the same segment has no more after it
    return -1


def _end_over_segments(segments: Sequence[Pieces], path: str, at: int) -> int:
    """The bits of `reached` are the places in `segments` up to which the segments just passed match."""
    alike = _alike(segments)
    reached, begin = 0, at
    while begin <= len(path):
        segment = path[begin : _segment_end(path, begin)]
        places, reached = reached << 1 | 1, 0
        while places:
            place = (places & -places).bit_length() - 1
            if _is_whole(segments[place], segment):
                reached |= places & alike[place]
            places &= ~alike[place]
        if reached >> len(segments) - 1:
            return begin + _end(segments[-1][:-1], segment, 0)
        begin += len(segment) + 1
    return -1


def _alike(segments: Sequence[Pieces]) -> Sequence[int]:
    """For each segment the places of those like it, as bits."""
    places: dict[tuple[str, ...], int] = {}
    for place, segment in enumerate(segments):
        places[tuple(segment)] = places.get(tuple(segment), 0) | 1 << place
    return [places[tuple(segment)] for segment in segments]


_MOST_COMPARED = 10_000
"""Pairs of places in two patterns."""


def can_meet(first: str, second: str) -> bool:
    """Whether some path matches both patterns. Of two very long ones it is assumed."""
    literal = min(len(each.partition("*")[0]) for each in (first, second))
    if first[:literal] != second[:literal]:
        return False
    if len(first) * len(second) > _MOST_COMPARED:
        return True
    one, other = _TOKENS.findall(first), _TOKENS.findall(second)
    end = len(one), len(other)
    waiting, seen = [(0, 0)], {(0, 0)}
    while waiting:
        place = waiting.pop()
        if place == end:
            return True
        new = [each for each in _next_places(one, other, place) if each not in seen]
        waiting += new
        seen.update(new)
    return False


_TOKENS = re.compile(rf"{_ANYTHING.pattern}|.", re.DOTALL)


def _next_places(one: Sequence[str], other: Sequence[str], place: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """How far both patterns may have come with one more token of one of them, or the same character of both."""
    at, by = place
    mine, theirs = (one[at] if at < len(one) else ""), (other[by] if by < len(other) else "")
    if mine[:1] == "*":
        yield at + 1, by
        if _takes(mine, theirs):
            yield at, by + 1
    if theirs[:1] == "*":
        yield at, by + 1
        if _takes(theirs, mine):
            yield at + 1, by
    elif mine and mine == theirs:
        yield at + 1, by + 1


def _takes(wildcard: str, piece: str) -> bool:
    """Whether what a wildcard stands for can have this character."""
    return bool(piece) and piece[0] != "*" and (wildcard != "*" or piece != "/")
