"""A request and its answer, as they are remembered."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from emulator.core.clock import parse_rfc3339, rfc3339, to_datetime, to_micros
from emulator.journal.masking import mask

KEPT_OF_A_BODY = 16 * 1024
_OVERHEAD = 512
"""Bytes an exchange costs beside its texts."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """One half of an exchange. `size` counts the bytes of the body, of which at most 16 KiB are kept.

    `head` has the header lines in one piece: thousands of exchanges of many pieces each would be looked at by the
    garbage collector again and again.
    """

    head: bytes
    kept: bytes
    size: int

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names as they were sent, in order."""
        lines = (line.partition(b": ") for line in self.head.split(b"\r\n") if line)
        return [(_text(name), _text(value)) for name, _, value in lines]

    @property
    def body(self) -> str:
        return self.kept.decode("utf-8", "backslashreplace")

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
    """Header lines as a message keeps them."""
    return b"\r\n".join(map(b": ".join, headers))


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """A request and its answer.

    `operation` names what was asked, such as `spacetime.create_identity`; it is empty where neither API has the path.
    `why` is empty unless the answer is a refusal. `micros` is the emulator's clock when the request came, `duration` is
    in real seconds. `matched` is false for a path that neither API has. `outlived` tells that the world was reset while
    it was under way. `actor` is the scenario's name for whoever asked, `fault` the step of the script that was done to
    it; a `status` of 0 is no answer.
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
    def summary(self) -> str:
        """`#3 POST /v1/identity -> 200`, without the query, tokens masked."""
        return f"#{self.number} {self.method} {mask(self.path[:300])} -> {self.status or 'no answer'}"

    def __repr__(self) -> str:
        return f"<Exchange {self.summary}>"

    @property
    def weight(self) -> int:
        """Roughly the bytes it takes to keep this."""
        texts = len(self.target) + len(self.why) + len(self.request.kept) + len(self.response.kept)
        return _OVERHEAD + texts + len(self.request.head)

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
            "matched": self.matched,
            "outlived": self.outlived,
            "actor": self.actor,
            "fault": self.fault,
            "request": self.request.to_json(),
            "response": self.response.to_json(),
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Exchange":
        """The exchange that `to_json` wrote down, as a process elsewhere reads it."""
        query = f"?{found['query']}" if found["query"] else ""
        return cls(
            number=found["n"],
            method=found["method"],
            target=found["path"] + query,
            operation=found["operation"],
            request=Message.from_json(found["request"]),
            status=found["status"],
            response=Message.from_json(found["response"]),
            why=found["why"],
            micros=to_micros(parse_rfc3339(found["at"])),
            duration=found["duration"],
            matched=found["matched"],
            outlived=found["outlived"],
            actor=found["actor"],
            fault=found["fault"],
        )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
