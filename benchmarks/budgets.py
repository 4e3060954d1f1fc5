"""What is allowed, as a table, and whether a run's results are within it."""

import statistics
from collections.abc import Iterable
from typing import Any, NamedTuple

from benchmarks.servers import BARE, BARE_SOCKET, OURS, RAW
from benchmarks.settings import FEW, MANY, SCENARIO, TEST, row_name

Results = dict[str, Any]

Figure = tuple[str, ...]
"""The keys that lead to a figure's samples, one of each round: ("starts", "bare aiohttp")."""


class Budget(NamedTuple):
    """A limit for a figure: for its ratio to `against` when the unit is "×", else for what it has over `against`."""

    what: str
    limit: float
    unit: str
    figure: Figure
    against: Figure = ()
    beside: str = ""
    """What the limit is a multiple of, or beyond."""
    least: bool = False

    @property
    def text(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.limit:,g} {self.unit} {self.beside}".strip()

    def measured(self, results: Results) -> float | None:
        """None where the results have no figure."""
        try:
            figure = samples(results, self.figure)
            if not self.against:
                return statistics.median(figure)
            return (ratio if self.unit == "×" else difference)(figure, samples(results, self.against))
        except KeyError:
            return None


class Verdict(NamedTuple):
    budget: Budget
    measured: float | None

    @property
    def within(self) -> bool:
        if self.measured is None:
            return False
        return self.measured >= self.budget.limit if self.budget.least else self.measured <= self.budget.limit

    def excused(self, missing: Iterable[str]) -> bool:
        """Whether there is no figure because a peer is not available."""
        return self.measured is None and any(peer in self.budget.what for peer in missing)

    @property
    def word(self) -> str:
        if self.measured is None:
            return "not measured"
        return "ok" if self.within else "OVER"


def shown(figure: float, unit: str) -> str:
    """A figure as people read it."""
    digits = {"×": 2, "ms": 0 if abs(figure) >= 100 else 2, "bytes": 0, "MiB": 0}[unit]
    return f"{round(figure, digits) + 0.0:,.{digits}f} {unit}"


def samples(results: Results, figure: Figure) -> list[float]:
    """Raises KeyError."""
    found: Any = results
    for key in figure:
        found = found[key]
    assert isinstance(found, list)
    return found


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> float:
    """The median of each round's ratio: what slows a whole round down is not in it."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def difference(ours: Iterable[float], theirs: Iterable[float]) -> float:
    """The median of each round's difference."""
    return statistics.median(one - other for one, other in zip(ours, theirs, strict=True))


def rate(route: str, server: str = OURS, field: str = "rate", connections: int = 16) -> Figure:
    return ("rates", route, str(connections), server, field)


def at_least(what: str, limit: float, figure: Figure, against: Figure, beside: str) -> Budget:
    return Budget(what, limit, "×", figure, against, beside, least=True)


def faster(peer: str) -> Budget:
    return at_least(f"`GET public-key` against {peer}", 5, rate(_KEY), rate(_KEY, peer), "its rate")


def reset(world: str) -> Budget:
    both, alone = ("resets", world, "reset"), ("resets", world, "request")
    return Budget(f"reset and the next request, {world}", 0.3, "ms", both, alone, "over a request alone")


def kept(what: str, limit: float) -> Budget:
    return Budget(f"memory kept of each {what}", limit, "bytes", ("memory", what))


_KEY, _SEEN, _NEW = "GET public-key", "GET verify, token seen before", "GET verify, new tokens"
_SIGN, _CREATE, _ID, _LIST = "POST /v1/identity", "POST /identity", "GET /identity/{id}", "GET /identities?limit=100"
_RATE, _FEW, _ROWS = "the rate of bare aiohttp", f"the rate with {row_name(FEW)}", row_name(MANY)
_TEST = f"{_ROWS} {TEST}"
_START, _CPU, _MEMORY = ("starts", OURS), rate(_KEY, OURS, "cpu"), rate(_KEY, OURS, "memory")
_FIRST, _EACH, _EMPTY = ("fixture", "first use"), ("fixture", "each test"), "an empty fixture"
_RUNNING, _UNUSED, _WITHOUT = (
    ("fixture", "not asking", row) for row in ("server running", "plugin unused", "no plugin")
)
_SLOWEST, _BARE_SLOWEST = ("resets", _TEST, "slowest"), ("resets", BARE, "slowest")
_SOCKETS = ("sockets", OURS), ("sockets", BARE_SOCKET)

BUDGETS = (
    Budget("start to first answer", 1.35, "×", _START, ("starts", BARE), "a bare aiohttp script"),
    at_least("`GET public-key`", 0.75, rate(_KEY), rate(_KEY, BARE), _RATE),
    at_least("`GET verify`, token seen before", 0.65, rate(_SEEN), rate(_SEEN, BARE), _RATE),
    at_least("`GET verify`, new tokens", 0.75, rate(_NEW), rate(_NEW, RAW), "bare aiohttp that verifies"),
    at_least("`POST /v1/identity`", 0.75, rate(_SIGN), rate(_SIGN, RAW), "bare aiohttp that signs"),
    at_least("`POST /identity`", 0.45, rate(_CREATE), rate(_CREATE, BARE), "bare aiohttp that reads the body"),
    at_least(f"`GET /identity/{{id}}`, {_ROWS}", 0.9, rate(_ID, _ROWS), rate(_ID), _FEW),
    at_least(f"page of 100, {_ROWS}", 0.5, rate(_LIST, _ROWS), rate(_LIST), _FEW),
    *map(faster, ("moto", "pytest-httpserver", "oidc-provider-mock")),
    Budget("CPU of a request against WireMock", 0.5, "×", _CPU, rate(_KEY, "WireMock", "cpu"), "its CPU"),
    Budget("start against WireMock", 0.5, "×", _START, ("starts", "WireMock"), "its start"),
    Budget("memory against WireMock", 0.25, "×", _MEMORY, rate(_KEY, "WireMock", "memory"), "its memory"),
    Budget(
        "CPU of a WebSocket: connect, first message, close",
        1.5,
        "×",
        ("sockets", OURS),
        ("sockets", BARE_SOCKET),
        "bare",
    ),
    Budget("plugin installed, not used", 5, "ms", ("fixture", "unused", OURS)),
    Budget("first use of the fixture", 60, "ms", (*_FIRST, OURS), (*_FIRST, BARE), "over bare aiohttp"),
    Budget("each further test", 0.3, "ms", (*_EACH, OURS), (*_EACH, _EMPTY), f"over {_EMPTY}"),
    Budget("a test that does not ask for it", 0.15, "ms", _RUNNING, _WITHOUT, "over the same without the plugin"),
    Budget("the same, before the first that asks", 0.03, "ms", _UNUSED, _WITHOUT, "over the same without the plugin"),
    *map(reset, (row_name(0), f"{_ROWS} {SCENARIO}", _TEST)),
    Budget(f"slowest request in the next second, {_TEST}", 2, "ms", _SLOWEST, _BARE_SLOWEST, "over bare aiohttp's"),
    Budget("end of the session", 20, "ms", ("fixture", "end", "idle")),
    Budget("end of the session while a handler hangs", 150, "ms", ("fixture", "end", "a handler hangs")),
    Budget("start with 100,000 identities (`crowded`)", 2000, "ms", ("fixture", "crowded", "loading")),
    Budget("the process then", 150, "MiB", ("fixture", "crowded", "process")),
    kept("bare POST /v1/identity", 8),
    kept("identity with an e-mail", 400),
    kept("identity with a database", 400),
    kept("Intuition identity", 1500),
    kept("Intuition identity, listed", 1500),
)


def judge(results: Results) -> list[Verdict]:
    return [Verdict(budget, budget.measured(results)) for budget in BUDGETS]
