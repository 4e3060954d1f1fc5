"""What goes wrong, when, and how often: the steps of a script as values, and what can be wrong with them."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from emulator.core.suggestions import did_you_mean

WHOLE_ANSWERS = ("status", "rate_limit")
CUT_ANSWERS = ("truncate", "malformed_chunk", "invalid_json")
NO_ANSWERS = ("drop", "tcp_reset", "garbage", "hang")
ANSWERS = WHOLE_ANSWERS + CUT_ANSWERS + NO_ANSWERS
"""At most one of them in a `do`."""
CHANGES = ("rotate_key", "revoke", "complete", "fail", "remove", "advance")
"""What a step does to the world, before the request is looked at."""

_PER_MINUTE = 60.0


class RateLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many requests in so many seconds of the emulator's clock, counted for each API key, else for each address."""

    requests: int = 0
    """How many are let through."""
    seconds: float = _PER_MINUTE
    """In how many seconds, from a client's first request on."""


LONGEST = 1e9
"""Seconds, about thirty years; more is a mistake."""
_ITS_OWN = frozenset({"connection", "content-length", "date", "transfer-encoding"})
_UNTOLD = frozenset({"body", "headers", "revoke"})

Named = bool | str
"""What a change is done to: one thing by its name, or with `true` all there are."""


class Do(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a step does. docs/faults.md has each kind in words."""

    status: int | None = None
    """Answer with this status instead; the request does not reach the API."""
    body: Any = None
    """Of that answer: a text, or anything else as JSON; without it the API's own words."""
    headers: dict[str, str] | None = None
    """Of that answer."""
    delay: float | tuple[float, float] | None = None
    """Seconds before the request is looked at; two numbers are a range."""
    on_clock: bool = False
    """The delay is on the emulator's clock, not real time."""
    drop: Literal["before", "after"] | None = None
    """Close the connection without a byte, before or after the request took effect."""
    tcp_reset: bool = False
    """Reset the connection (TCP RST) before the request took effect."""
    truncate: bool | int = False
    """Close the connection in the middle of the body, or after so many of its bytes."""
    malformed_chunk: bool = False
    """Send the answer in chunks and break the second one."""
    garbage: bool = False
    """Answer with bytes that are not HTTP; the request does not take effect."""
    invalid_json: bool = False
    """Send half of the answer's body under a fitting content-length."""
    hang: bool = False
    """Never answer; the request does not take effect."""
    rate_limit: bool | RateLimit = False
    """Answer 429 with Retry-After beyond so many requests; `true` allows none."""
    rotate_key: bool = False
    """Lose the signing key: every token so far becomes invalid."""
    revoke: Named = False
    """Revoke an API key, by its name in the scenario or itself; `true` is all of them."""
    complete: Named = False
    """Complete a pending Intuition identity, by its name in the scenario or an id; `true` is all of them."""
    fail: Named = False
    """As `complete`, with the status `error`."""
    remove: Named = False
    """As `complete`, with the status `removed`."""
    advance: float | None = None
    """Move the emulator's clock by seconds."""

    @property
    def kinds(self) -> list[str]:
        """What is asked for, in the order above."""
        given = self.given()
        if given.keys() & {"body", "headers"} and "status" not in given:
            given = {"status": 200, **given}
        return [name for name in given if name not in {"body", "headers", "on_clock"}]

    @property
    def answer(self) -> str:
        """The one of `ANSWERS` that is asked for, or nothing."""
        return next((kind for kind in self.kinds if kind in ANSWERS), "")

    def given(self) -> dict[str, Any]:
        """What is not at its default, as plain values."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def __str__(self) -> str:
        """For logs and reports: without what may be long or secret."""
        return ", ".join(
            name if isinstance(value, bool) or name in _UNTOLD else f"{name}: {value}"
            for name, value in self.given().items()
        )


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line of a script: which requests, when, and what then. Without `request` it happens once, `at` its time."""

    request: str | None = None
    """`POST /v1/identity`: a method (`*` is any) and a path, in which `*` is one segment and `**` any number."""
    at: float | None = None
    """Seconds on the emulator's clock since the world began; with `request`, only from then on."""
    until: float | None = None
    """With `request`, only before then."""
    nth: int | None = None
    """Only the nth fitting request, from 1."""
    times: int | None = None
    """At most so many times."""
    skip: int = 0
    """Let so many fitting requests pass first."""
    actor: str | None = None
    """Only requests with this actor's token or API key."""
    probability: float | None = None
    """From 0 to 1, drawn from the seed."""
    do: Do
    """What then."""

    def __str__(self) -> str:
        conditions = {name: value for name, value in msgspec.to_builtins(self).items() if name not in {"request", "do"}}
        when = ", ".join(f"{name} {value}" for name, value in conditions.items())
        return f"{self.request or 'at its time'}{f' ({when})' if when else ''}: {self.do}"


def step_of(request: str | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A step as JSON has it, of keywords: those that are no conditions say what to do."""
    conditions = {name: value for name, value in settings.items() if name in Step.__struct_fields__ and name != "do"}
    do = {name: value for name, value in settings.items() if name not in conditions and name != "do"}
    return {"request": request, **conditions, "do": {**settings.get("do", {}), **do}}


def made_step(found: Mapping[str, Any]) -> Step:
    """A step of keywords or JSON. Raises ValueError with all that is wrong, whatever world it is for."""
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
    """What is wrong at which keys of a step."""

    path: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.text}" if self.path else self.text


def mistakes(step: Step) -> Iterator[Mistake]:
    """What types alone don't tell."""
    yield from _mistakes_in_conditions(step)
    do = step.do
    given = do.given()
    answers = [kind for kind in do.kinds if kind in ANSWERS]
    if not given:
        yield Mistake(("do",), f"nothing is to be done; say one of {', '.join(Do.__struct_fields__)}")
    if len(answers) > 1:
        yield Mistake(("do", answers[1]), f"an answer is either {answers[0]} or {answers[1]}")
    if do.status is not None and not 200 <= do.status <= 599:
        yield Mistake(("do", "status"), f"{do.status} is no status of an answer; it is from 200 to 599")
    if do.status in {204, 304} and do.body is not None:
        yield Mistake(("do", "body"), f"an answer of {do.status} has none")
    if isinstance(do.body, bytes | bytearray):
        yield Mistake(("do", "body"), "bytes are neither text nor JSON; send a text")
    if do.on_clock and do.delay is None:
        yield Mistake(("do", "on_clock"), "it says how a delay is measured; there is none")
    yield from _wrong_headers(do.headers or {})
    yield from _out_of_bounds(step)
    if step.request is None and (useless := [kind for kind in do.kinds if kind not in CHANGES]):
        yield Mistake(("do", useless[0]), "needs a request to do it to; add `request`")


def _wrong_headers(headers: Mapping[str, str]) -> Iterator[Mistake]:
    for name, value in headers.items():
        if not name.isascii() or not name.replace("-", "a").isalnum() or any(char in value for char in "\r\n\0"):
            yield Mistake(("do", "headers"), f"{name!r}: {value!r} is no header")
        if name.lower() in _ITS_OWN:
            yield Mistake(("do", "headers"), f"{name!r} is written by the server itself")


def _mistakes_in_conditions(step: Step) -> Iterator[Mistake]:
    if step.request is None:
        if step.at is None:
            yield Mistake((), "it has neither `request` nor `at`")
        for name in ("until", "nth", "times", "skip", "actor", "probability"):
            if getattr(step, name):
                yield Mistake((name,), "it is for requests; add `request`")
    if step.nth is not None and (step.times is not None or step.skip):
        yield Mistake(("nth",), "it means just one; for several use `skip` and `times`")
    if step.probability is not None and not 0 <= step.probability <= 1:
        yield Mistake(("probability",), f"{step.probability} is not from 0 to 1")
    if step.at is not None and step.until is not None and step.until <= step.at:
        yield Mistake(("until",), "it is not after `at`")


def _out_of_bounds(step: Step) -> Iterator[Mistake]:
    limit, delay = step.do.rate_limit, step.do.delay
    low, high = delay if isinstance(delay, tuple) else (delay or 0.0, delay or 0.0)
    limit = limit if isinstance(limit, RateLimit) else RateLimit()
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
    ]
    for name, number, least in numbers:
        path = tuple(name.split("."))
        if number < least:
            yield Mistake(path, f"{number:g} is too small; {least:g} is the least")
        elif not number <= LONGEST:
            yield Mistake(path, f"it is no number up to {LONGEST:.0e}")
