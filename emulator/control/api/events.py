"""What happens in a world, told as it happens, to a bounded number of watchers: server-sent events (HTML, 9.2).

A watcher has no queue. What it was told is a position in the journal, which keeps the rest; what is on the way to it is
one piece and what its connection buffers. Rows are written once for all watchers, and together at most every 0.05 s.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakSet

import msgspec

from emulator.control.api.websocket_changes import WebSocketChanges
from emulator.control.state import counts, state_json
from emulator.core.clock import monotonic, rfc3339, wall_micros
from emulator.core.version import VERSION
from emulator.http.stream import Stream
from emulator.journal.exchange import Exchange
from emulator.journal.journal import Journal
from emulator.journal.row import row
from emulator.world.stage import Stage
from emulator.world.world import World

MOST_WATCHERS = 100
"""Of one world at a time."""
MOST_OF_THE_PAST = 1000
"""Exchanges that a new watcher is told of."""
_AT_ONCE = 100
"""Exchanges in one piece."""
_MOST_TEXTS = 500
"""Rows that are kept for other watchers."""

_PAUSE = 0.05
"""Seconds from one piece to the next while much happens."""
_LOOK_AGAIN = 1.0
"""Seconds between two looks at the numbers of the world, which may change without a request."""
_HEARTBEAT = 10.0
"""Seconds of silence after which a comment is sent: a connection that is dead is found so."""
_PATIENCE = 5.0
"""Seconds in which a watcher must have taken what was sent."""


class Place(NamedTuple):
    """Where in the journal of which world a watcher is: `18f2c-3.17` as the id of an event."""

    world: str
    position: int

    def __str__(self) -> str:
        return f"{self.world}.{self.position}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Raises ValueError for what no event has as its id."""
        if not (found := _PLACE.fullmatch(text)):
            raise ValueError(f"{text[:60]!r} is not the id of an event")
        return cls(found[1], int(found[2]))


_PLACE = re.compile(r"([0-9a-f]{1,16}-[0-9]{1,16})\.([0-9]{1,16})", re.ASCII)


def _event(name: str, data: Mapping[str, Any], place: Place | None = None) -> bytes:
    """JSON has no line breaks, so it is one line of `data`."""
    id_line = b"" if place is None else f"id: {place}\n".encode()
    return b"%bevent: %b\ndata: %b\n\n" % (id_line, name.encode(), msgspec.json.encode(data))


_FIRST = b"retry: 1000\n\n"
_COMMENT = b":\n\n"
_CLEARED = _event("cleared", {})
_TOO_SLOW = _event(
    "dropped",
    {
        "error": "this watcher was too slow, and is not told any more",
        "hint": "connect again with the id of the last event, as Last-Event-ID or ?after=",
    },
)
_STOPPED = _event(
    "closed",
    {"error": "the emulator has stopped, or this world was closed", "hint": "connect again when it runs again"},
)


class Feed:
    """The events of one stage. While nobody watches, nothing of it is called."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._started = f"{int(monotonic() * 1000):x}"
        """Ids of an earlier server at this port mean nothing to this one."""
        self._watchers: WeakSet[Watcher] = WeakSet()
        self._lock = Lock()
        self._told = 0
        """How many watchers are being told."""
        self._journal: Journal | None = None
        """The one whose exchanges wake the watchers; None while nobody watches."""
        self._is_woken = False
        self._woken_at = 0.0
        self._texts: dict[tuple[str, int], bytes] = {}
        self._numbers: object = None
        self.websockets = WebSocketChanges()
        self.state_version = 0

    @property
    def world_id(self) -> str:
        """Of the current world; another one for each world that is shown."""
        return f"{self._started}-{self.stage.shown}"

    @property
    def is_full(self) -> bool:
        return len(self._watchers) >= MOST_WATCHERS

    def stream(self, after: Place | None, *, from_now: bool) -> Stream:
        """The events after a place; without one from the beginning of the journal, or from now on."""
        watcher = Watcher(self, after, from_now=from_now)
        self._watchers.add(watcher)
        return Stream(watcher.pieces, _PATIENCE, _TOO_SLOW, _STOPPED)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Listen to the world within the block, which is in the server's loop."""
        self._told += 1
        if self._told == 1:
            self._begin()
        try:
            yield
        finally:
            self._told -= 1
            if self._told == 0:
                self._end()

    def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.news: asyncio.Future[None] = self._loop.create_future()
        self._is_woken = False
        self.stage.on_shown.append(self._follow)
        with self._lock:
            self._listen(self.stage.world.journal)
        self._numbers = self._numbers_now()
        self.websockets.look(self.stage.world.journal)
        self._timer = self._loop.call_later(_LOOK_AGAIN, self._look)

    def _end(self) -> None:
        self._timer.cancel()
        self.stage.on_shown.remove(self._follow)
        with self._lock:
            self._listen(None)
        self._texts.clear()
        self.websockets.forget()

    def _follow(self, world: World) -> None:
        """The world was replaced, in any thread."""
        with self._lock:
            if self._journal is not None:
                self._listen(world.journal)
        with suppress(RuntimeError):  # the loop was closed
            self._wake()

    def _listen(self, journal: Journal | None) -> None:
        if self._journal is not None:
            self._journal.remove_listener(self._wake)
        self._journal = journal
        if journal is not None:
            journal.add_listener(self._wake)

    def _wake(self) -> None:
        """There is something to tell. Called for each exchange, in any thread."""
        if not self._is_woken:
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._tell_soon)

    def _tell_soon(self) -> None:
        pause = self._woken_at + _PAUSE - self._loop.time()
        if pause > 0:
            self._loop.call_later(pause, self._tell)
        else:
            self._tell()

    def _tell(self) -> None:
        self._is_woken, self._woken_at = False, self._loop.time()
        if self._told == 0:  # the last one has gone meanwhile
            return
        self.websockets.look(self.stage.world.journal)
        news, self.news = self.news, self._loop.create_future()
        news.set_result(None)

    def _look(self) -> None:
        self._timer = self._loop.call_later(_LOOK_AGAIN, self._look)
        if (numbers := self._numbers_now()) != self._numbers:
            self._numbers = numbers
            self.state_version += 1
            self._wake()

    def _numbers_now(self) -> object:
        """What a `state` event is sent for; time itself is not."""
        world = self.stage.settled_world()
        clock = world.clock
        return counts(world), self.stage.changes, clock.frozen, clock.micros() if clock.frozen else clock.ahead

    def text_of(self, exchange: Exchange, place: Place) -> bytes:
        """The event of an exchange, written once. That of a WebSocket goes on changing."""
        if exchange.websocket is not None:
            return _event("exchange", row(exchange), place)
        if (known := self._texts.get(place)) is None:
            known = self._texts[place] = _event("exchange", row(exchange), place)
            if len(self._texts) > _MOST_TEXTS:
                del self._texts[next(iter(self._texts))]
        return known


class Watcher:
    """A client of the events."""

    def __init__(self, feed: Feed, after: Place | None, *, from_now: bool) -> None:
        self._feed = feed
        self._after = after
        self._from_now = from_now
        self._world = ""
        self._position = self._cleared = 0
        self._frames = self._state = 0
        """The versions of the changes of WebSockets and of the numbers that it was told of."""

    async def pieces(self, over: "asyncio.Future[None]") -> AsyncGenerator[bytes, None]:
        """Of the body, until `over` is done or it is too late for the next one."""
        with self._feed.telling():
            yield _FIRST
            while not over.done():
                news = self._feed.news
                piece, left = self._next()
                if piece:
                    yield piece
                if left is None:
                    return
                if left:
                    await asyncio.sleep(0)
                    continue
                done, _ = await asyncio.wait([news, over], timeout=_HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    yield _COMMENT

    def _next(self) -> tuple[bytes, bool | None]:
        """What is to be told now, and whether there is more; None when exchanges are gone that it was not told of."""
        feed = self._feed
        world_id, world = feed.world_id, feed.stage.world
        told: list[bytes] = []
        if world_id != self._world:
            told.append(self._entered(world_id, world))
        told += self._changes(world.journal)
        position, exchanges = world.journal.after(self._position, _AT_ONCE)
        if exchanges and position > self._position:
            return b"".join([*told, _TOO_SLOW]), None
        for exchange in exchanges:
            self._position += 1
            told.append(feed.text_of(exchange, Place(world_id, self._position)))
        self._frames, changed = feed.websockets.since(self._frames)
        told += [_event("websocket", each) for each in changed]
        return b"".join(told), len(exchanges) == _AT_ONCE

    def _entered(self, world_id: str, world: World) -> bytes:
        """The watcher begins with this world, or goes on in it."""
        journal, after = world.journal, self._after
        self._world, self._after, self._cleared = world_id, None, journal.cleared
        self._state = -1
        resumed = after is not None and after.world == world_id and journal.first <= after.position <= journal.recorded
        if after is not None and resumed:
            self._position = after.position
        else:
            past = 0 if self._from_now else MOST_OF_THE_PAST
            self._position = max(journal.first, journal.recorded - past)
        self._from_now = False
        self._frames = 0 if resumed else self._feed.websockets.version
        about = {
            "world": world_id,
            "resumed": resumed,
            "seed": world.seed,
            "profiles": world.profiles,
            "scenario": world.scenario,
            "total": journal.total,
            "earlier": self._position,
            "began": rfc3339(wall_micros() - round((monotonic() - journal.began) * 1_000_000)),
            "version": VERSION,
        }
        return _event("world", about, Place(world_id, self._position))

    def _changes(self, journal: Journal) -> Iterator[bytes]:
        if journal.cleared != self._cleared:
            self._cleared = journal.cleared
            self._position = max(self._position, journal.first)
            yield _CLEARED
        if self._state != self._feed.state_version:
            self._state = self._feed.state_version
            yield _event("state", state_json(self._feed.stage))
