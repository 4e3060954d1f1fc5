"""Which WebSockets of a journal had more frames, or ended, since somebody last looked."""

from typing import Any

from emulator.journal.exchange import Exchange
from emulator.journal.journal import Journal
from emulator.journal.row import websocket_row

_MOST = 1000
"""The most WebSockets whose last change is known; that of which nothing was heard for longest is dropped first."""
_ALL = 1_000_000_000


class WebSocketChanges:
    """The last change of each WebSocket, the latest last, each with a version that only grows."""

    def __init__(self) -> None:
        self.version = 0
        self.forget()

    def forget(self) -> None:
        self._journal: Journal | None = None
        self._seen = 0
        self._open: dict[int, tuple[Exchange, dict[str, Any]]] = {}
        self._changed: dict[int, tuple[int, dict[str, Any]]] = {}

    def look(self, journal: Journal) -> None:
        """Note what has changed."""
        if journal is not self._journal:
            self.forget()
            self._journal = journal
        position, exchanges = journal.after(self._seen, _ALL)
        self._seen = position + len(exchanges)
        for exchange in exchanges:
            if exchange.websocket is not None:
                self._open[exchange.number] = exchange, {}
        for number, (exchange, before) in list(self._open.items()):
            self._look_at(number, exchange, before)

    def _look_at(self, number: int, exchange: Exchange, before: dict[str, Any]) -> None:
        assert exchange.websocket is not None
        now = websocket_row(exchange.websocket)
        if now["ended"] is not None or not exchange.websocket.is_journaled:
            del self._open[number]
        else:
            self._open[number] = exchange, now
        if now != before:
            self.version += 1
            self._changed.pop(number, None)
            self._changed[number] = self.version, {"n": number, **now}
            if len(self._changed) > _MOST:
                del self._changed[next(iter(self._changed))]

    def since(self, version: int) -> tuple[int, list[dict[str, Any]]]:
        """The version now, and what has changed after an earlier one."""
        found = []
        for changed_in, change in reversed(self._changed.values()):
            if changed_in <= version:
                break
            found.append(change)
        return self.version, found[::-1]
