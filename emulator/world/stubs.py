"""Stubs: responses to requests that the emulator does not emulate, and which of them answers a request.

Values and their matching only; `emulator.server.stubbed` answers.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from threading import RLock
from typing import Any, Literal

import msgspec

from emulator.core.arguments import mistakes as mistakes_of_types
from emulator.core.arguments import shown_as_json
from emulator.core.path_pattern import PathPattern
from emulator.core.suggestions import did_you_mean
from emulator.faults.step import LONGEST, Mistake, wrong_headers
from emulator.http.operation import Operation
from emulator.http.response import JSON, TEXT
from emulator.journal.exchange import Exchange

MOST = 1000
"""Stubs in a world."""
LARGEST_BODY = 1024 * 1024
"""Bytes."""
_MOST_TOLD = 5
"""Mistakes in one message."""
_LONGEST_REQUEST = 500
"""Characters of a pattern."""

Auth = Literal["spacetime", "intuition", "none"]
StubFunction = Callable[[Exchange], Any]
"""Makes the response to a request: docs/stubs.md says of what. The exchange has no response yet."""


class StubSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A stub: the requests that it answers, and the response. At most one of `json`, `text`, `body` and `base64`."""

    request: str
    """A method and a path, like `POST /claims`; `*` is any method, or one segment of the path, `**` any number."""
    status: int = 200
    """The status of the response, from 200 to 599."""
    json: Any = msgspec.UNSET
    """The body, as JSON."""
    text: str | None = None
    """The body, as plain text."""
    body: str | None = None
    """The body, without a content type; `headers` can have one."""
    base64: str | None = None
    """The same as `body` for bytes that are no UTF-8, in base64."""
    headers: dict[str, str] | None = None
    """Additional headers of the response."""
    times: int | None = None
    """Answer at most this many requests, then leave them to the next stub; without it there is no limit."""
    auth: Auth | None = None
    """Whose credentials are judged first: `spacetime`, `intuition` or `none`; the default is the API of the path."""

    @property
    def content(self) -> tuple[bytes, str]:
        """The body and its content type, both empty without a body. Raises ValueError."""
        if self.json is not msgspec.UNSET:
            return msgspec.json.encode(self.json), JSON
        if self.text is not None:
            return self.text.encode(), TEXT
        if self.base64 is not None:
            return base64.b64decode(self.base64, validate=True), ""
        return (self.body or "").encode(), ""


class StubAnswer(msgspec.Struct, frozen=True):
    """A response that the function of a stub returns.

    `body` is bytes as they are, a string as plain text, None for no body, or anything that is JSON.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] | None = None


# --- reading ----------------------------------------------------------------------------------------------------------

_BODIES: Mapping[str, Any] = {"json": msgspec.UNSET, "text": None, "body": None, "base64": None}
"""The fields with a body, and what they are without one."""


def body_fields(body: Any) -> dict[str, Any]:
    """The fields of a stub for a body that a function returned. Raises ValueError."""
    if body is None:
        return {}
    if isinstance(body, str):
        return {"text": body}
    if isinstance(body, bytes):
        return raw_fields(body)
    return {"json": as_json(body)}


def raw_fields(body: bytes) -> dict[str, Any]:
    """The fields of a stub for a body of bytes."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def as_json(value: Any) -> Any:
    """A copy of a value, as it is read from its JSON. Raises ValueError for a value that is not JSON."""
    try:
        # msgspec would write NaN as null.
        text = json.dumps(msgspec.to_builtins(value, str_keys=True), allow_nan=False, ensure_ascii=False)
        return msgspec.json.decode(text)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise ValueError(f"the body is not JSON: {error}") from None


def made_stub(found: Mapping[str, Any]) -> StubSpec:
    """A stub from its JSON. Raises ValueError with all mistakes that can be found without a world."""
    for name in found:
        if name not in StubSpec.__struct_fields__:
            raise ValueError(f"a stub has no key {name!r}; {did_you_mean(name, StubSpec.__struct_fields__)}")
    given = {name: value for name, value in found.items() if value is not None or name == "json"}
    if unfit := list(islice(mistakes_of_types(given, StubSpec, show=shown_as_json), _MOST_TOLD)):
        raise ValueError("; ".join(map(str, unfit)))
    try:
        spec = msgspec.convert(given, StubSpec)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    if wrong := list(mistakes(spec)):
        raise ValueError("; ".join(map(str, wrong)))
    return spec


# --- mistakes ---------------------------------------------------------------------------------------------------------

_METHOD = re.compile(r"\*|[A-Z][A-Z-]*")
_PATH = re.compile(r"""[/*][!"$-;=@-_a-~]*""")
"""As far as paths can have these characters: `?` is not among them, nor what must be percent-encoded."""


def mistakes(spec: StubSpec) -> Iterator[Mistake]:
    """The mistakes in a stub of correct types."""
    yield from _mistakes_in_request(spec.request)
    if not 200 <= spec.status <= 599:
        yield Mistake(("status",), f"{spec.status} is not a valid status; it must be from 200 to 599")
    if spec.times is not None and not 1 <= spec.times <= LONGEST:
        yield Mistake(("times",), f"it must be a number from 1 to {LONGEST:,.0f}")
    for text in wrong_headers(spec.headers or {}):
        yield Mistake(("headers",), text)
    yield from _mistakes_in_body(spec)


def _mistakes_in_request(request: str) -> Iterator[Mistake]:
    method, space, path = request.partition(" ")
    shown = repr(request[:200])
    if len(request) > _LONGEST_REQUEST:
        yield Mistake(("request",), f"it has {len(request)} characters; the limit is {_LONGEST_REQUEST}")
    elif not space or not _METHOD.fullmatch(method):
        yield Mistake(("request",), f"{shown} is not like 'POST /claims': a method in upper case and a path")
    elif "?" in path:
        yield Mistake(("request",), f"{shown} has a query; a stub answers requests with any query")
    elif not _PATH.fullmatch(path):
        yield Mistake(("request",), f"{shown}: no path is like that; it begins with / and is percent-encoded")
    elif path.startswith("/_emulator/") or path == "/_emulator":
        yield Mistake(("request",), f"{shown}: the control routes have no stubs")


def _mistakes_in_body(spec: StubSpec) -> Iterator[Mistake]:
    given = [name for name, absent in _BODIES.items() if getattr(spec, name) is not absent]
    if len(given) > 1:
        yield Mistake((given[1],), f"either {given[0]} or {given[1]}, not both")
        return
    try:
        size = len(spec.content[0])
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        yield Mistake((given[0],), f"it is not valid: {error}")
        return
    if given and spec.status in {204, 304}:
        yield Mistake((given[0],), f"a response with status {spec.status} has no body")
    if size > LARGEST_BODY:
        yield Mistake((given[0],), f"the body has {size} bytes; the limit is {LARGEST_BODY}")


def why_emulated(request: str, known: Iterable[Operation]) -> str:
    """Why no stub may have a pattern: every path that it matches is that of an emulated operation. Else empty.

    A pattern with the method `*` is refused for a path that is emulated with any method. One that matches other paths
    too is not refused: its stub answers only those.
    """
    method, _, path = request.partition(" ")
    operation = next((each for each in known if _has_methods(each, method) and _has_all_paths(each, path)), None)
    if operation is None:
        return ""
    return (
        f"{request!r} is emulated ({operation.name}), so no stub can answer it; for another response add a fault to it"
    )


def _has_methods(operation: Operation, method: str) -> bool:
    # HEAD is answered as GET, OPTIONS by the API itself.
    known = {operation.method, "OPTIONS", "*"} | ({"HEAD"} if operation.method == "GET" else set())
    return operation.emulated and method in known


def _has_all_paths(operation: Operation, pattern: str) -> bool:
    if "**" in pattern:
        return False
    wanted = pattern.split("/")
    return any(_covers(template.split("/"), wanted) for template in operation.paths)


def _covers(template: list[str], wanted: list[str]) -> bool:
    pairs = zip(template, wanted, strict=False)
    return len(template) == len(wanted) and all(own == other or own.startswith(":") for own, other in pairs)


# --- stubs of a world -------------------------------------------------------------------------------------------------


class _Prepared(msgspec.Struct, frozen=True, gc=False):
    """What all copies of a stub share."""

    spec: StubSpec
    method: str
    path: PathPattern
    function: StubFunction | None


class Stub:
    """A stub and its counter."""

    def __init__(self, prepared: _Prepared, number: int, answered: int, stubs: "Stubs") -> None:
        self._prepared = prepared
        self.number = number
        """Its place among the stubs of its world, from 1."""
        self.answered = answered
        self._stubs = stubs

    def __repr__(self) -> str:
        return f"<Stub {self.number} {self.request}; {self.answered} answered>"

    @property
    def spec(self) -> StubSpec:
        return self._prepared.spec

    @property
    def function(self) -> StubFunction | None:
        """What makes its responses, instead of the spec's own."""
        return self._prepared.function

    @property
    def request(self) -> str:
        return self.spec.request

    @property
    def method(self) -> str:
        return self._prepared.method

    @property
    def fired(self) -> int:
        """The same as `answered`, as faults call it."""
        return self.answered

    @property
    def done(self) -> bool:
        """Whether it answered `times` times; without `times`, at least once."""
        return self.answered >= (self.spec.times or 1)

    @property
    def operation(self) -> str:
        """Its name in the journal."""
        return f"stub {self.number}: {self.request}"

    @property
    def used_up(self) -> bool:
        return self.spec.times is not None and self.answered >= self.spec.times

    def fits(self, method: str, path: str) -> bool:
        """Whether it answers requests of a method to a raw path. As of any route in axum, GET's answers HEAD too."""
        own = self.method
        return (own in {"*", method} or (own == "GET" and method == "HEAD")) and self.is_at(path)

    def is_at(self, path: str) -> bool:
        """Whether it answers requests to a raw path, of its method."""
        return not self.used_up and self._prepared.path.matches(path)

    def remove(self) -> None:
        """Remove it; the next stub that fits answers."""
        self._stubs.remove(self)

    def to_json(self) -> dict[str, Any]:
        function = {"function": True} if self.function else {}
        progress = {"answered": self.answered, "done": self.done}
        return {"n": self.number, **msgspec.to_builtins(self.spec), **function, **progress}

    def copy(self, stubs: "Stubs") -> "Stub":
        return Stub(self._prepared, self.number, self.answered, stubs)


class Stubs:
    """The stubs of a world. The first one that fits answers."""

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._stubs: tuple[Stub, ...] = ()
        self._added = 0

    def __iter__(self) -> Iterator[Stub]:
        return iter(self._stubs)

    def __len__(self) -> int:
        return len(self._stubs)

    def add(self, spec: StubSpec, function: StubFunction | None = None) -> Stub:
        """Raises ValueError when there are too many."""
        with self._lock:
            return self.put(spec, self._added + 1, function=function)

    def put(self, spec: StubSpec, number: int, *, answered: int = 0, function: StubFunction | None = None) -> Stub:
        """Add a stub with this counter. Raises ValueError when there are too many."""
        if len(self._stubs) >= MOST:
            raise ValueError(
                f"there are {MOST} stubs, which is the limit; one stub can answer many paths, with * and **"
            )
        method, _, path = spec.request.partition(" ")
        stub = Stub(_Prepared(spec, method, PathPattern(path), function), number, answered, self)
        self._added = number
        self._stubs = (*self._stubs, stub)
        return stub

    def remove(self, stub: Stub) -> None:
        with self._lock:
            self._stubs = tuple(each for each in self._stubs if each is not stub)

    def clear(self) -> None:
        with self._lock:
            self._stubs = ()

    def find(self, method: str, path: str) -> Stub | None:
        """The first stub that fits; it counts nothing."""
        return next((stub for stub in self._stubs if stub.fits(method, path)), None)

    def at(self, path: str) -> Stub | None:
        """The first stub at a path, for requests of another method than its own."""
        return next((stub for stub in self._stubs if stub.is_at(path)), None)

    def count(self, stub: Stub) -> bool:
        """Count a response of a stub; false when it is removed or used up by now."""
        with self._lock:
            if stub.used_up or stub not in self._stubs:
                return False
            stub.answered += 1
            return True

    def fork(self, lock: RLock) -> "Stubs":
        """A copy of the stubs and their counters."""
        copy = Stubs(lock)
        copy._stubs = tuple(stub.copy(copy) for stub in self._stubs)
        copy._added = self._added
        return copy
