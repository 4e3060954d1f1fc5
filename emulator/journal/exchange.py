"""A recorded request and its response."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any, SupportsIndex, overload

import msgspec

from emulator.core.clock import parse_rfc3339, rfc3339, to_datetime, to_micros
from emulator.core.request_match import Sent, fields
from emulator.core.suggestions import did_you_mean
from emulator.journal.frames import Frames
from emulator.journal.masking import legible, readable

_OVERHEAD = 512
"""Bytes of memory for an exchange, without its texts."""
_AS_THEY_ARE = ("status", "why", "matched", "outlived", "actor", "fault")
"""Fields of an exchange that are the same in JSON."""


class Pairs(list[tuple[str, str]]):
    """Names and values in the order and case they were sent; `pairs["name"]` is the first value of a name."""

    any_case = True
    """Whether names are found in any case."""

    @overload
    def __getitem__(self, key: SupportsIndex) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, key: slice) -> list[tuple[str, str]]: ...
    @overload
    def __getitem__(self, key: str) -> str: ...
    def __getitem__(self, key: SupportsIndex | slice | str) -> tuple[str, str] | list[tuple[str, str]] | str:
        if not isinstance(key, str):
            return super().__getitem__(key)
        values = self.getall(key)
        if not values:
            raise KeyError(f"there is no {key!r}; {did_you_mean(key, dict(self))}")
        return values[0]

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of a name."""
        return next(iter(self.getall(name)), default)

    def getall(self, name: str) -> list[str]:
        """All values of a name."""
        wanted = self._spelled(name)
        return [value for each, value in self if self._spelled(each) == wanted]

    def __contains__(self, key: object) -> bool:
        return bool(self.getall(key)) if isinstance(key, str) else super().__contains__(key)

    def _spelled(self, name: str) -> str:
        return name.lower() if self.any_case else name


class Fields(Pairs):
    """The fields of a query, decoded."""

    any_case = False


class Message(msgspec.Struct, frozen=True, gc=False):
    """One half of an exchange. `size` counts the bytes of the body, of which at most 16 KiB are kept.

    `head` holds all header lines in one bytes object: with an object for each header, thousands of exchanges would slow
    down every run of the garbage collector.
    """

    head: bytes
    kept: bytes
    size: int
    sent_query: str = ""
    """The request's query as it was sent."""

    @property
    def lines(self) -> list[tuple[bytes, bytes]]:
        """Names and values of the headers in the order and case they were sent, as bytes."""
        found = (line.partition(b": ") for line in self.head.split(b"\r\n") if line)
        return [(name, value) for name, _, value in found]

    @property
    def headers(self) -> Pairs:
        """All of them as they were sent; `headers["x-api-key"]` is the first value of a name, in any case."""
        return Pairs((_text(name), _text(value)) for name, value in self.lines)

    @property
    def query(self) -> Fields:
        """The fields of the query, decoded: `query["page"]`. A response has none."""
        return Fields(fields(self.sent_query))

    @property
    def content(self) -> bytes:
        """The bytes of the body, as many as are kept."""
        return self.kept

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are escaped."""
        return _text(self.kept)

    @property
    def body(self) -> str:
        """The same as `text`."""
        return _text(self.kept)

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is not JSON, or not kept as a whole."""
        if self.is_cut:
            raise ValueError(f"the body had {self.size} bytes, of which {len(self.kept)} were kept")
        try:
            return json.loads(self.kept)
        except (ValueError, RecursionError) as error:
            shown = readable(self.text, 100) if self.kept else "empty"
            raise ValueError(f"the body is not JSON ({error}): {shown}") from None

    @property
    def is_cut(self) -> bool:
        return self.size > len(self.kept)

    @property
    def is_legible(self) -> bool:
        """Whether the body, or what is kept of it, can be read as text."""
        return legible(self.kept, is_cut=self.is_cut)

    @property
    def sent(self) -> Sent:
        """For conditions on a request."""
        return Sent(self.sent_query, self.headers, self.kept, not self.is_cut)

    def header(self, name: str) -> str | None:
        """The first value of a header, any case."""
        wanted = name.lower()
        return next((value for found, value in self.headers if found.lower() == wanted), None)

    def to_json(self) -> dict[str, Any]:
        """With `base64` for a body that is no text."""
        exact = {} if _is_text(self.kept) else {"base64": b64encode(self.kept).decode()}
        return {"headers": list(self.headers), "body": self.body, "size": self.size, **exact}

    @classmethod
    def from_json(cls, found: dict[str, Any], sent_query: str = "") -> "Message":
        headers = [(name.encode(), value.encode()) for name, value in found["headers"]]
        kept = b64decode(found["base64"]) if "base64" in found else found["body"].encode()
        return cls(head_of(headers), kept, found["size"], sent_query)


def head_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The `head` of a message."""
    return b"\r\n".join(map(b": ".join, headers))


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """A request and its response.

    `operation` is a name such as `spacetime.create_identity`, empty when neither API has the path with this method
    (`matched` is false then). `status` is 0 when no response was sent. `why` is the private reason of an error
    response. `micros` is the emulator's clock when the request arrived, `duration` is in real seconds. `outlived` is
    true when the world was reset during the request. `actor` is the scenario's name for the caller, `fault` the step
    that was applied. `after` is for how many seconds of real time the world had existed. `websocket` has what followed
    a response with status 101.
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
    after: float = 0.0
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
    def is_refused(self) -> bool:
        """Whether it has a reason: an error response, or a fault."""
        return bool(self.why) or self.status >= 400

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
            "after": round(self.after, 6),
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
            request=Message.from_json(found["request"], found["query"]),
            response=Message.from_json(found["response"]),
            micros=to_micros(parse_rfc3339(found["at"])),
            duration=found["duration"],
            after=found["after"],
            websocket=Frames.from_json(found["websocket"]) if "websocket" in found else None,
            **{name: found[name] for name in _AS_THEY_ARE},
        )


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
