"""A minimal client of `GET /_emulator/events`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any, NamedTuple

import requests

from emulator import Emulator
from tests.waiting import PATIENCE


class Event(NamedTuple):
    """`id` is empty for events that have none."""

    name: str
    data: Any
    id: str


class Watch:
    """Reads the events of a response, in order."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self._blocks = _blocks(response)

    def next(self, name: str = "") -> Event:
        """The next event, or the next one of this name; the others before it are skipped.

        Raises StopIteration at the end; heartbeats alone are not waited for without end.
        """
        end = monotonic() + PATIENCE
        while True:
            found = _event(next(self._blocks))
            if found is not None and name in {"", found.name}:
                return found
            assert monotonic() < end, f"no {name or 'event'} came"

    def rest(self) -> list[Event]:
        """Those until the end of the response."""
        return [found for block in self._blocks if (found := _event(block)) is not None]

    def rows(self, count: int) -> list[Any]:
        """The next rows."""
        return [self.next("exchange").data for _ in range(count)]


def _blocks(response: requests.Response) -> Iterator[str]:
    text = ""
    for chunk in response.iter_content(chunk_size=None):
        text += chunk.decode()
        *blocks, text = text.split("\n\n")
        yield from blocks


def _event(block: str) -> Event | None:
    """None for a comment and for what is no event."""
    fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
    return Event(fields["event"], json.loads(fields["data"]), fields.get("id", "")) if "event" in fields else None


@contextmanager
def watching(
    emulator: Emulator, query: str = "", headers: Mapping[str, str] | None = None, **options: Any
) -> Iterator[Watch]:
    """The events of an emulator within the block; the first two, of the world and its numbers, are still to be read."""
    url = f"{emulator.url}/_emulator/events{query}"
    with requests.get(url, headers=headers, stream=True, timeout=PATIENCE, **options) as response:
        yield Watch(response)
