"""Sends the cases of a table to a server, one at a time, and says of each whether it holds."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from emulator.conformance.cases import NEEDS, PAGE, Case, Step, Turn
from emulator.conformance.compare import MINTED, Difference, Response, responses_in
from emulator.conformance.identify import (
    Identified,
    identify,
    identify_intuition,
    look_for_database,
    seconds,
    unreachable,
)
from emulator.conformance.replay import Answer, send
from emulator.conformance.target import Target, Unusable
from emulator.conformance.tokens import Keys, Signers, renewed
from emulator.conformance.websockets import converse

MOST_REQUESTS = 5_000
SPENT = "--max-requests was reached"
"""Why a case was not sent that would have been one too many."""
SILENT = 3
"""So many cases in a row without any response show that the target is gone."""
PATIENCE = 3.0
"""Seconds to wait for a response, or for the end of a connection."""
PARTLY_RECORDED = ("other headers", "reason", "body")
"""The masks of cases of which not everything was recorded."""
TRIES = 2
MOST_TRIES = 5
"""For a case whose tokens were made for a second that passes at each try."""


@dataclass(frozen=True)
class Given:
    """What whoever runs the cases gives; its fields have the names of `cases.NEEDS`."""

    keys: Keys | None = None
    database: str | None = None
    api_key: str | None = None


@dataclass(frozen=True)
class Outcome:
    case: Case
    difference: Difference | None = None
    left_out: str | None = None
    """Why it was not sent."""
    duration: float = 0.0
    """Seconds, of all its tries."""

    @property
    def state(self) -> Literal["holds", "differs", "left out"]:
        return "left out" if self.left_out else "differs" if self.difference else "holds"


def run(
    cases: Iterable[Case],
    target: Target,
    given: Given | None = None,
    *,
    most: int = MOST_REQUESTS,
    other: Target | None = None,
    patience: float = PATIENCE,
) -> Iterator[Outcome]:
    """The outcomes, each as soon as it is there. With `other`, what that server says is expected.

    Raises Unusable for a target that can't be reached, is no such server, has another key, or stops answering.
    """
    cases = tuple(cases)
    return map(Runner(cases, target, given or Given(), most=most, other=other, patience=patience).outcome, cases)


class Runner:
    """Sends cases of a table, in any order. Raises as `run`."""

    def __init__(
        self,
        cases: Iterable[Case],
        target: Target,
        given: Given,
        *,
        most: int = MOST_REQUESTS,
        other: Target | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._target, self._given, self._other, self._patience = target, given, other, patience
        self._left = most
        """Requests that may still be sent."""
        self._silent = 0
        look = _of_a_page if {case.group for case in cases} == {PAGE} else _of_a_release
        self._now, public_key = look(target, given)
        self._signers = Signers(given.keys, public_key)
        if other is not None:
            look(other, given)

    def outcome(self, case: Case) -> Outcome:
        if reason := self._reason_to_leave_out(case):
            return Outcome(case, left_out=reason)
        started = time.perf_counter()
        difference = self._tried(case)
        return Outcome(case, difference, duration=time.perf_counter() - started)

    def _reason_to_leave_out(self, case: Case) -> str | None:
        for need in case.needs:
            if getattr(self._given, need) is None:
                return NEEDS[need]
        return SPENT if self._left < _requests(case) else None

    def _tried(self, case: Case) -> Difference | None:
        """A case that differs is sent again: what was an accident, or came a second too late, does not count."""
        for tries in range(1, MOST_TRIES + 1):
            now = self._now
            tokens = self._tokens(case, now)
            difference = self._difference(self._for_target(case, tokens))
            if difference is None or self._left < _requests(case) or (tries >= TRIES and self._now == now):
                break
        self._silent = self._silent + 1 if _is_silence(difference) else 0
        if self._silent == SILENT:
            raise Unusable(f"{self._target.authority} said nothing to {SILENT} cases in a row: does it hang?")
        return difference and _with_recorded(difference, tokens)

    def _difference(self, case: Case) -> Difference | None:
        if case.turns:
            return self._of_talk(case)
        expected = case if self._other is None else self._as_the_other_says(self._other, case)
        self._left -= _requests(case)
        answer = self._sent(self._target, expected)
        dates = (seconds(Response.of(raw)) for raw in answer.responses)
        self._now = max((date for date in dates if date is not None), default=self._now)
        return answer.difference

    def _as_the_other_says(self, other: Target, case: Case) -> Case:
        """Whole, also where not all of it was recorded."""
        answer = self._sent(other, _with_host(case, other))
        masks = tuple(dict.fromkeys((*MINTED, *(mask for mask in case.masks if mask not in PARTLY_RECORDED))))
        return replace(case, response=b"".join(answer.responses), closed=answer.closed, masks=masks)

    def _of_talk(self, case: Case) -> Difference | None:
        self._left -= 1
        found = self._played(self._target, case)
        if self._other is None:
            return found
        expected = self._played(self._other, _with_host(case, self._other))
        if (found and found.found) == (expected and expected.found):
            return None
        recorded = found or expected
        assert recorded is not None
        pair = (each.found if each else recorded.expected for each in (expected, found))
        one, two = (text or b"" for text in pair)
        return Difference(recorded.part, one, two, (one, two))

    def _sent(self, target: Target, case: Case) -> Answer:
        with _naming(target, case):
            return send(target, case, patience=self._patience)

    def _played(self, target: Target, case: Case) -> Difference | None:
        with _naming(target, case):
            return converse(target, case, patience=self._patience)

    def _tokens(self, case: Case, now: int) -> Mapping[bytes, bytes]:
        """The target's own, and its API key, in the place of the recorded ones."""
        tokens = renewed(case.request, case.moment, now, self._signers) if case.moment else {}
        return {**tokens, API_KEY: self._given.api_key.encode()} if self._given.api_key else tokens

    def _for_target(self, case: Case, tokens: Mapping[bytes, bytes]) -> Case:
        if "database" in case.needs and self._given.database:
            case = _with_database(case, quote(self._given.database, safe="").encode())
        return _with_host(_changed(case, lambda data: _replaced(data, tokens)), self._target)


@contextmanager
def _naming(target: Target, case: Case) -> Iterator[None]:
    """Raises Unusable for a target that can't be reached in the block."""
    try:
        yield
    except OSError as error:
        raise Unusable(f"{unreachable(target, error)} (at {case.name!r})") from None


def _of_a_page(target: Target, _given: Given) -> Identified:
    """A server with Intuition's API. Raises Unusable."""
    return identify_intuition(target)


def _of_a_release(target: Target, given: Given) -> Identified:
    """A server with SpacetimeDB's API, the database and the key that were given. Raises Unusable."""
    found = identify(target)
    if given.database is not None:
        look_for_database(target, given.database)
    if given.keys is not None and found.public_key.split() != given.keys.public_pem.split():
        raise Unusable(f"{target.authority} has another public key than the one given: give the files of its own pair")
    return found


def _requests(case: Case) -> int:
    """How many requests a case is at most, with the one that finds out whether the connection is still open."""
    return max(1, len(responses_in(case.response))) + (case.closed is False and not case.turns)


def _is_silence(difference: Difference | None) -> bool:
    if difference is None or difference.expected is None:
        return False
    return difference.found == b"nothing" or (difference.part == "status" and difference.found is None)


def _with_recorded(wrong: Difference, tokens: Mapping[bytes, bytes]) -> Difference:
    """With the recorded tokens, which are good for nothing, in the place of those that were sent."""
    old = {new: old for old, new in tokens.items()}
    expected, found = (each and _replaced(each, old) for each in (wrong.expected, wrong.found))
    one, other = (_replaced(whole, old) for whole in wrong.wholes)
    return replace(wrong, expected=expected, found=found, wholes=(one, other))


# --- the same case for another server ---------------------------------------------------------------------------------

RECORDED_HOST = b"\r\nHost: 127.0.0.1:3000\r\n"
"""Of the servers that were recorded."""
API_KEY = b"<api key>"
"""In the place of one, in cases that are written by hand."""
_DATABASE = re.compile(rb"(?<= /v1/database/)[^/? ]+")


def _changed(case: Case, change: Callable[[bytes], bytes]) -> Case:
    """With everything changed that it sends or expects."""
    steps = (Step(do, change(data) if isinstance(data, bytes) else data) for do, data in case.steps)
    turns = (Turn(turn.sent, tuple((one, change(data)) for one, data in turn.frames), turn.ends) for turn in case.turns)
    return replace(case, steps=tuple(steps), response=change(case.response), turns=tuple(turns))


def _with_host(case: Case, target: Target) -> Case:
    host = b"\r\nHost: %b\r\n" % target.authority.encode()
    return _changed(case, lambda data: data.replace(RECORDED_HOST, host))


def _with_database(case: Case, name: bytes) -> Case:
    return _changed(case, lambda data: _DATABASE.sub(lambda _: name, data))


def _replaced(data: bytes, tokens: Mapping[bytes, bytes]) -> bytes:
    for old, new in tokens.items():
        data = data.replace(old, new)
    return data
