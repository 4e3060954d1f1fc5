"""The journal: what was asked and answered, and why not."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import RLock
from typing import Any

from emulator.clock import rfc3339, to_datetime

KEPT_OF_A_BODY = 16 * 1024
KEPT_IN_ALL = 32 * 1024 * 1024
_OVERHEAD = 512
"""Bytes an exchange costs beside its texts."""

RawHeaders = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Message:
    """One half of an exchange. `size` counts the bytes of the body, of which at most 16 KiB are kept."""

    raw_headers: RawHeaders
    kept: bytes
    size: int

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names as they were sent, in order."""
        return [(_text(name), _text(value)) for name, value in self.raw_headers]

    @property
    def body(self) -> str:
        return self.kept.decode("utf-8", "backslashreplace")

    def header(self, name: str) -> str | None:
        """The first value of a header, any case."""
        wanted = name.lower()
        return next((value for found, value in self.headers if found.lower() == wanted), None)

    def to_json(self) -> dict[str, Any]:
        return {"headers": self.headers, "body": self.body, "size": self.size}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer.

    `operation` names what was asked, such as `spacetime.create_identity`; it is empty where neither API has the path.
    `why` is empty unless the answer is a refusal. `outlived` tells that the world was reset while it was under way.
    """

    number: int
    method: str
    target: str
    operation: str
    request: Message
    status: int
    response: Message
    why: str
    micros: int
    duration: float
    outlived: bool = False

    @property
    def path(self) -> str:
        """As sent, escapes included, without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """As sent, without the question mark."""
        return self.target.partition("?")[2]

    @property
    def at(self) -> datetime:
        """When the request came, by the emulator's clock."""
        return to_datetime(self.micros)

    @property
    def weight(self) -> int:
        """Roughly the bytes it takes to keep this."""
        texts = len(self.target) + len(self.why) + len(self.request.kept) + len(self.response.kept)
        return _OVERHEAD + texts + sum(len(name) + len(value) for name, value in self.request.raw_headers)

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.number,
            "at": rfc3339(self.micros),
            "duration": round(self.duration, 6),
            "operation": self.operation,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "why": self.why,
            "outlived": self.outlived,
            "request": self.request.to_json(),
            "response": self.response.to_json(),
        }


class Journal:
    """The last exchanges: at most `size` of them and 32 MiB in all. What fell out is counted."""

    def __init__(self, size: int, lock: RLock) -> None:
        self._size = size
        self._lock = lock
        self._kept: deque[Exchange] = deque()
        self._weight = 0
        self.total = 0

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.exchanges)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def exchanges(self) -> list[Exchange]:
        """Oldest first."""
        with self._lock:
            return list(self._kept)

    @property
    def dropped(self) -> int:
        """How many were forgotten for want of room, or cleared."""
        return self.total - len(self._kept)

    def number(self) -> int:
        """The number of the request that comes now, from 1."""
        with self._lock:
            self.total += 1
            return self.total

    def record(self, exchange: Exchange) -> None:
        with self._lock:
            self._kept.append(exchange)
            self._weight += exchange.weight
            while len(self._kept) > self._size or self._weight > KEPT_IN_ALL:
                self._weight -= self._kept.popleft().weight

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._weight = 0

    def find(
        self,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        since: datetime | None = None,
    ) -> list[Exchange]:
        """Those that fit all that is given. In `path`, `*` is one segment and `**` any number of them."""
        fits = None if path is None else path_pattern(path)
        return [
            exchange
            for exchange in self.exchanges
            if (method is None or exchange.method == method.upper())
            and (fits is None or fits.fullmatch(exchange.path))
            and (status is None or exchange.status == status)
            and (since is None or exchange.at >= since)
        ]


@lru_cache(maxsize=256)
def path_pattern(path: str) -> re.Pattern[str]:
    """The paths a pattern means: `*` stands for one segment, `**` for anything."""
    parts = re.split(r"(\*\*|\*)", path)
    return re.compile("".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
