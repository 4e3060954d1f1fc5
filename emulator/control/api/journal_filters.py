"""The filters of `GET /_emulator/journal`, as its query has them."""

from collections.abc import Callable, Mapping
from typing import Any

from emulator.control.api import bodies
from emulator.core.suggestions import did_you_mean
from emulator.http.parameters import query_pairs, whole_number
from emulator.journal.exchange import Exchange
from emulator.journal.queries import ExchangeQueries

FILTERS_EXAMPLE = (
    "`status` is a number or like 4xx, `since` a time like 2024-02-15T05:47:17Z (write + as %2B), `refused` true or "
    "false, `limit` and `last` are numbers, as in ?status=4xx&last=10"
)
_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


def _status(text: str) -> int | str:
    return text.lower() if text.lower() in _CLASSES else _number("status", text)


def _number(name: str, text: str) -> int:
    try:
        return whole_number(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _limit(text: str) -> int:
    return _number("limit", text)


def _last(text: str) -> int:
    return _number("last", text)


def _refused(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(f"refused: expected true or false, got {text[:60]!r}; {did_you_mean(text, ('true', 'false'))}")
    return text == "true"


_FILTERS: Mapping[str, Callable[[str], Any]] = {
    "method": str,
    "path": str,
    "status": _status,
    "since": str,
    "body": str,
    "refused": _refused,
    "limit": _limit,
    "last": _last,
}
_OWN = ("body", "refused", "limit", "last")
"""Those that `find` does not have."""


def filtered(journal: ExchangeQueries, query: str) -> list[Exchange]:
    """The exchanges that meet all filters: of these the first `limit`, or the last `last`.

    Raises ValueError for an invalid value, ControlRefused for an unknown filter.
    """
    given = dict(query_pairs(query))
    bodies.only(given, tuple(_FILTERS))
    found = {name: _FILTERS[name](value) for name, value in given.items()}
    own = {name: found.pop(name, None) for name in _OWN}
    exchanges = [each for each in journal.find(**found) if _meets(each, own["body"], own["refused"])]
    if own["limit"] is not None:
        exchanges = exchanges[: own["limit"]]
    return exchanges if own["last"] is None else exchanges[max(0, len(exchanges) - own["last"]) :]


def _meets(exchange: Exchange, body: str | None, refused: bool | None) -> bool:  # noqa: FBT001 - a value of the query
    """Whether the request's body contains a text, and whether the request was refused."""
    return (body is None or body in exchange.request.text) and (refused is None or exchange.is_refused is refused)
