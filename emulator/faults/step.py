"""Steps of a script as values: which requests they match, when they apply, what they do, and their checks."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from emulator.core.close_frame import wrong_code, wrong_reason
from emulator.core.suggestions import did_you_mean
from emulator.faults.kinds import ANSWERS, CHANGES, Do, RateLimit, WebSocketFault

LONGEST = 1e9
"""Seconds, about thirty years."""
_ITS_OWN = frozenset({"connection", "content-length", "date", "transfer-encoding"})
_NOT_SENT = re.compile("[\r\n\0\ud800-\udfff]")
"""In the value of a header; half a surrogate pair is no UTF-8."""


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
    probability: float | None = None
    """From 0 to 1; random numbers come from the seed."""
    do: Do
    """At most one response action, any number of changes."""

    def __str__(self) -> str:
        conditions = {name: value for name, value in msgspec.to_builtins(self).items() if name not in {"request", "do"}}
        when = ", ".join(f"{name} {value}" for name, value in conditions.items())
        return f"{self.request or 'no request'}{f' ({when})' if when else ''}: {self.do}"


def step_of(request: str | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of a step from keywords: those that are not conditions are actions."""
    conditions = {name: value for name, value in settings.items() if name in Step.__struct_fields__ and name != "do"}
    do = {name: value for name, value in settings.items() if name not in conditions and name != "do"}
    return {"request": request, **conditions, "do": {**settings.get("do", {}), **do}}


def made_step(found: Mapping[str, Any]) -> Step:
    """A step from its JSON. Raises ValueError with all mistakes that can be found without a world."""
    found = {name: value for name, value in found.items() if value is not None}
    do = found.get("do")
    _check_keys("a step", found, Step.__struct_fields__)
    _check_keys("`do`", do if isinstance(do, dict) else {}, Do.__struct_fields__)
    try:
        step = msgspec.convert(found, Step)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    if wrong := list(mistakes(step)):
        raise ValueError("; ".join(map(str, wrong)))
    return step


def _check_keys(where: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise ValueError(f"{where} has no key {name!r}; {did_you_mean(name, (*known, *Step.__struct_fields__))}")


class Mistake(NamedTuple):
    """A mistake and its keys in a step."""

    path: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.text}" if self.path else self.text


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
    if isinstance(do.body, bytes | bytearray):
        yield Mistake(("do", "body"), "it must be a string or JSON, not bytes")
    if do.on_clock and do.delay is None:
        yield Mistake(("do", "on_clock"), "it needs `delay`")
    for text in wrong_headers(do.headers or {}):
        yield Mistake(("do", "headers"), text)
    if do.websocket is not None:
        yield from _wrong_socket(do.websocket)
    yield from _out_of_bounds(step)
    if step.request is None and (useless := [kind for kind in do.kinds if kind not in CHANGES]):
        yield Mistake(("do", useless[0]), "it needs a request; add `request`")


def wrong_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the additional headers of a response."""
    for name, value in headers.items():
        if not name.isascii() or not name.replace("-", "a").isalnum() or _NOT_SENT.search(value):
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
        for name in ("until", "nth", "times", "skip", "actor", "probability"):
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
