"""Queries and assertions over recorded exchanges."""

import asyncio
import re
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from emulator.core.clock import monotonic
from emulator.core.path_pattern import PathPattern
from emulator.journal.exchange import Exchange
from emulator.journal.masking import readable

SHOWN = 5
"""Exchanges shown when an assertion fails."""


@dataclass(frozen=True)
class ExchangeFilter:
    """Conditions on an exchange; None matches anything. In `path`, `*` is one segment and `**` any number of them."""

    method: str | None = None
    path: str | None = None
    status: int | None = None
    since: datetime | None = None
    frame: str | None = None
    """A part of the text of a frame of its WebSocket."""

    @classmethod
    def parse(cls, request: str) -> "ExchangeFilter":
        """`"POST /v1/identity"`, as scenarios write it."""
        method, space, path = request.partition(" ")
        if not space:
            raise ValueError(f"{request!r} is not like 'POST /v1/identity'")
        return cls(method, path)

    def __post_init__(self) -> None:
        """Raises ValueError for a filter that no request can match: an assertion with it would prove nothing."""
        if self.method is not None and not self.method.isalpha():
            raise ValueError(f'{self.method!r} is not a method; write it like "POST", "/v1/identity"')
        if self.path is not None and (not self.path.startswith(("/", "*")) or "?" in self.path):
            raise ValueError(f"{self.path!r} is not a path; it begins with a slash and has no query")
        if self.status is not None and type(self.status) is not int:
            raise ValueError(f"{self.status!r} is not a status; it is a number like 200")

    @cached_property
    def _pattern(self) -> PathPattern | None:
        return None if self.path is None else PathPattern(self.path)

    def differences(self, exchange: Exchange) -> list[str]:
        """The conditions that the exchange does not meet, in words."""
        found = []
        if self.method is not None and exchange.method != self.method.upper():
            found.append(f"method is {exchange.method}")
        if self._pattern is not None and not self._pattern.matches(exchange.path):
            found.append(f"path is {exchange.path}")
        if self.status is not None and exchange.status != self.status:
            found.append(f"status is {exchange.status}")
        if self.since is not None and exchange.at < self.since:
            found.append(f"was at {exchange.at.isoformat()}")
        if self.frame is not None and not (exchange.websocket and exchange.websocket.has(self.frame)):
            found.append(f"has no frame with {self.frame!r}")
        return found

    def __str__(self) -> str:
        status = "" if self.status is None else f" with status {self.status}"
        frame = "" if self.frame is None else f" with a frame that has {self.frame!r}"
        return f"{(self.method or 'any method').upper()} {self.path or 'any path'}{status}{frame}"


class ExchangeQueries(ABC):
    """Queries and assertions for a class with exchanges: the journal, and its client in another process."""

    @property
    @abstractmethod
    def exchanges(self) -> list[Exchange]:
        """Those kept, oldest first."""

    lost = 0
    """How many exchanges were dropped for lack of space."""

    def _check_whole(self) -> None:
        if self.lost:
            raise AssertionError(f"the journal can't tell: {self.lost} exchanges were dropped; raise journal_size")

    @abstractmethod
    def _listening(self, wake: Callable[[], object]) -> AbstractContextManager[object]:
        """Within the block, `wake` is called when there may be more exchanges, from any thread."""

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.exchanges)

    def __len__(self) -> int:
        return len(self.exchanges)

    @property
    def unmatched(self) -> list[Exchange]:
        """Requests to paths that neither API has, or with methods that it does not have there."""
        return [exchange for exchange in self.exchanges if not exchange.matched]

    def find(
        self,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        since: datetime | None = None,
    ) -> list[Exchange]:
        """The exchanges that meet every given condition. In `path`, `*` is one segment and `**` any number of them."""
        return self._matching(ExchangeFilter(method, path, status, since))

    def _matching(self, wanted: ExchangeFilter) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if not wanted.differences(exchange)]

    def assert_requested(
        self, method: str | None = None, path: str | None = None, *, status: int | None = None, times: int | None = None
    ) -> list[Exchange]:
        """Assert at least one matching request, or exactly `times`; return them. A failure shows the nearest ones."""
        __tracebackhide__ = True
        wanted = ExchangeFilter(method, path, status)
        found = self._matching(wanted)
        if times is not None:
            self._check_whole()
        if (times is None and not found) or (times is not None and len(found) != times):
            expected = "at least once" if times is None else _times(times)
            raise AssertionError(
                f"{wanted} was requested {_times(len(found))}, expected {expected}.{self._near(wanted)}"
            )
        return found

    def assert_not_requested(
        self, method: str | None = None, path: str | None = None, *, status: int | None = None
    ) -> None:
        """Assert that there is no matching request. A failure lists those there are."""
        __tracebackhide__ = True
        wanted = ExchangeFilter(method, path, status)
        if found := self._matching(wanted):
            raise AssertionError(f"{wanted} was requested {_times(len(found))}, expected never.{_listed(found)}")
        self._check_whole()

    def assert_order(self, *requests: str) -> None:
        """Assert that requests like `"GET /v1/identity/*/verify"` came in this order; others may come in between."""
        __tracebackhide__ = True
        if not requests:
            raise ValueError("assert_order needs requests like 'POST /v1/identity'")
        remaining = iter(self.exchanges)
        for place, request in enumerate(requests):
            wanted = ExchangeFilter.parse(request)
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
        status: int | None = None,
        frame: str | None = None,
        times: int = 1,
        timeout: float = 5.0,
    ) -> list[Exchange]:
        """Wait for `times` matching exchanges, at most `timeout` real seconds. Raises AssertionError after that.

        With `frame`, for WebSockets with this text in a frame, sent or received. Raises RuntimeError in a task: it
        would block the event loop, and so the client it waits for. A loop that merely runs in this thread, as
        Playwright's synchronous API leaves one, is no reason.
        """
        __tracebackhide__ = True
        if _in_a_task():
            raise RuntimeError("wait_for would block the running event loop; use `await journal.async_wait_for(...)`")
        return self._wait_for(ExchangeFilter(method, path, status, frame=frame), times, timeout)

    async def async_wait_for(
        self,
        method: str | None = None,
        path: str | None = None,
        *,
        status: int | None = None,
        frame: str | None = None,
        times: int = 1,
        timeout: float = 5.0,  # noqa: ASYNC109 - the same names as wait_for
    ) -> list[Exchange]:
        """As `wait_for`, from a coroutine under asyncio or trio."""
        __tracebackhide__ = True
        wanted = ExchangeFilter(method, path, status, frame=frame)
        if _on_trio():
            import trio

            return await trio.to_thread.run_sync(self._wait_for, wanted, times, timeout, abandon_on_cancel=True)
        return await self._wait_on_asyncio(wanted, times, timeout)

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
            raise ValueError("times must be at least 1")
        found = self._matching(wanted)
        if len(found) >= times:
            return found
        if left > 0:
            return None
        waited = f"{wanted} was requested {_times(len(found))} within {timeout:g} s, expected {_times(times)}"
        raise AssertionError(f"{waited}.{self._near(wanted)}")

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
        lines = [_line(exchange, ", ".join(wanted.differences(exchange)) or "matches") for exchange in nearest]
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
