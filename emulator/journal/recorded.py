"""Exchanges as a page shows them that asks nobody: what is in a report file, as JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from emulator.journal.exchange import Exchange
from emulator.journal.masking import without
from emulator.journal.report import curl, sent_token
from emulator.journal.row import row
from emulator.journal.shown import Shown

MOST_EXCHANGES = 1000
MOST_BYTES = 8 * 1024 * 1024
"""Of the exchanges as JSON; with what else is in a file, it has up to three times as many."""
MOST_OF_BODIES = 1024 * 1024
"""Bytes of bodies and frames that are shown: masking them takes most of the time. Earlier ones are left out."""
_MOST_TOKENS = 100
"""The last ones, which are judged."""

Inspect = Callable[[str, int], Mapping[str, Any] | None]
"""What the world says to a token at a time (microseconds)."""


class Recorded(NamedTuple):
    """Each by the place of the exchange among those that are shown.

    `earlier` is how many are not, `without_bodies` how many are, but without their bodies and frames.
    """

    rows: list[dict[str, Any]]
    exchanges: list[dict[str, Any]]
    curls: dict[str, str]
    inspections: dict[str, Any]
    earlier: int
    without_bodies: int


def recorded(exchanges: Sequence[Exchange], url: str, inspect: Inspect, *, secrets: bool = False) -> Recorded:
    """The last ones, as far as there is room. Secrets are masked."""
    shown = Shown.of(exchanges, secrets=secrets)
    bounded, without_bodies = _bounded(exchanges[-MOST_EXCHANGES:])
    whole = _last(bounded, shown)
    last = bounded[len(bounded) - len(whole) :]
    known = [shown.knowing(each).known for each in last]
    curls = (without(mine, curl(each, url, secrets=secrets)) for each, mine in zip(last, known, strict=True))
    return Recorded(
        rows=[row(each, secrets=secrets, known=mine) for each, mine in zip(last, known, strict=True)],
        exchanges=whole,
        curls={str(place): command for place, command in enumerate(curls)},
        inspections={str(place): found for place, found in _inspected(last, inspect, shown)},
        earlier=len(exchanges) - len(last),
        without_bodies=max(0, without_bodies - (len(bounded) - len(last))),
    )


def _bounded(exchanges: Sequence[Exchange]) -> tuple[list[Exchange], int]:
    """The exchanges, the first of them without bodies and frames, and how many those are."""
    room = MOST_OF_BODIES
    for place in range(len(exchanges) - 1, -1, -1):
        room -= _size(exchanges[place])
        if room < 0:
            return [*map(_without_bodies, exchanges[: place + 1]), *exchanges[place + 1 :]], place + 1
    return list(exchanges), 0


def _size(exchange: Exchange) -> int:
    frames = 0 if exchange.websocket is None else exchange.websocket.weight
    return len(exchange.request.kept) + len(exchange.response.kept) + frames


def _without_bodies(exchange: Exchange) -> Exchange:
    return replace(
        exchange,
        request=replace(exchange.request, kept=b""),
        response=replace(exchange.response, kept=b""),
        websocket=None if exchange.websocket is None else exchange.websocket.without_texts(),
    )


def _last(exchanges: Sequence[Exchange], shown: Shown) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    room = MOST_BYTES
    for each in reversed(exchanges):
        as_json = shown.exchange(each)
        room -= len(json.dumps(as_json))
        if room < 0 and found:
            break
        found.append(as_json)
    return found[::-1]


def _inspected(exchanges: Sequence[Exchange], inspect: Inspect, shown: Shown) -> list[tuple[int, Any]]:
    """At the time of its exchange, as the world is now: a key that was rotated since is another one."""
    sent = [(place, each, token) for place, each in enumerate(exchanges) if (token := sent_token(each))]
    found = [(place, inspect(token, each.micros)) for place, each, token in sent[-_MOST_TOKENS:]]
    return [(place, _masked(each, shown)) for place, each in found if each is not None]


_WORDS = ("reason", "text", "header", "payload", "issuer", "subject", "signed_by")


def _masked(found: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    """Members are named for what they are, so `key` is no secret."""
    texts = {name: shown.text(found[name]) for name in _WORDS if isinstance(found.get(name), str)}
    lists = {"checks": [_masked(each, shown) for each in found["checks"]]} if "checks" in found else {}
    if "profiles" in found:
        lists["profiles"] = [_masked(each, shown) for each in found["profiles"]]
    return {**found, **texts, **lists}
