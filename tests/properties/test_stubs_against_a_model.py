"""The first stub that fits answers, in any order of adding, removing, requests, resets, snapshots and restores."""

import re
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from emulator import Emulator, running_in_thread
from emulator.control.stubs import Stub
from tests.raw import exchange, request

SCENARIO = {
    "version": 1,
    "stubs": [
        {"request": "GET /claims/*", "text": "scenario", "times": 2, "auth": "none"},
        {"request": "* /users/**", "text": "users", "auth": "none"},
    ],
}


@dataclass(frozen=True)
class Plain:
    """A stub as the model has it."""

    request: str
    text: str
    times: int | None
    answered: int = 0

    def fits(self, method: str, path: str) -> bool:
        own, _, pattern = self.request.partition(" ")
        parts = (re.escape(part) for part in re.split(r"(\*\*|\*)", pattern))
        expression = "".join({r"\*\*": ".*", r"\*": "[^/]*"}.get(part, part) for part in parts)
        used_up = self.times is not None and self.answered >= self.times
        return own in {"*", method} and not used_up and re.fullmatch(expression, path) is not None


BEGINNING = tuple(Plain(each["request"], each["text"], each.get("times")) for each in SCENARIO["stubs"])  # type: ignore[attr-defined]

METHODS = st.sampled_from(["GET", "POST"])
PATHS = st.sampled_from(
    ["/claims", "/claims/7", "/claims/7/x", "/users", "/users/wallet/0x1", "/v1/health", "/v1/helth"]
)
REQUESTS = st.tuples(
    st.sampled_from(["GET", "POST", "*"]),
    st.sampled_from(["/claims", "/claims/*", "/**", "/claims/**", "/users/*/0x1", "/v1/*lth", "/*"]),
).map(" ".join)


class StubMachine(RuleBasedStateMachine):
    """Every rule changes both in the same way; every request has the same answer."""

    emulator: Emulator

    def __init__(self) -> None:
        super().__init__()
        self.emulator.reset()
        self.plain: list[Plain] = list(BEGINNING)
        self.added = 0
        self.kept: list[tuple[Any, list[Plain]]] = []

    @rule(request=REQUESTS, times=st.none() | st.integers(1, 3))
    def add(self, request: str, times: int | None) -> None:
        self.added += 1
        self.emulator.stub(request, text=f"{self.added}", times=times, auth="none")
        self.plain.append(Plain(request, f"{self.added}", times))

    @rule(place=st.integers(0, 9))
    def remove(self, place: int) -> None:
        stubs: list[Stub] = list(self.emulator.stubs)
        if place < len(stubs):
            stubs[place].remove()
            del self.plain[place]

    @rule(method=METHODS, path=PATHS)
    def send(self, method: str, path: str) -> None:
        answer = exchange(self.emulator.url, request(method, path))

        if path == "/v1/health" and method == "GET":
            assert b"schedulable" in answer.body
            return
        place = next((at for at, each in enumerate(self.plain) if each.fits(method, path)), None)
        if place is None:
            assert answer.status == (405 if path == "/v1/health" else 404)
            return
        assert answer.body.decode() == self.plain[place].text
        self.plain[place] = replace(self.plain[place], answered=self.plain[place].answered + 1)

    @rule()
    def reset(self) -> None:
        self.emulator.reset()
        self.plain = list(BEGINNING)

    @rule()
    def keep(self) -> None:
        self.kept.append((self.emulator.snapshot(), list(self.plain)))

    @rule(place=st.integers(0, 2))
    def restore(self, place: int) -> None:
        if place < len(self.kept):
            snapshot, plain = self.kept[place]
            self.emulator.restore(snapshot)
            self.plain = list(plain)

    @rule()
    def clear(self) -> None:
        self.emulator.stubs.clear()
        self.plain = []

    @invariant()
    def both_count_the_same(self) -> None:
        assert [(each.request, each.answered) for each in self.emulator.stubs] == [
            (each.request, each.answered) for each in self.plain
        ]


QUICK = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)


def test_the_first_that_fits_answers_whatever_happened_before() -> None:
    with running_in_thread(scenario=SCENARIO) as emulator:
        StubMachine.emulator = emulator
        run_state_machine_as_test(StubMachine, settings=QUICK)
