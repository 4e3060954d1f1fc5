"""What a run found, as text of at most 80 columns."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from textwrap import wrap

from emulator.conformance.cases import Case
from emulator.conformance.compare import Difference
from emulator.conformance.run import Outcome

WIDTH = 80
_COLUMN = 37
"""Two of them, with a mark and a blank before each."""
_BEFORE = 18
"""Characters before the first byte that differs, in a line that is too long for its column."""
_STATES = ("holds", "differs", "left out")


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A table by group, then which rules are broken, and why some cases were left out."""
    yield f"{'group':<30}{'cases':>9}{'hold':>9}{'differ':>9}{'left out':>10}"
    for group, counts in by_group(outcomes).items():
        yield _counted(group, counts)
    yield _counted("all", Counter(outcome.state for outcome in outcomes))
    for rule, count in Counter(outcome.case.rule for outcome in outcomes if outcome.difference).items():
        yield _cut(f"{count} differ: {rule}")
    for reason, count in left_out(outcomes).items():
        yield from wrap(f"{count} left out: {reason}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def by_group(outcomes: Iterable[Outcome]) -> Mapping[str, Counter[str]]:
    """How many cases of each group are in each state."""
    found: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.case.group, Counter())[outcome.state] += 1
    return dict(sorted(found.items()))


def left_out(outcomes: Iterable[Outcome]) -> Mapping[str, int]:
    """How many cases were left out, by reason."""
    return Counter(outcome.left_out for outcome in outcomes if outcome.left_out)


def _counted(name: str, counts: Mapping[str, int]) -> str:
    hold, differ, out = (counts.get(state, 0) for state in _STATES)
    return f"{name:<30}{hold + differ + out:>9}{hold:>9}{differ:>9}{out:>10}"


# --- a difference -----------------------------------------------------------------------------------------------------


def difference(outcome: Outcome, titles: tuple[str, str] = ("expected", "found")) -> Iterator[str]:
    """What was expected beside what came, and a `^` at the first byte that differs."""
    case, wrong = outcome.case, outcome.difference
    assert wrong is not None
    yield from (_cut(line) for line in (f"differs: {case.name}", f"   rule: {case.rule}"))
    yield _cut(f"   from: {case.evidence}, group {case.group}")
    yield _cut(f"request: {first_line(case)}")
    yield from beside(wrong, titles)


def beside(wrong: Difference, titles: tuple[str, str]) -> Iterator[str]:
    yield _columns(" ", *titles).rstrip()
    pairs = list(_pairs(wrong))
    differing = wrong.expected or b"", wrong.found or b""
    marked = next((at for at, (one, other) in enumerate(pairs) if (one or b"", other or b"") == differing), 0)
    for number, pair in enumerate(pairs):
        place = wrong.place if number == marked else 0
        yield _columns(">" if number == marked else " ", *(_window(line, place) for line in pair)).rstrip()
        if number == marked and wrong.part != "connection":
            yield _columns(" ", *(" " * _offset(line, place) + "^" for line in pair)).rstrip()
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


def _columns(mark: str, one: str, other: str) -> str:
    return f"{mark} {one:<{_COLUMN}} {mark} {other}"


def _window(line: bytes | None, place: int) -> str:
    """The line, or the part of it around a byte."""
    text, start = shown(line or b""), _start(line, place)
    text = f"…{text[start + 1 :]}" if start else text
    return text if len(text) <= _COLUMN else f"{text[: _COLUMN - 1]}…"


def _start(line: bytes | None, place: int) -> int:
    before = len(shown((line or b"")[:place]))
    return max(0, before - _BEFORE) if len(shown(line or b"")) > _COLUMN and before >= _COLUMN - 1 else 0


def _offset(line: bytes | None, place: int) -> int:
    return len(shown((line or b"")[:place])) - _start(line, place)


def first_line(case: Case) -> str:
    """Of its request, or of each that is made of the response before."""
    requests = [step.argument for step in case.steps if step.do == "fill"] or [case.request]
    return ", then ".join(shown(request.partition(b"\r\n")[0]) for request in requests)


def shown(data: bytes) -> str:
    """As text, with escapes for what can't be printed."""
    text = data.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


# --- what would be sent -----------------------------------------------------------------------------------------------


def listed(cases: Iterable[Case]) -> Iterator[str]:
    """Each case, what is sent first, and what it needs."""
    for case in cases:
        needs = f" [needs {', '.join(case.needs)}]" if case.needs else ""
        yield _cut(f"{case.group}: {case.name}{needs}")
        yield _cut(f"    {first_line(case)}")
