"""The journal of the other process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from emulator.control.remote.client import Control
from emulator.control.remote.stubs import stubbed_requests
from emulator.journal.exchange import Exchange
from emulator.journal.queries import ExchangeQueries
from emulator.world.step_check import why_no_route

_LOOK_AGAIN = 0.05
"""Seconds between two reads of the journal while a query waits."""


class RemoteJournal(ExchangeQueries):
    """The journal of the other process, read again for each query."""

    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def exchanges(self) -> list[Exchange]:
        page = self._control("GET", "/journal")
        self.lost, self.lost_for = page["lost"], page["lost_for"]
        return [Exchange.from_json(found) for found in page["exchanges"]]

    def _why_no_route(self, method: str, path: str) -> str:
        return why_no_route(method, path, stubbed_requests(self._control))

    @contextmanager
    def _listening(self, wake: Callable[[], object]) -> Iterator[None]:
        over = threading.Event()

        def look() -> None:
            while not over.wait(_LOOK_AGAIN):
                with suppress(RuntimeError):  # its loop was closed
                    wake()

        threading.Thread(target=look, daemon=True).start()
        try:
            yield
        finally:
            over.set()
