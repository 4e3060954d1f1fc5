"""Texts made to be slow: twice as much takes about twice as long, wherever a pattern meets what a client sent."""

from collections.abc import Callable
from time import thread_time

import pytest

from emulator.http.operation import why_never
from emulator.journal.exchange import Exchange, Message
from emulator.journal.queries import ExchangeFilter
from emulator.world.step_check import OPERATIONS
from tests.measuring import quickest
from tests.slow.conftest import Figure
from tests.worlds import make_world

SIZE = 32 * 1024
"""Bytes; compared with twice as many."""
TIMES = 5


def exchange(path: str) -> Exchange:
    nothing = Message(b"", b"", 0)
    return Exchange(1, "GET", path, "", nothing, 404, nothing, "", 0, 0.0)


def ratio(work: Callable[[int], Callable[[], object]]) -> float:
    small, large = quickest(work(SIZE), work(2 * SIZE), times=TIMES, clock=thread_time)
    return large / max(small, 1e-4)


PATTERNS: dict[str, tuple[Callable[[int], str], Callable[[int], str]]] = {
    "one letter after each star": (lambda size: "*a" * (size // 2) + "b", lambda size: "a" * size),
    "one letter after each double star": (lambda size: "**a" * (size // 3) + "b", lambda size: "a" * size),
    "a long text after a star": (lambda size: f"*{'a' * (size // 2)}b", lambda size: "a" * size),
    "a long text between two double stars": (lambda size: f"**{'a' * (size // 2)}b**", lambda size: "a" * size),
    "a segment after each double star": (lambda size: "/**/a" * (size // 5) + "/b", lambda size: "/a" * (size // 2)),
    "both kinds in turn": (lambda size: "/**/*" * (size // 5) + "/b", lambda size: "/a" * (size // 2)),
    "many segments": (lambda size: f"/**{'/*' * (size // 4)}/b/**", lambda size: "/a" * (size // 2)),
    "many segments that begin alike": (lambda size: f"**{'/*a' * (size // 6)}/b**", lambda size: "/a" * (size // 2)),
    "many different segments": (
        lambda size: f"**{''.join(f'/*{each}' for each in range(size // 6))}/b**",
        lambda size: "".join(f"/a{each}" for each in range(size // 6)),
    ),
    "double stars alone": (lambda size: "/**" * (size // 3), lambda size: "/a" * (size // 2)),
    "stars alone": (lambda size: "*" * size + "x", lambda size: "a" * size),
    "empty segments": (lambda size: "**/*c" * (size // 5) + "x", lambda size: "/" * size),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_time_in_proportion(name: str, figure: Figure) -> None:
    pattern, path = PATTERNS[name]

    def work(size: int) -> Callable[[], object]:
        wanted, found = pattern(size), exchange(path(size))
        return lambda: ExchangeFilter(path=wanted).differences(found)

    assert ratio(work) < 3


@pytest.mark.parametrize("segment", ["/**", "/**/a", "/*", "/v1/**"])
def test_a_step_is_checked_in_time_in_proportion(segment: str) -> None:
    def work(size: int) -> Callable[[], object]:
        request = f"GET {segment * (size // len(segment))}"
        return lambda: why_never(request, OPERATIONS)

    assert ratio(work) < 3


@pytest.mark.parametrize("text", ["eyJ", "eyJ.", "eyJa.eyJa-", "a" * 64, "2024-02-15T05:47:17.1", "localhost:", "0x0"])
def test_a_journal_is_normalised_in_time_in_proportion(text: str) -> None:
    def work(size: int) -> Callable[[], object]:
        journal = make_world().journal
        journal.record(exchange("/" + text * (size // len(text))))
        return journal.normalised

    assert ratio(work) < 3
