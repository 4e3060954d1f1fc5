"""Results as people read them: lines for a terminal, the tables of docs/performance.md, and its chart."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from benchmarks.budgets import BUDGETS, Figure, Results, Verdict, judge, rate, ratio, samples, shown
from benchmarks.servers import BARE, OURS, RAW, ROOT

PAGE = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "performance.svg"


def measured(verdict: Verdict) -> str:
    return "–" if verdict.measured is None else shown(verdict.measured, verdict.budget.unit)


def line(verdict: Verdict) -> str:
    """A verdict in a terminal."""
    what = verdict.budget.what.replace("`", "")
    return f"{what:<62}{measured(verdict):>12}  {verdict.word:<12} {verdict.budget.text}"


def compared(results: Results) -> Iterator[str]:
    """The CPU of a request of this version and of each variant, with the change from the first variant.

    The least of the runs is what other work on the machine has disturbed least.
    """
    variants = results["made"]["variants"]
    if not variants or not results.get("rates"):
        return
    runs = results["made"]["runs"]
    yield f"CPU of a request at 16 connections, µs: median (least to most of {runs} runs), change from {variants[0]}"
    for route in results["rates"]:
        yield route
        old = samples(results, rate(route, variants[0], "cpu"))
        for name in (OURS, *variants):
            cpu = samples(results, rate(route, name, "cpu"))
            changes = "" if cpu is old else f"{ratio(cpu, old) - 1:+.1%}, of the least {min(cpu) / min(old) - 1:+.1%}"
            spread = f"({min(cpu):.1f} to {max(cpu):.1f})"
            yield f"  {name:<28}{statistics.median(cpu):>8.1f}  {spread:<20}{changes}".rstrip()


# --- the page ---------------------------------------------------------------------------------------------------------


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, [":--" if number == 0 else "--:" for number, _ in enumerate(heads)], *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines) + "\n"


def _median(results: Results, figure: Figure) -> float:
    return statistics.median(samples(results, figure))


def suite(results: Results) -> str:
    """What a test suite pays, in milliseconds, bytes and MiB."""
    verdicts = [each for each in judge(results) if each.budget.unit != "×" and each.measured is not None]
    return table(("", "in all", "without the emulator", "limit"), [_cost(results, each) for each in verdicts])


def _cost(results: Results, verdict: Verdict) -> Sequence[str]:
    budget = verdict.budget
    figures = [shown(_median(results, each), budget.unit) if each else "" for each in (budget.figure, budget.against)]
    return (budget.what, *figures, budget.text if verdict.within else f"**{budget.text}: {verdict.word}**")


def rates(results: Results) -> str:
    """Each route beside aiohttp that sends the same bytes."""
    heads = ("", "requests/s", "bare aiohttp", "share", "limit", "one request, ms")
    return table(heads, [_rate(results, *row) for row in _rows(results)])


def _rows(results: Results) -> Iterator[tuple[str, str]]:
    """The routes, and the emulators with worlds of different sizes."""
    for route, found in results["rates"].items():
        yield from ((route, server) for server in found["16"] if server == OURS or server.endswith("rows"))


def _rate(results: Results, route: str, server: str) -> Sequence[str]:
    other = RAW if RAW in results["rates"][route]["16"] else BARE
    ours, theirs = rate(route, server), rate(route, other)
    return (
        f"`{route}`" + ("" if server == OURS else f", {server}") + (", ECDSA in both" if other == RAW else ""),
        f"{_median(results, ours):,.0f}",
        f"{_median(results, theirs):,.0f}",
        f"{ratio(samples(results, ours), samples(results, theirs)):.2f}",
        _LIMITS.get((ours, theirs), ""),
        f"{_median(results, rate(route, server, 'p50', 1)) / 1000:.2f}",
    )


_LIMITS = {(each.figure, each.against): f"≥ {each.limit}" for each in BUDGETS if each.least}
_PEERS = ("rate", "cpu", "memory")


def peers(results: Results) -> str:
    """`GET public-key`, or what a peer has that is most like it."""
    route, found = next(iter(results["rates"].items()))
    figures = {name: (("starts", name), *(rate(route, name, field) for field in _PEERS)) for name in found["16"]}
    rows = [(name, *(f"{_median(results, each):,.0f}" for each in row)) for name, row in figures.items()]
    return table(("", "start, ms", "requests/s", "CPU of a request, µs", "memory, MiB"), rows)


def source(results: Results) -> str:
    made = results["made"]
    lines = [
        f"{made['cores']} cores ({made['processor']}), Python {made['python']}, aiohttp {made['aiohttp']}, "
        f"cryptography {made['cryptography']}; load by {made['load']}; medians of {made['runs']} runs of "
        f"{made['seconds']} s in turn. Peers: {', '.join(dict.fromkeys(results['versions'].values()))}.",
        *(f"{name} is missing: {why}." for name, why in results["missing"].items()),
    ]
    return "\n\n".join(lines) + "\n"


PARTS = {"machine": source, "suite": suite, "rates": rates, "peers": peers}


def page(text: str, results: Results) -> str:
    """The page with what is between its markers replaced."""
    for name, part in PARTS.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n\n{part(results)}\n{end}{rest.partition(end)[2]}"
    return text


def write(results: Results) -> None:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    CHART.write_text(chart(judge(results)), encoding="utf-8")


# --- the chart --------------------------------------------------------------------------------------------------------

_LEFT, _WIDTH, _ROW, _TOP = 430, 240, 26, 44
_GOOD, _BAD, _INK = "#2e7d4f", "#c0392b", "#24292f"


def chart(verdicts: Iterable[Verdict]) -> str:
    """Each budget's use as a bar: the line is the limit, and a bar beyond it is over."""
    shown_ones = [each for each in verdicts if each.measured is not None]
    height = _TOP + _ROW * len(shown_ones) + 16
    bars = "\n".join(_bar(each, _TOP + number * _ROW) for number, each in enumerate(shown_ones))
    limit = _LEFT + _WIDTH // 2
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="1040" height="{height}" viewBox="0 0 1040 {height}" \
font-family="system-ui, sans-serif" font-size="13" fill="{_INK}">
<rect width="1040" height="{height}" fill="#ffffff"/>
<text x="{limit}" y="20" text-anchor="middle" font-weight="600">share of the budget that is used</text>
<text x="{limit}" y="36" text-anchor="middle">100 %</text>
{bars}
<line x1="{limit}" x2="{limit}" y1="{_TOP - 4}" y2="{height - 12}" stroke="{_INK}" stroke-dasharray="4 3"/>
</svg>
"""


def used(verdict: Verdict) -> float:
    """1 is all of the budget; more is over it."""
    assert verdict.measured is not None
    return verdict.budget.limit / verdict.measured if verdict.budget.least else verdict.measured / verdict.budget.limit


def _bar(verdict: Verdict, top: int) -> str:
    width = max(1, round(min(used(verdict), 2.0) * _WIDTH / 2))
    what = escape(verdict.budget.what.replace("`", ""))
    color = _GOOD if verdict.within else _BAD
    return (
        f'<text x="{_LEFT - 8}" y="{top + 15}" text-anchor="end">{what}</text>'
        f'<rect x="{_LEFT}" y="{top + 3}" width="{width}" height="{_ROW - 9}" fill="{color}"/>'
        f'<text x="{_LEFT + _WIDTH + 12}" y="{top + 15}">{measured(verdict)} ({escape(verdict.budget.text)})</text>'
    )
