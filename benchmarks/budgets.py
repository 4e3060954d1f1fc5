"""What is allowed, as a table, and whether a run's results are within it."""

import statistics
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from benchmarks.rates import BARE, OURS, RAW, world

Results = dict[str, Any]

_MANY, _SOME, _FEW = world(100_000), world(1_000), world(10)


class Budget(NamedTuple):
    """`measure` takes the figure out of the results; it raises KeyError where they have none."""

    what: str
    limit: float
    unit: str
    beside: str
    measure: Callable[[Results], float]
    least: bool = False

    @property
    def text(self) -> str:
        return f"{'≥' if self.least else '≤'} {shown(self.limit, self.unit)}{f' {self.beside}' if self.beside else ''}"


class Verdict(NamedTuple):
    """`measured` is None where the results have no figure."""

    budget: Budget
    measured: float | None

    @property
    def within(self) -> bool:
        if self.measured is None:
            return False
        return self.measured >= self.budget.limit if self.budget.least else self.measured <= self.budget.limit

    def excused(self, missing: Iterable[str]) -> bool:
        """Whether there is no figure because a peer could not be had."""
        return self.measured is None and any(peer in self.budget.what for peer in missing)

    @property
    def word(self) -> str:
        if self.measured is None:
            return "not measured"
        return "ok" if self.within else "OVER"


def shown(figure: float, unit: str) -> str:
    """A figure as people read it."""
    digits = {"×": 2, "ms": 3 if figure < 1 else 2, "bytes": 0, "MiB": 0}[unit]
    return f"{figure:,.{digits}f} {unit}"


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> float:
    """The median of each round's ratio: what slows a whole round down is not in it."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def difference(ours: Iterable[float], theirs: Iterable[float]) -> float:
    """The median of each round's difference."""
    return statistics.median(one - other for one, other in zip(ours, theirs, strict=True))


def ceiling(bare: Iterable[float], micros: Iterable[float]) -> list[float]:
    """Each round's rate of a server that takes the bare handler's time and one raw operation's."""
    return [1 / (1 / rate + each / 1e6) for rate, each in zip(bare, micros, strict=True)]


def samples(results: Results, route: str, name: str, field: str, connections: int = 16) -> list[float]:
    """One figure of each round. Raises KeyError."""
    return [each[field] for each in results["rates"][route][str(connections)][name]]


def against(route: str, theirs: str = BARE, ours: str = OURS, field: str = "rate") -> Callable[[Results], float]:
    """One server's figure as a multiple of another's."""
    return lambda results: ratio(samples(results, route, ours, field), samples(results, route, theirs, field))


def of_sum(results: Results, route: str, name: str, operation: str) -> float:
    """A server's rate as a share of 1 / (the bare handler's time + that of the operation measured alone)."""
    micros = samples(results, route, f"{operation} alone", "micros")
    return ratio(samples(results, route, name, "rate"), ceiling(samples(results, route, BARE, "rate"), micros))


def start_against(theirs: str) -> Callable[[Results], float]:
    def measure(results: Results) -> float:
        ours, other = results["starts"][OURS], results["starts"][theirs]
        return ratio([each["start"] for each in ours], [each["start"] for each in other])

    return measure


def weight(kind: str) -> Callable[[Results], float]:
    return lambda results: statistics.median(results["memory"][kind])


def reset(size: str) -> Callable[[Results], float]:
    return lambda results: statistics.median(each["reset"] for each in results["resets"][size])


def slowest(size: str) -> Callable[[Results], float]:
    """Beyond what the bare handler's slowest request is over its median in the same round: the machine has its own."""

    def over(results: Results, name: str) -> list[float]:
        return [each["worst"] - each["median"] for each in results["resets"][name]]

    return lambda results: max(difference(over(results, size), over(results, BARE)), 0.0)


def fixture(row: str, name: str = OURS, less: str = "") -> Callable[[Results], float]:
    """What a part of the plugin costs, less what something else does."""

    def measure(results: Results) -> float:
        found = results["fixture"][row]
        return difference(found[name], found[less]) if less else statistics.median(found[name])

    return measure


_KEY, _SEEN, _NEW = "GET public-key", "GET verify, token seen before", "GET verify, new tokens"
_PAGE = "GET /identities?limit=100"
_RATE = "the rate of bare aiohttp"

BUDGETS = (
    Budget("start to first answer, standalone", 1.35, "×", "a bare aiohttp script", start_against(BARE)),
    Budget("`GET public-key`, journal on", 0.75, "×", _RATE, against(_KEY), least=True),
    Budget("`GET verify`, token seen before", 0.65, "×", _RATE, against(_SEEN), least=True),
    Budget("`GET verify`, new token each time", 0.75, "×", "bare + raw verify", against(_NEW, theirs=RAW), least=True),
    Budget("`POST /v1/identity`", 0.75, "×", "bare + raw sign", against("POST /v1/identity", theirs=RAW), least=True),
    Budget("`POST /identity`", 0.45, "×", "bare aiohttp reading the body", against("POST /identity"), least=True),
    Budget(
        "`GET /identity/{id}`, 100,000 against 10",
        0.9,
        "×",
        "the rate in a world of 10",
        against("GET /identity/{id}", theirs=_FEW, ours=_MANY),
        least=True,
    ),
    Budget(
        "page of 100, 100,000 against 1,000",
        2.0,
        "×",
        "the time in a world of 1,000",
        against(_PAGE, theirs=_MANY, ours=_SOME),
    ),
    Budget("kept of a bare `POST /v1/identity`", 8, "bytes", "", weight("bare POST /v1/identity")),
    Budget("kept of an identity with an e-mail", 400, "bytes", "", weight("identity with an e-mail")),
    Budget("kept of an identity with a database", 400, "bytes", "", weight("identity with a database")),
    Budget("kept of an Intuition identity", 1500, "bytes", "", weight("Intuition identity")),
    Budget("the same, once listed", 1500, "bytes", "", weight("Intuition identity, listed")),
    *(Budget(f"reset, {size}", 0.1, "ms", "", reset(size)) for size in (world(0), world(10_000), _MANY)),
    *(
        Budget(
            f"slowest request in the second after, {size}",
            2,
            "ms",
            "more over its median than bare aiohttp",
            slowest(size),
        )
        for size in (world(0), world(10_000), _MANY)
    ),
    *(
        Budget(f"`GET public-key` against {peer}", 5, "×", "its rate", against(_KEY, theirs=peer), least=True)
        for peer in ("moto", "pytest-httpserver", "oidc-provider-mock")
    ),
    Budget("CPU of a request against WireMock, warm", 0.5, "×", "its CPU", against(_KEY, "WireMock", field="cpu")),
    Budget("start against WireMock", 0.5, "×", "its start", start_against("WireMock")),
    Budget("memory against WireMock", 0.25, "×", "its memory", against(_KEY, "WireMock", field="rss")),
    Budget("plugin module: import and hooks, unused", 5, "ms", "", fixture("unused")),
    Budget("first use of the fixture", 60, "ms", "over bare aiohttp", fixture("first use", less=BARE)),
    Budget("each further test", 0.3, "ms", "over an empty fixture", fixture("each test", less="an empty fixture")),
    Budget("starting with `crowded`, imports included", 2000, "ms", "", fixture("crowded", "loading")),
    Budget("the process then", 150, "MiB", "", fixture("crowded", "process")),
    Budget("reset to `crowded`", 0.1, "ms", "", fixture("crowded", "reset")),
    Budget("session end, idle", 20, "ms", "", fixture("end", "idle")),
    Budget("session end, a handler hangs", 150, "ms", "", fixture("end", "a handler hangs")),
)


def judge(results: Results) -> list[Verdict]:
    return [Verdict(budget, _measured(budget, results)) for budget in BUDGETS]


def _measured(budget: Budget, results: Results) -> float | None:
    try:
        return budget.measure(results)
    except KeyError:
        return None
