"""The journal: the exchanges of one world."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import RLock

from emulator.core.clock import monotonic
from emulator.core.deferred_free import DeferredFree
from emulator.journal.exchange import Exchange
from emulator.journal.frames import Ended, Frame, Frames
from emulator.journal.limits import KEPT_IN_ALL
from emulator.journal.queries import ExchangeQueries


class Journal(ExchangeQueries):
    """The last exchanges: at most `size` of them and `most_bytes` in all. Dropped ones are counted."""

    def __init__(self, size: int, lock: RLock, deferred: DeferredFree, *, most_bytes: int = KEPT_IN_ALL) -> None:
        self._size = size
        self._most_bytes = most_bytes
        self.no_route: Callable[[str, str], str] = lambda method, path: ""
        """Why no request of a method and a path pattern can reach a route of the world; empty when one can."""
        self._lock = lock
        self.began = monotonic()
        """When the world began, in seconds of real time."""
        self._kept: deque[Exchange] = deque()
        self._weight = 0
        self.lost = self.cleared = 0
        self._listeners: list[Callable[[], object]] = []
        self.total = 0
        """The number of requests, kept or not."""
        self._deferred = deferred

    def __del__(self) -> None:
        self._deferred.free_later(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def exchanges(self) -> list[Exchange]:
        with self._lock:
            return list(self._kept)

    @property
    def dropped(self) -> int:
        """How many exchanges were dropped for lack of space, or cleared."""
        return self.total - len(self._kept)

    @property
    def first(self) -> int:
        """How many exchanges were recorded before the oldest of those kept."""
        return self.lost + self.cleared

    @property
    def recorded(self) -> int:
        """How many exchanges were recorded, kept or not; those of requests under way are not among them."""
        with self._lock:
            return self.first + len(self._kept)

    def after(self, position: int, most: int) -> tuple[int, list[Exchange]]:
        """At most so many of the exchanges that were recorded after the first `position`, oldest first.

        Only those that are kept: the number is that of the exchanges recorded before them. An exchange is recorded when
        it is answered, so their own numbers may not be in order.
        """
        with self._lock:
            start = max(position - self.first, 0)
            places = range(start, min(start + most, len(self._kept)))
            return self.first + start, [self._kept[place] for place in places]

    def number(self) -> int:
        """Count a new request and return its number, from 1. Called in the server's event loop only."""
        self.total += 1
        return self.total

    def record(self, exchange: Exchange) -> None:
        with self._lock:
            self._kept.append(exchange)
            self._weight += exchange.weight
            if exchange.websocket is not None:
                exchange.websocket.is_journaled = True
            self._drop_surplus()
            self._wake()

    def add_frame(self, frames: Frames, frame: Frame) -> None:
        """Add a frame to a recorded exchange; does nothing when that was dropped."""
        with self._lock:
            if not frames.is_journaled:
                return
            before = frames.weight
            frames.add(frame)
            self._weight += frames.weight - before
            self._drop_surplus()
            self._wake()

    def end(self, frames: Frames, ended: Ended) -> None:
        """How the WebSocket of a recorded exchange ended."""
        with self._lock:
            frames.end(ended)
            self._wake()

    def _drop_surplus(self) -> None:
        while len(self._kept) > self._size or self._weight > self._most_bytes:
            self.lost_for = "journal_size" if len(self._kept) > self._size else "journal_bytes"
            dropped = self._kept.popleft()
            self._weight -= dropped.weight
            self.lost += 1
            if dropped.websocket is not None:
                dropped.websocket.is_journaled = False

    def _wake(self) -> None:
        for wake in self._listeners:
            with suppress(RuntimeError):  # its loop was closed
                wake()

    def clear(self) -> None:
        """Remove all exchanges; they still count in `total`."""
        with self._lock:
            for exchange in self._kept:
                if exchange.websocket is not None:
                    exchange.websocket.is_journaled = False
            self.cleared += len(self._kept)
            self._kept.clear()
            self._weight = 0
            self._wake()

    def _why_no_route(self, method: str, path: str) -> str:
        return self.no_route(method, path)

    def add_listener(self, wake: Callable[[], object]) -> None:
        """Call `wake` when there may be more exchanges or frames, from any thread."""
        with self._lock:
            self._listeners.append(wake)

    def remove_listener(self, wake: Callable[[], object]) -> None:
        with self._lock:
            self._listeners.remove(wake)

    @contextmanager
    def _listening(self, wake: Callable[[], object]) -> Iterator[None]:
        self.add_listener(wake)
        try:
            yield
        finally:
            self.remove_listener(wake)
