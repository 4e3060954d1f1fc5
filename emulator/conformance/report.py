"""What a run found, as text: lines of a given width, 80 where it is not known."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from textwrap import wrap

from emulator.conformance.cases import Case
from emulator.conformance.causes import cause
from emulator.conformance.compare import Difference, shown
from emulator.conformance.run import SPENT, Outcome

WIDTH = 80
_COLUMN = 37
"""Of two, with a mark and a blank before each: the least width where there is room."""
_BEFORE = 18
"""Characters before the first byte that differs, in a line that is too long for its column."""
_STATES = ("holds", "differs", "left out")
_MOST_RULES = 3
TITLES = ("expected", "found")


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A table by group."""
    yield f"{'group':<30}{'cases':>9}{'hold':>9}{'differ':>9}{'left out':>10}"
    for group, counts in by_group(outcomes).items():
        yield _counted(group, counts)
    yield _counted("all", Counter(outcome.state for outcome in outcomes))


def verdict(outcomes: Sequence[Outcome], expected: str, width: int = WIDTH) -> Iterator[str]:
    """Whether all holds that was sent, and what was not sent."""
    reasons = left_out(outcomes)
    text = _held(Counter(outcome.state for outcome in outcomes), len(by_cause(outcomes)), expected)
    cut = "; the run was cut short by --max-requests" if SPENT in reasons else ""
    out = sum(reasons.values())
    rest = f"; {out} {'was' if out == 1 else 'were'} left out:" if out else ""
    yield from _wrapped(f"{text}{cut}{rest}", width)
    for reason, count in reasons.items():
        yield from _wrapped(f"  {count}: {reason}", width, "    ")


def _held(counts: Mapping[str, int], causes: int, expected: str) -> str:
    sent = counts["differs"] + counts["holds"]
    if counts["differs"]:
        few = f"{causes} cause{'s' * (causes != 1)}"
        return f"{counts['differs']} of {sent} cases differ from {expected}, for {few}"
    return f"all {sent} cases that were sent hold against {expected}" if sent else "no case was sent"


def by_group(outcomes: Iterable[Outcome]) -> Mapping[str, Counter[str]]:
    """How many cases of each group are in each state."""
    found: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.case.group, Counter())[outcome.state] += 1
    return dict(sorted(found.items()))


def left_out(outcomes: Iterable[Outcome]) -> Mapping[str, int]:
    """How many cases were left out, by reason."""
    return dict(Counter(outcome.left_out for outcome in outcomes if outcome.left_out).most_common())


def _counted(name: str, counts: Mapping[str, int]) -> str:
    hold, differ, out = (counts.get(state, 0) for state in _STATES)
    return f"{name:<30}{hold + differ + out:>9}{hold:>9}{differ:>9}{out:>10}"


# --- a difference -----------------------------------------------------------------------------------------------------


def by_cause(outcomes: Iterable[Outcome]) -> Mapping[str, Sequence[Outcome]]:
    """The cases that differ, by the cause in words; the cause of most cases first."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.difference:
            found.setdefault(cause(outcome.difference), []).append(outcome)
    return dict(sorted(found.items(), key=lambda each: -len(each[1])))


def causes(outcomes: Iterable[Outcome], titles: tuple[str, str] = TITLES, width: int = WIDTH) -> Iterator[str]:
    """Each cause with its first case in full, and in short which cases it breaks."""
    for same in by_cause(outcomes).values():
        yield from difference(same[0], titles, width, same if len(same) > 1 else ())
        yield ""


def difference(
    outcome: Outcome, titles: tuple[str, str] = TITLES, width: int = WIDTH, same: Sequence[Outcome] = ()
) -> Iterator[str]:
    """The cause, and what was expected beside what came, with a `^` at the first byte that differs.

    `same` are all cases with that cause, where they are not shown one by one.
    """
    case, wrong = outcome.case, outcome.difference
    assert wrong is not None
    labelled = {
        "differs": cause(wrong),
        **_breadth(same),
        "first" if same else "case": case.name,
        "rule": case.rule,
        "from": f"{case.evidence}, group {case.group}",
        "request": first_line(case),
    }
    for label, text in labelled.items():
        yield from _wrapped(f"{label:>7}: {text}", width, " " * 9)
    yield from beside(wrong, titles, width)


def _breadth(same: Sequence[Outcome]) -> Mapping[str, str]:
    """How many cases have a cause, in which groups, and the rules that they belong to if those are several."""
    groups, rules = (Counter(getattr(each.case, name) for each in same) for name in ("group", "rule"))
    found = {"cases": f"{len(same)}, in {_most_common(groups, len(groups), ', ')}"} if same else {}
    return {**found, "rules": _most_common(rules, _MOST_RULES, "; ")} if len(rules) > 1 else found


def _most_common(counts: Counter[str], most: int, between: str) -> str:
    text = between.join(f"{name} ({count})" for name, count in counts.most_common(most))
    return f"{text}{between}and {len(counts) - most} more" if len(counts) > most else text


def beside(wrong: Difference, titles: tuple[str, str], width: int = WIDTH) -> Iterator[str]:
    pairs = list(_pairs(wrong))
    column = _column(pairs, width)
    differing = wrong.expected or b"", wrong.found or b""
    marked = next((at for at, (one, other) in enumerate(pairs) if (one or b"", other or b"") == differing), 0)
    yield _columns(" ", *titles, column)
    for number, (one, other) in enumerate(pairs):
        place = wrong.place if number == marked else 0
        windows = _window(one, place, column), _window(other, place, column)
        yield _columns(">" if number == marked else " ", *windows, column)
        if number == marked and wrong.part != "connection":
            yield _columns(" ", _pointer(one, place, column), _pointer(other, place, column), column)
    if wrong.part != "connection":
        where = " of the marked line" if wrong.part in {"status", "head"} else ""
        yield f"  the {wrong.part} differs at byte {wrong.place}{where}"


def _pairs(wrong: Difference) -> Iterator[tuple[bytes | None, bytes | None]]:
    """Status and head line by line, then the bodies as they are."""
    if wrong.part in {"connection", "frame"}:
        yield wrong.expected, wrong.found
        return
    (one, _, one_body), (other, _, other_body) = (whole.partition(b"\r\n\r\n") for whole in wrong.wholes)
    yield from zip_longest(one.split(b"\r\n") if one else (), other.split(b"\r\n") if other else ())
    if one_body or other_body:
        yield b"", b""
        yield one_body, other_body


def _column(pairs: Iterable[Iterable[bytes | None]], width: int) -> int:
    """Characters of each column: as many as the longest line has, if there is room."""
    longest = max((len(shown(line or b"")) for pair in pairs for line in pair), default=0)
    return min(max(_COLUMN, longest), (width - 6) // 2)


def _columns(mark: str, one: str, other: str, column: int) -> str:
    return f"{mark} {one:<{column}} {mark} {other}".rstrip()


def _window(line: bytes | None, place: int, column: int) -> str:
    """The line, or the part of it around a byte."""
    text, start = shown(line or b""), _start(line, place, column)
    text = f"…{text[start + 1 :]}" if start else text
    return text if len(text) <= column else f"{text[: column - 1]}…"


def _pointer(line: bytes | None, place: int, column: int) -> str:
    return " " * (len(shown((line or b"")[:place])) - _start(line, place, column)) + "^"


def _start(line: bytes | None, place: int, column: int) -> int:
    before = len(shown((line or b"")[:place]))
    is_cut = len(shown(line or b"")) > column and before >= column - 1
    return max(0, before - min(_BEFORE, column // 2)) if is_cut else 0


def first_line(case: Case) -> str:
    """Of its request, or of each that is made of the response before."""
    requests = [step.argument for step in case.steps if step.do == "fill"] or [case.request]
    return ", then ".join(shown(request.partition(b"\r\n")[0]) for request in requests)


def _wrapped(line: str, width: int, indent: str = "  ") -> list[str]:
    return wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)


# --- what would be sent -----------------------------------------------------------------------------------------------


def listed(cases: Iterable[Case], width: int = WIDTH) -> Iterator[str]:
    """Each case, what is sent first, and what it needs."""
    for case in cases:
        needs = f" [needs {', '.join(case.needs)}]" if case.needs else ""
        yield from _wrapped(f"{case.group}: {case.name}{needs}", width)
        yield from _wrapped(f"    {first_line(case)}", width, "      ")
