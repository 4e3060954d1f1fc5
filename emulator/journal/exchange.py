"""A recorded request and its response."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from emulator.core.clock import parse_rfc3339, rfc3339, to_datetime, to_micros
from emulator.journal.frames import Frames
from emulator.journal.masking import readable

_OVERHEAD = 512
"""Bytes of memory for an exchange, without its texts."""
_AS_THEY_ARE = ("status", "why", "matched", "outlived", "actor", "fault")
"""Fields of an exchange that are the same in JSON."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One half of an exchange. `size` counts the bytes of the body, of which at most 16 KiB are kept.

    `head` holds all header lines in one bytes object: with an object for each header, thousands of exchanges would slow
    down every run of the garbage collector.
    """

    head: bytes
    kept: bytes
    size: int

    @property
    def lines(self) -> list[tuple[bytes, bytes]]:
        """Names and values of the headers in the order and case they were sent, as bytes."""
        found = (line.partition(b": ") for line in self.head.split(b"\r\n") if line)
        return [(name, value) for name, _, value in found]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names and values in the order and case they were sent."""
        return [(_text(name), _text(value)) for name, value in self.lines]

    @property
    def body(self) -> str:
        return _text(self.kept)

    def header(self, name: str) -> str | None:
        """The first value of a header, any case."""
        wanted = name.lower()
        return next((value for found, value in self.headers if found.lower() == wanted), None)

    def to_json(self) -> dict[str, Any]:
        return {"headers": self.headers, "body": self.body, "size": self.size}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Message":
        headers = [(name.encode(), value.encode()) for name, value in found["headers"]]
        return cls(head_of(headers), found["body"].encode(), found["size"])


def head_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The `head` of a message."""
    return b"\r\n".join(map(b": ".join, headers))


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """A request and its response.

    `operation` is a name such as `spacetime.create_identity`, empty when neither API has the path with this method
    (`matched` is false then). `status` is 0 when no response was sent. `why` is the private reason of an error
    response. `micros` is the emulator's clock when the request arrived, `duration` is in real seconds. `outlived` is
    true when the world was reset during the request. `actor` is the scenario's name for the caller, `fault` the step
    that was applied. `websocket` has what followed a response with status 101.
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
    matched: bool = True
    outlived: bool = False
    actor: str = ""
    fault: str = ""
    websocket: Frames | None = None

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
        """When the request arrived, by the emulator's clock."""
        return to_datetime(self.micros)

    @property
    def summary(self) -> str:
        """`#3 POST /v1/identity -> 200`, without the query, tokens masked."""
        return f"#{self.number} {self.method} {readable(self.path, 300)} -> {self.status or 'no answer'}"

    def __repr__(self) -> str:
        return f"<Exchange {self.summary}>"

    @property
    def weight(self) -> int:
        """The approximate bytes of memory this takes."""
        texts = len(self.target) + len(self.why) + len(self.request.kept) + len(self.response.kept)
        frames = 0 if self.websocket is None else self.websocket.weight
        return _OVERHEAD + texts + len(self.request.head) + frames

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.number,
            "at": rfc3339(self.micros),
            "duration": round(self.duration, 6),
            "operation": self.operation,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            **{name: getattr(self, name) for name in _AS_THEY_ARE},
            "request": self.request.to_json(),
            "response": self.response.to_json(),
            **({} if self.websocket is None else {"websocket": self.websocket.to_json()}),
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Exchange":
        """The inverse of `to_json`, for clients in another process."""
        query = f"?{found['query']}" if found["query"] else ""
        return cls(
            number=found["n"],
            method=found["method"],
            target=found["path"] + query,
            operation=found["operation"],
            request=Message.from_json(found["request"]),
            response=Message.from_json(found["response"]),
            micros=to_micros(parse_rfc3339(found["at"])),
            duration=found["duration"],
            websocket=Frames.from_json(found["websocket"]) if "websocket" in found else None,
            **{name: found[name] for name in _AS_THEY_ARE},
        )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
