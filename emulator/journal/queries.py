"""Queries and assertions over recorded exchanges."""

import asyncio
import re
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Literal, SupportsIndex, TypedDict, Unpack, overload

from emulator.core.arguments import all_checked, shown
from emulator.core.clock import Moment, Seconds, monotonic, to_moment, to_seconds
from emulator.core.errors import WrongArgument
from emulator.core.path_pattern import PathPattern
from emulator.core.request_match import ANY_REQUEST, Pattern, RequestMatch
from emulator.core.words import counted
from emulator.journal.exchange import Exchange
from emulator.journal.masking import readable

SHOWN = 5
"""Exchanges shown when an assertion fails."""
LOST_FOR = {
    "journal_size": "dropped; raise journal_size",
    "journal_bytes": "dropped, since all together had too many bytes; raise journal_bytes",
}
"""What is said of exchanges that were dropped, by the setting that limits them."""
_LONGEST = 300
"""Characters of a condition or a difference in a message."""

Status = int | Literal["1xx", "2xx", "3xx", "4xx", "5xx"]
"""A status, or a class of them."""


class Conditions(TypedDict, total=False):
    """Conditions on what a request holds, as in `RequestMatch`."""

    json: Any
    headers: Mapping[str, str | Pattern] | None
    query: Mapping[str, str | int | Pattern] | None
    body: bytes | str | Pattern | None


@dataclass(frozen=True)
class ExchangeFilter:
    """Conditions on an exchange; None matches anything. In `path`, `*` is one segment and `**` any number of them.

    `method` can be both: `POST /v1/identity`.
    """

    method: str | None = None
    path: str | None = None
    status: Status | None = None
    since: Moment | None = None
    match: RequestMatch = ANY_REQUEST
    frame: str | None = None
    """A part of the text of a frame of its WebSocket."""

    @classmethod
    def parse(cls, request: str) -> "ExchangeFilter":
        """`"POST /v1/identity"`, as scenarios write it."""
        if " " not in request:
            raise WrongArgument(f"journal.assert_order: {shown(request)} is not like 'POST /v1/identity'")
        return cls(request)

    def __post_init__(self) -> None:
        """Raises WrongArgument for a filter that no request can match: an assertion with it would prove nothing."""
        if self.method is not None and " " in self.method and self.path is None:
            method, _, path = self.method.partition(" ")
            object.__setattr__(self, "method", None if method == "*" else method)
            object.__setattr__(self, "path", path)
        if self.method is not None and not self.method.isalpha():
            text = f"method: {shown(self.method)} is not a method"
            raise WrongArgument(f'{text}; write it like "POST", "/v1/identity"', text)
        if self.path is not None and (not self.path.startswith(("/", "*")) or "?" in self.path):
            raise WrongArgument(f"path: {shown(self.path)} is not a path; it begins with a slash and has no query")

    @cached_property
    def _pattern(self) -> PathPattern | None:
        return None if self.path is None else PathPattern(self.path)

    @cached_property
    def _since(self) -> datetime | None:
        return None if self.since is None else to_moment(self.since)

    def differences(self, exchange: Exchange) -> list[str]:
        """The conditions that the exchange does not meet, in words."""
        found = []
        if self.method is not None and exchange.method != self.method.upper():
            found.append(f"method is {exchange.method}")
        if self._pattern is not None and not self._pattern.matches(exchange.path):
            found.append(f"path is {exchange.path}")
        if self.status is not None and not self._has_status(exchange.status):
            found.append(f"status is {exchange.status}")
        if self._since is not None and exchange.at < self._since:
            found.append(f"was at {exchange.at.isoformat()}")
        if self.frame is not None and not (exchange.websocket and exchange.websocket.has(self.frame)):
            found.append(f"has no frame with {self.frame!r}")
        return [*found, *self.match.differences(exchange.request.sent)] if self.match else found

    def _has_status(self, status: int) -> bool:
        if isinstance(self.status, str):
            return str(status)[:1] == self.status[:1] and status >= 100
        return status == self.status

    def __str__(self) -> str:
        given = {"status": self.status, **self.match._asdict()}
        held = [f"{name} {_in_one_line(value)}" for name, value in given.items() if value is not None]
        if self.frame is not None:
            held.append(f"a frame that has {self.frame!r}")
        words = f" with {', '.join(held)}" if held else ""
        return f"{(self.method or 'any method').upper()} {self.path or 'any path'}{words}"


def _in_one_line(value: object) -> str:
    return readable(str(value), _LONGEST)


@all_checked("journal.", status=404)
class ExchangeQueries(ABC):
    """Queries and assertions for a class with exchanges: the journal, and its client in another process."""

    @property
    @abstractmethod
    def exchanges(self) -> list[Exchange]:
        """Those kept, oldest first."""

    lost = 0
    """How many exchanges were dropped for lack of space."""
    lost_for = ""
    """The setting that limits them, one of `LOST_FOR`; empty when none was dropped."""

    @property
    def lost_in_words(self) -> str:
        """How many exchanges were dropped for lack of space, and what to do; empty when none was."""
        lost = counted(self.lost, "exchange was", "exchanges were")
        return f"{lost} {LOST_FOR[self.lost_for]}" if self.lost else ""

    def _check_whole(self) -> None:
        if lost := self.lost_in_words:
            raise AssertionError(f"the journal can't tell: {lost}")

    def _why_no_route(self, method: str, path: str) -> str:
        """Why no request of a method and a path pattern can reach a route; empty when one can, or if unknown."""
        return ""

    @abstractmethod
    def _listening(self, wake: Callable[[], object]) -> AbstractContextManager[object]:
        """Within the block, `wake` is called when there may be more exchanges, from any thread."""

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.exchanges)

    def __len__(self) -> int:
        return len(self.exchanges)

    @overload
    def __getitem__(self, place: SupportsIndex) -> Exchange: ...
    @overload
    def __getitem__(self, place: slice) -> list[Exchange]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Exchange | list[Exchange]:
        """`journal[0]` is the oldest of those kept, `journal[-1]` the last."""
        if not isinstance(place, slice | SupportsIndex):
            raise WrongArgument(f"journal[…]: expected a whole number, got {shown(place)}; for example journal[-1]")
        found = self.exchanges
        try:
            return found[place]
        except IndexError:
            raise IndexError(f"journal[{place}]: the journal has {counted(len(found), 'exchange')}") from None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {counted(len(self), 'exchange')}>"

    @property
    def unmatched(self) -> list[Exchange]:
        """Requests to paths that neither API has, or with methods that it does not have there."""
        return [exchange for exchange in self.exchanges if not exchange.matched]

    def find(
        self,
        method: str | None = None,
        path: str | None = None,
        status: Status | None = None,
        since: Moment | None = None,
        **conditions: Unpack[Conditions],
    ) -> list[Exchange]:
        """The exchanges that meet every given condition. In `path`, `*` is one segment and `**` any number of them.

        `find("POST /identity", json={"display_name": "JP"})`: both can be one text, and what `json` names must be equal
        in the body. `headers` and `query` are names and values, `body` is bytes or a compiled pattern, `status` can be
        like "4xx".
        """
        return self._matching(ExchangeFilter(method, path, status, since, RequestMatch(**conditions)))

    def _matching(self, wanted: ExchangeFilter) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if not wanted.differences(exchange)]

    def assert_requested(
        self,
        method: str | None = None,
        path: str | None = None,
        *,
        status: Status | None = None,
        times: int | None = None,
        **conditions: Unpack[Conditions],
    ) -> list[Exchange]:
        """Assert at least one matching request, or exactly `times`; return them. A failure shows the nearest ones.

        Conditions are those of `find`.
        """
        __tracebackhide__ = True
        wanted = ExchangeFilter(method, path, status, None, RequestMatch(**conditions))
        found = self._matching(wanted)
        if times is not None:
            self._check_whole()
        if (times is None and not found) or (times is not None and len(found) != times):
            expected = "at least once" if times is None else _times(times)
            missed = self._no_such_route(wanted) if not found else ""
            raise AssertionError(
                f"{wanted} was requested {_times(len(found))}, expected {expected}.{missed}{self._near(wanted)}"
            )
        return found

    def _no_such_route(self, wanted: ExchangeFilter) -> str:
        """A sentence for a path that no request can find, such as a misspelt one."""
        why = self._why_no_route(wanted.method.upper() if wanted.method else "*", wanted.path) if wanted.path else ""
        return f"\nThere is no such route: {why}" if why else ""

    def assert_not_requested(
        self,
        method: str | None = None,
        path: str | None = None,
        *,
        status: Status | None = None,
        **conditions: Unpack[Conditions],
    ) -> None:
        """Assert that there is no matching request. A failure lists those there are. Conditions are those of `find`."""
        __tracebackhide__ = True
        wanted = ExchangeFilter(method, path, status, None, RequestMatch(**conditions))
        if found := self._matching(wanted):
            raise AssertionError(f"{wanted} was requested {_times(len(found))}, expected never.{_listed(found)}")
        self._check_whole()

    def assert_order(self, *requests: str) -> None:
        """Assert that requests like `"GET /v1/identity/*/verify"` came in this order; others may come in between."""
        __tracebackhide__ = True
        if not requests:
            raise WrongArgument('assert_order: requests is missing; for example assert_order("POST /v1/identity")')
        remaining = iter(self.exchanges)
        filters = [ExchangeFilter.parse(request) for request in requests]
        for place, wanted in enumerate(filters):
            if not any(not wanted.differences(exchange) for exchange in remaining):
                after = f" after {requests[place - 1]}" if place else ""
                raise AssertionError(f"{wanted} was not requested{after}.{_listed(self.exchanges)}")

    def duplicates(self) -> list[list[Exchange]]:
        """Groups of exchanges with the same method, target, headers and body: what a retrying client sends."""
        groups: dict[Any, list[Exchange]] = {}
        for exchange in self.exchanges:
            same = (exchange.method, exchange.target, exchange.request.head, exchange.request.kept)
            groups.setdefault(same, []).append(exchange)
        return [group for group in groups.values() if len(group) > 1]

    def wait_for(
        self,
        method: str | None = None,
        path: str | None = None,
        *,
        status: Status | None = None,
        frame: str | None = None,
        times: int = 1,
        timeout: Seconds = 5.0,
        **conditions: Unpack[Conditions],
    ) -> list[Exchange]:
        """Wait for `times` matching exchanges, at most `timeout` real seconds. Raises AssertionError after that.

        With `frame`, for WebSockets with this text in a frame, sent or received. Raises RuntimeError in a task: it
        would block the event loop, and so the client it waits for. A loop that merely runs in this thread, as
        Playwright's synchronous API leaves one, is no reason.
        """
        __tracebackhide__ = True
        if _in_a_task():
            raise RuntimeError("wait_for would block the running event loop; use `await journal.async_wait_for(...)`")
        wanted = ExchangeFilter(method, path, status, None, RequestMatch(**conditions), frame)
        return self._wait_for(wanted, times, to_seconds(timeout))

    async def async_wait_for(
        self,
        method: str | None = None,
        path: str | None = None,
        *,
        status: Status | None = None,
        frame: str | None = None,
        times: int = 1,
        timeout: Seconds = 5.0,  # noqa: ASYNC109 - the same names as wait_for
        **conditions: Unpack[Conditions],
    ) -> list[Exchange]:
        """As `wait_for`, from a coroutine under asyncio or trio."""
        __tracebackhide__ = True
        wanted = ExchangeFilter(method, path, status, None, RequestMatch(**conditions), frame)
        seconds = to_seconds(timeout)
        if _on_trio():
            import trio

            return await trio.to_thread.run_sync(self._wait_for, wanted, times, seconds, abandon_on_cancel=True)
        return await self._wait_on_asyncio(wanted, times, seconds)

    async def _wait_on_asyncio(
        self,
        wanted: ExchangeFilter,
        times: int,
        timeout: float,  # noqa: ASYNC109 - real seconds, also while freezegun stops the loop's
    ) -> list[Exchange]:
        __tracebackhide__ = True
        changed, end = asyncio.Event(), monotonic() + timeout
        wake = partial(asyncio.get_running_loop().call_soon_threadsafe, changed.set)
        timer = threading.Timer(timeout, wake)
        timer.daemon = True
        timer.start()
        try:
            with self._listening(wake):
                while (found := self._found(wanted, times, end - monotonic(), timeout)) is None:
                    await changed.wait()
                    changed.clear()
                return found
        finally:
            timer.cancel()

    def _wait_for(self, wanted: ExchangeFilter, times: int, timeout: float) -> list[Exchange]:
        __tracebackhide__ = True
        changed, end = threading.Event(), monotonic() + timeout
        with self._listening(changed.set):
            while (found := self._found(wanted, times, end - monotonic(), timeout)) is None:
                changed.wait(end - monotonic())
                changed.clear()
            return found

    def _found(self, wanted: ExchangeFilter, times: int, left: float, timeout: float) -> list[Exchange] | None:
        """The matching exchanges, None while there are too few. Raises AssertionError when no time is left."""
        __tracebackhide__ = True
        if times < 1:
            raise WrongArgument(f"times: expected at least 1, got {times}; for example times=2")
        found = self._matching(wanted)
        if len(found) >= times:
            return found
        if left > 0:
            return None
        missed = self._no_such_route(wanted) if not found else ""
        waited = f"{wanted} was requested {_times(len(found))} within {timeout:g} s, expected {_times(times)}"
        raise AssertionError(f"{waited}.{missed}{self._near(wanted)}")

    def normalised(self) -> list[dict[str, Any]]:
        """Method, target, status and bodies for snapshot tests, with each value that differs between runs numbered.

        The first token is `<token 1>` wherever it appears; likewise identities, UUIDs, hashes, times and hosts.
        """
        numbered = _Numbered()
        return [
            {
                "method": exchange.method,
                "target": numbered(exchange.target),
                "status": exchange.status,
                "request": numbered(exchange.request.body),
                "response": numbered(exchange.response.body),
            }
            for exchange in self.exchanges
        ]

    def _near(self, wanted: ExchangeFilter) -> str:
        """The exchanges with the fewest differences, and these."""
        ranked = sorted(self.exchanges, key=lambda exchange: len(wanted.differences(exchange)))[:SHOWN]
        nearest = sorted(ranked, key=lambda exchange: exchange.number)
        if not nearest:
            return "\nNothing was requested at all."
        remarks = [", ".join(wanted.differences(exchange)) or "matches" for exchange in nearest]
        lines = [_line(*each) for each in zip(nearest, map(_in_one_line, remarks), strict=True)]
        return "\nThe nearest exchanges:\n" + "\n".join(lines)


def _line(exchange: Exchange, remark: str) -> str:
    why = f"\n      why: {readable(exchange.why)}" if exchange.why else ""
    return f"  {exchange.summary}  ({remark}){why}"


def _listed(exchanges: list[Exchange]) -> str:
    if not exchanges:
        return "\nNothing was requested at all."
    shown = "\n".join(f"  {exchange.summary}" for exchange in exchanges[-SHOWN:])
    earlier = len(exchanges) - SHOWN
    return "\nRecorded requests:\n" + (f"  … {earlier} earlier\n" if earlier > 0 else "") + shown


def _times(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number} times")


def _in_a_task() -> bool:
    """Whether a task of asyncio or trio runs in this thread."""
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return _on_trio()


def _on_trio() -> bool:
    trio: Any = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_task())


class _Numbered:
    """Replaces values that differ between runs by their kind and a number; equal values get the same number."""

    _KINDS = (
        r"(?P<token>(?<![\w-])eyJ[\w-]++\.[\w-]++\.[\w-]*+)"
        r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"
        r"|(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
        r"|(?P<hash>0x[0-9a-f]{64})"
        r"|(?P<identity>\b[0-9a-f]{64}\b)"
        r"|(?P<host>(?:127\.0\.0\.1|localhost|\[::1\]):\d+)"
    )

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}

    def __call__(self, text: str) -> str:
        return re.sub(self._KINDS, self._name, text)

    def _name(self, match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        known = self._numbers.setdefault(kind, {})
        return f"<{kind} {known.setdefault(match.group(), len(known) + 1)}>"


def matches_any(path: str, patterns: Iterable[str]) -> bool:
    """Whether any of the patterns matches a path."""
    return any(PathPattern(pattern).matches(path) for pattern in patterns)
