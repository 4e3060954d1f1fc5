"""Steps of a script as values: which requests they match, when they apply, what they do, and their checks."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from emulator.core.arguments import Where, dotted, json_mistakes, shown_as_json, unsendable
from emulator.core.arguments import mistakes as mistakes_of_types
from emulator.core.bounded_pattern import compiled
from emulator.core.clock import to_seconds
from emulator.core.close_frame import wrong_code, wrong_reason
from emulator.core.request_match import RequestMatch, pattern_text
from emulator.faults.kinds import ANSWERS, CHANGES, Do, RateLimit, WebSocketFault

LONGEST = 1e9
"""Seconds, about thirty years."""
_ITS_OWN = frozenset({"connection", "content-length", "date", "transfer-encoding"})


class BodyMatch(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A condition on the bytes of a body: one of both."""

    pattern: str | None = None
    """A regular expression in Python's syntax that is found in the first KiB of the body; two parts may be repeated."""
    base64: str | None = None
    """The whole body in base64, for one that is no text."""

    @classmethod
    def of(cls, given: object) -> "str | BodyMatch | object":
        """Bytes and compiled patterns as a step has them; any other value as it is. Raises ValueError."""
        if isinstance(given, re.Pattern):
            return cls(pattern=pattern_text(given))
        if not isinstance(given, bytes):
            return given
        try:
            return given.decode()
        except UnicodeDecodeError:
            return cls(base64=b64encode(given).decode())

    @property
    def wanted(self) -> "bytes | re.Pattern[str]":
        """Raises ValueError."""
        if (self.pattern is None) == (self.base64 is None):
            raise ValueError("give `pattern` or `base64`, one of both")
        if self.pattern is None:
            return b64decode(self.base64 or "", validate=True)
        return compiled(self.pattern)


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A step of a script: conditions on requests, and actions. Without `request` it happens once, at the time `at`."""

    request: str | None = None
    """A method and a path, like `POST /v1/identity`; `*` is any method, or one segment of the path, `**` any number."""
    at: float | None = None
    """Seconds on the emulator's clock since the start of the world; with `request`, only from then on."""
    until: float | None = None
    """With `request`: only before this time, in seconds as `at`."""
    nth: int | None = None
    """Only the nth matching request, counted from 1."""
    times: int | None = None
    """Happen at most this many times; without it there is no limit."""
    skip: int = 0
    """Ignore this many matching requests first."""
    actor: str | None = None
    """Only requests with this actor's token or API key."""
    json: Any = None
    """Only requests whose body is JSON and has this in it: what is named must be equal."""
    headers: dict[str, str] | None = None
    """Only requests with these headers."""
    query: dict[str, str | int] | None = None
    """Only requests with these fields in the query."""
    body: str | BodyMatch | None = None
    """Only requests with exactly this body, or one that matches."""
    probability: float | None = None
    """From 0 to 1; random numbers come from the seed."""
    do: Do
    """At most one response action, any number of changes."""

    @property
    def match(self) -> RequestMatch:
        """The conditions on query, headers and body. Raises ValueError."""
        body = self.body.wanted if isinstance(self.body, BodyMatch) else self.body
        return RequestMatch(self.json, self.headers, self.query, body)

    def __str__(self) -> str:
        conditions = {name: value for name, value in msgspec.to_builtins(self).items() if name not in {"request", "do"}}
        when = ", ".join(name if name in _UNTOLD else f"{name} {value}" for name, value in conditions.items())
        return f"{self.request or 'no request'}{f' ({when})' if when else ''}: {self.do}"


_UNTOLD = frozenset({"json", "headers", "query", "body"})
"""Conditions whose values may be long or secret."""
_OF_BOTH = frozenset({"headers", "body"})
"""Names of conditions on the request that are names of actions too, which they are in a call without `do`."""
_SECONDS = frozenset({"at", "until", "delay", "advance", "seconds", "after_seconds"})
_WITH_SECONDS = frozenset({"rate_limit", "websocket"})


def step_of(request: str | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of a step from keywords: those that are not conditions are actions.

    `headers` and `body` are those of the response, but with `do`, which then has all actions, those of the request, as
    in a file. Raises ValueError for a pattern that a step can't have.
    """
    given = {name: _plain(name, value) for name, value in settings.items() if value is not None}
    do = given.pop("do", None)
    if do is not None:
        do = {name: _plain(name, value) for name, value in do.items()}
    conditions = [name for name in given if name in Step.__struct_fields__ and (do is not None or name not in _OF_BOTH)]
    more = {name: value for name, value in given.items() if name not in conditions}
    found = {name: BodyMatch.of(given[name]) if name == "body" else given[name] for name in conditions}
    plain: dict[str, Any] = msgspec.to_builtins({"request": request, **found}, enc_hook=_as_it_is)
    return {**plain, "do": {**(do or {}), **more}}


def _as_it_is(value: object) -> object:
    return value


def _plain(name: str, value: Any) -> Any:
    """With numbers of seconds in the place of timedeltas."""
    if name in _SECONDS:
        return [to_seconds(each) for each in value] if isinstance(value, list | tuple) else to_seconds(value)
    if name in _WITH_SECONDS and isinstance(value, Mapping):
        return {key: to_seconds(each) if key in _SECONDS else each for key, each in value.items()}
    return value


def made_step(found: Mapping[str, Any]) -> Step:
    """A step from its JSON. Raises WrongStep with all mistakes that can be found without a world."""
    found = {name: value for name, value in found.items() if value is not None}
    _refuse(_misplaced(found))
    _refuse(Mistake(*wrong) for wrong in mistakes_of_types(found, Step, show=shown_as_json))
    try:
        step = msgspec.convert(found, Step)
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise WrongStep([Mistake((), str(error))]) from None
    _refuse(mistakes(step))
    return step


def _misplaced(found: Mapping[str, Any]) -> Iterator["Mistake"]:
    do = found.get("do")
    for name in do if isinstance(do, Mapping) else ():
        if name in Step.__struct_fields__ and name not in Do.__struct_fields__:
            yield Mistake(("do", name), "it stands beside `do`, not in it")
    for name in found:
        if name in Do.__struct_fields__ and name not in Step.__struct_fields__:
            yield Mistake((name,), f'it is an action; write it as "do": {{"{name}": …}}')


def _refuse(wrong: Iterable["Mistake"]) -> None:
    if found := list(wrong):
        raise WrongStep(found)


class Mistake(NamedTuple):
    """A mistake and its keys in a step."""

    path: Where
    text: str

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.text}" if self.path else self.text


class WrongStep(ValueError):
    """A step that can't be, or never happens."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("; ".join(map(str, mistakes)))
        self.mistakes = mistakes


def mistakes(step: Step) -> Iterator[Mistake]:
    """The mistakes in a step of correct types."""
    yield from _mistakes_in_conditions(step)
    do = step.do
    given = do.given()
    answers = [kind for kind in do.kinds if kind in ANSWERS]
    if not given:
        yield Mistake(("do",), f"no action given; add one of {', '.join(Do.__struct_fields__)}")
    if len(answers) > 1:
        yield Mistake(("do", answers[1]), f"either {answers[0]} or {answers[1]}, not both")
    if do.status is not None and not 200 <= do.status <= 599:
        yield Mistake(("do", "status"), f"{do.status} is not a valid status; it must be from 200 to 599")
    if do.status in {204, 304} and do.body is not None:
        yield Mistake(("do", "body"), f"a response with status {do.status} has no body")
    if do.on_clock and do.delay is None:
        yield Mistake(("do", "on_clock"), "it needs `delay`")
    for text in wrong_headers(do.headers or {}):
        yield Mistake(("do", "headers"), text)
    if do.websocket is not None:
        yield from _wrong_socket(do.websocket)
    yield from _not_json(step)
    yield from _wrong_match(step)
    yield from _out_of_bounds(step)
    if step.request is None and (useless := [kind for kind in do.kinds if kind not in CHANGES]):
        yield Mistake(("do", useless[0]), "it needs a request; add `request`")


def _not_json(step: Step) -> Iterator[Mistake]:
    """What a file of YAML can hold, and no message."""
    for path, value in ((("do", "body"), step.do.body), (("json",), step.json)):
        yield from (Mistake(*wrong) for wrong in json_mistakes(value, path))


def _wrong_match(step: Step) -> Iterator[Mistake]:
    if isinstance(step.body, BodyMatch):
        try:
            _ = step.body.wanted
        except ValueError as error:
            yield Mistake(("body",), str(error))
    if step.json is not None and step.body is not None:
        yield Mistake(("json",), "it can't be combined with `body`")


def wrong_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the additional headers of a response."""
    for name, value in headers.items():
        if wrong := unsendable(name) or unsendable(value):
            yield wrong
            continue
        if not name.isascii() or not name.replace("-", "a").isalnum() or any(char in value for char in "\r\n\0"):
            yield f"invalid header {name!r}: {value!r}"
        if name.lower() in _ITS_OWN:
            yield f"{name!r} is written by the server itself"


_IDENTITY = re.compile("[0-9a-f]{64}")


def _wrong_socket(fault: WebSocketFault) -> Iterator[Mistake]:
    if fault == WebSocketFault():
        yield Mistake(("do", "websocket"), f"no action given; add one of {', '.join(WebSocketFault.__struct_fields__)}")
    found = {"close": "" if fault.close is None else wrong_code(fault.close), "reason": wrong_reason(fault.reason)}
    is_late, is_timed = fault.after_messages is not None, fault.after_seconds is not None
    wrong_identity = isinstance(fault.identity, str) and not _IDENTITY.fullmatch(fault.identity)
    conflicts = (
        ("identity", wrong_identity, "it must be 64 hex digits in lower case"),
        ("identity", fault.identity and not fault.first_message, "it is in the first message, which is not sent"),
        ("reason", fault.reason and fault.close is None, "it needs `close`"),
        ("cut", fault.close is not None and fault.cut, "either close or cut, not both"),
        ("after_seconds", is_late and is_timed, "either after_messages or after_seconds, not both"),
        ("after_messages", is_late and not fault.ends, _AFTER_WHAT),
        ("after_seconds", is_timed and not fault.ends, _AFTER_WHAT),
    )
    for key, text in (*found.items(), *((key, text) for key, applies, text in conflicts if applies)):
        if text:
            yield Mistake(("do", "websocket", key), text)


_AFTER_WHAT = "it needs `error`, `close` or `cut`"


def _mistakes_in_conditions(step: Step) -> Iterator[Mistake]:
    if step.request is None:
        if step.at is None:
            yield Mistake((), "it needs `request` or `at`")
        for name in ("until", "nth", "times", "skip", "actor", "probability", "json", "headers", "query", "body"):
            if getattr(step, name):
                yield Mistake((name,), "it needs a request; add `request`")
    if step.nth is not None and (step.times is not None or step.skip):
        yield Mistake(("nth",), "it can't be combined with `skip` or `times`")
    if step.probability is not None and not 0 <= step.probability <= 1:
        yield Mistake(("probability",), f"{step.probability} is not between 0 and 1")
    if step.at is not None and step.until is not None and step.until <= step.at:
        yield Mistake(("until",), "it must be later than `at`")


def _out_of_bounds(step: Step) -> Iterator[Mistake]:
    limit, delay = step.do.rate_limit, step.do.delay
    low, high = delay if isinstance(delay, tuple) else (delay or 0.0, delay or 0.0)
    limit = limit if isinstance(limit, RateLimit) else RateLimit()
    socket = step.do.websocket or WebSocketFault()
    numbers: list[tuple[str, float, float]] = [
        ("at", step.at or 0, 0),
        ("until", step.until or 0, 0),
        ("nth", step.nth if step.nth is not None else 1, 1),
        ("times", step.times if step.times is not None else 1, 1),
        ("skip", step.skip, 0),
        ("do.delay", low, 0),
        ("do.delay", high, low),
        ("do.truncate", step.do.truncate, 0),
        ("do.advance", abs(step.do.advance or 0), 0),
        ("do.rate_limit.requests", limit.requests, 0),
        ("do.rate_limit.seconds", limit.seconds, 0.001),
        ("do.websocket.after_messages", 1 if socket.after_messages is None else socket.after_messages, 1),
        ("do.websocket.after_seconds", socket.after_seconds or 0, 0),
    ]
    for name, number, least in numbers:
        path = tuple(name.split("."))
        if number < least:
            shown = f"{number:g}" if number >= -LONGEST else "it"  # a whole number can be too large for a float
            yield Mistake(path, f"{shown} is too small; the minimum is {least:g}")
        elif not number <= LONGEST:
            yield Mistake(path, f"it must be a number up to {LONGEST:,.0f}")
