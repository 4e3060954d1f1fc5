"""An event loop on which waiting takes no time and is measured exactly."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_ON_ITS_WAY = 0.01
"""Seconds that bytes on loopback may take."""


class _Selector(selectors.SelectSelector):
    """Advances its clock instead of waiting for a timer, whenever no socket is ready."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(timeout if timeout is None else min(timeout, _ON_ITS_WAY))
        if not ready and timeout is not None:
            self.now += max(timeout, 0.0)
        return ready


class TimerLoop(asyncio.SelectorEventLoop):
    """Its time is what its timers were waited for. How busy the machine is can't be seen on it."""

    def __init__(self) -> None:
        self._timers = _Selector()
        super().__init__(self._timers)

    def time(self) -> float:
        return self._timers.now


def on_timers(use: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        return await use()

    with asyncio.Runner(loop_factory=TimerLoop) as runner:
        return runner.run(run())
