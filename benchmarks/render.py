"""Results as people read them: the tables of docs/performance.md, and its chart."""

import re
import statistics
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from benchmarks.budgets import Results, Verdict, judge, of_sum, ratio, samples, shown
from benchmarks.rates import BARE, OURS, RAW
from benchmarks.raw import OPERATIONS
from benchmarks.servers import ROOT

PAGE = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "performance.svg"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def rounded(value: Any) -> Any:
    """Results with as many digits as mean something, for a file that can be read."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


def measured(verdict: Verdict) -> str:
    return "–" if verdict.measured is None else shown(verdict.measured, verdict.budget.unit)


def line(verdict: Verdict) -> str:
    """A verdict in a terminal."""
    what = verdict.budget.what.replace("`", "")
    return f"{what:<62}{measured(verdict):>12}  {verdict.word:<12} {verdict.budget.text}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, [":--" if number == 0 else "--:" for number, _ in enumerate(heads)], *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines) + "\n"


def budgets(results: Results) -> str:
    rows = [(each.budget.what, measured(each), each.budget.text, each.word) for each in judge(results)]
    return table(("what", "measured", "budget", "verdict"), rows)


def rates(results: Results) -> str:
    """A table for each number of connections."""
    found = results["rates"]
    return "\n".join(
        f"{connections} connection{'s' if connections != '1' else ''}:\n\n{_rates(found, connections)}"
        for connections in ("16", "1")
    )


_RATE_HEADS = ("route", "server", "requests/s", "× bare", "p50 ms", "p99 ms", "CPU s / 10,000", "CPU × bare")


def _rates(found: Results, connections: str) -> str:
    rows = []
    for route, counts in found.items():
        servers = {name: each for name, each in counts[connections].items() if not name.endswith("alone")}
        rows += [(f"`{route}`", name, *_rate(each, servers[BARE])) for name, each in servers.items()]
    return table(_RATE_HEADS, rows)


def _rate(each: list[dict[str, float]], bare: list[dict[str, float]]) -> tuple[str, ...]:
    def median(field: str) -> float:
        return statistics.median(sample[field] for sample in each)

    def share(field: str) -> float:
        return ratio([sample[field] for sample in each], [sample[field] for sample in bare])

    return (
        f"{median('rate'):,.0f}",
        f"{share('rate'):.2f}",
        f"{median('p50') / 1000:.2f}",
        f"{median('p99') / 1000:.2f}",
        f"{median('cpu'):.2f}",
        f"{share('cpu'):.2f}",
    )


def raw(results: Results) -> str:
    """Each ECDSA operation alone, and the shares of the ceiling that follows from it."""
    rows = [
        (f"`{route}`", operation, *_of_sum(results, route, operation))
        for route, counts in results["rates"].items()
        for operation in OPERATIONS
        if f"{operation} alone" in counts["16"]
    ]
    heads = ("route", "ECDSA", "alone, µs", "emulator ÷ (bare + alone)", "bare + raw in one handler ÷ (bare + alone)")
    return table(heads, rows)


def _of_sum(results: Results, route: str, operation: str) -> tuple[str, ...]:
    micros = statistics.median(samples(results, route, f"{operation} alone", "micros"))
    return (f"{micros:.0f}", *(f"{of_sum(results, route, name, operation):.2f}" for name in (OURS, RAW)))


def starts(results: Results) -> str:
    bare = [sample["start"] for sample in results["starts"][BARE]]
    rows = [
        (
            name,
            *(f"{statistics.median(sample[field] for sample in each):,.0f}" for field in ("start", "stop")),
            f"{ratio([sample['start'] for sample in each], bare):.2f}",
        )
        for name, each in results["starts"].items()
    ]
    return table(("server", "start to first answer, ms", "SIGTERM to end, ms", "start × bare"), rows)


def fixture(results: Results) -> str:
    rows = [
        (part, name, f"{statistics.median(each):,.2f}")
        for part, found in results["fixture"].items()
        for name, each in found.items()
    ]
    return table(("the plugin", "", "ms"), rows)


def memory(results: Results) -> str:
    rows = [(kind, f"{statistics.median(each):,.0f}") for kind, each in results["memory"].items()]
    return table(("kept of each", "bytes"), rows)


def resets(results: Results) -> str:
    rows = [(name, *(_reset(each, field) for field in _RESET)) for name, each in results["resets"].items()]
    return table(("server", "reset, ms", "median request in the next second, ms", "slowest, ms"), rows)


_RESET = ("reset", "median", "worst")


def _reset(each: list[dict[str, float]], field: str) -> str:
    return f"{statistics.median(sample[field] for sample in each):.3f}" if field in each[0] else "–"


def source(results: Results) -> str:
    made = results["made"]
    peers = dict.fromkeys(results["versions"].values())
    lines = [
        f"{made['cores']} cores, Python {made['python']}, aiohttp {made['aiohttp']}, cryptography "
        f"{made['cryptography']}; load by {made['load']}, {made['runs']} alternating runs of {made['seconds']} s "
        f"after a warm-up. Beside us: {', '.join(peers)}.",
        *(f"{name} is missing: {why}." for name, why in results["missing"].items()),
    ]
    return "\n\n".join(lines) + "\n"


def figures(results: Results) -> str:
    """The generated part of the page."""
    parts = (
        source(results),
        "![How much of each budget is used](performance.svg)\n",
        "### Budgets\n",
        budgets(results),
        "### Rates\n",
        rates(results),
        raw(results),
        "### Start and stop\n",
        starts(results),
        "### The fixture\n",
        fixture(results),
        "### Memory\n",
        memory(results),
        "### Resets\n",
        resets(results),
    )
    return "\n".join(parts)


def page(text: str, results: Results) -> str:
    """The page with its figures replaced."""
    within = f"{BEGIN}\n\n{figures(results)}\n{END}"
    return re.sub(f"{BEGIN}.*{END}", lambda _: within, text, flags=re.DOTALL)


def write(results: Results) -> None:
    results = rounded(results)
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    CHART.write_text(chart(judge(results)), encoding="utf-8")


# --- the chart --------------------------------------------------------------------------------------------------------

_LEFT, _WIDTH, _ROW, _TOP = 400, 400, 26, 44
_GOOD, _BAD, _INK = "#2e7d4f", "#c0392b", "#24292f"


def chart(verdicts: Iterable[Verdict]) -> str:
    """Each budget's use as a bar: the line is the limit, and a bar beyond it is over."""
    shown_ones = [each for each in verdicts if each.measured is not None]
    height = _TOP + _ROW * len(shown_ones) + 16
    bars = "\n".join(_bar(each, _TOP + number * _ROW) for number, each in enumerate(shown_ones))
    limit = _LEFT + _WIDTH // 2
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="920" height="{height}" viewBox="0 0 920 {height}" \
font-family="system-ui, sans-serif" font-size="13" fill="{_INK}">
<rect width="920" height="{height}" fill="#ffffff"/>
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
        f'<text x="{_LEFT + _WIDTH + 12}" y="{top + 15}">{measured(verdict)}</text>'
    )
