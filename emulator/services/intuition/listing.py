"""Paging, sorting and filters of lists, from the query string.

The page documents few of the parameters; the others are from the OpenAPI dumps and a later template by the same author
(docs/fidelity.md, Intuition).
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

import msgspec

from emulator.services.intuition.model import STATUSES, Identity
from emulator.services.intuition.refusals import InvalidQuery

DEFAULT_LIMIT = 100
DEFAULT_SORT = "created_at"


class Paging(msgspec.Struct, frozen=True):
    """`page` counts from 1; `offset`, if given, overrides it."""

    page: int = 1
    limit: int = DEFAULT_LIMIT
    offset: int | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "Paging":
        found = {name: _number(query[name]) for name in ("page", "limit", "offset") if name in query}
        return cls(**found)

    @property
    def start(self) -> int:
        """The number of rows before the page; for a `page` below 0 also positive, as in the template."""
        if self.offset is not None:
            return max(self.offset, 0)
        return abs(self.page - 1) * max(self.limit, 0) if self.page else 0

    def envelope(self, rows: Iterable[Any], total: int) -> dict[str, Any]:
        """The page of `rows`, with the effective `page` and `limit`."""
        data = list(islice(rows, self.start, self.start + max(self.limit, 0)))
        return {"page": self.page, "limit": self.limit, "total": total, "data": data}


def _number(text: str) -> int:
    """A text that is not a 64-bit integer counts as 1, as in the template."""
    try:
        number = int(text) if text.isascii() and "_" not in text and text.strip() == text else 1
    except ValueError:
        return 1
    return number if -(2**63) <= number < 2**63 else 1


def _text(field: str) -> Callable[[Identity], Any]:
    return lambda identity: getattr(identity, field) or ""


def _number_in(field: str) -> Callable[[Identity], Any]:
    return lambda identity: int(getattr(identity, field))


_TEXTS = ("identity_id", "display_name", "description", "created_at", "updated_at", "status")
_NUMBERS = ("num_positions", "assets_sum", "conviction_sum", "conviction_price")
SORT_KEYS: Mapping[str, Callable[[Identity], Any]] = {
    "creator": lambda identity: identity.creator.wallet,
    **{field: _text(field) for field in _TEXTS},
    **{field: _number_in(field) for field in _NUMBERS},
}


class Sorting(msgspec.Struct, frozen=True):
    """`key` is one of SORT_KEYS. Rows with equal keys are in order of creation (invented)."""

    key: str = DEFAULT_SORT
    descending: bool = True

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "Sorting":
        """snake_case as on the page, or PascalCase as in the clients; with an unknown value the default applies."""
        key = _snake(query.get("sortBy", DEFAULT_SORT))
        direction = query.get("direction", "desc")
        if key not in SORT_KEYS or direction not in {"asc", "desc"}:
            return cls()
        return cls(key, direction == "desc")


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).removeprefix("_")


class Filters(msgspec.Struct, frozen=True):
    """Conditions on a row; None matches anything. `display_name` matches a part of the name, in any case."""

    status: str | None = None
    creator: str | None = None
    display_name: str | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "Filters":
        """Raises InvalidQuery for an unknown status."""
        status = query.get("status")
        if status is not None and status not in STATUSES:
            known = ", ".join(f"`{each}`" for each in STATUSES)
            raise InvalidQuery(f"unknown variant `{status}`, expected one of {known}", f"there is no status {status!r}")
        return cls(status, query.get("creator"), query.get("displayName", "").casefold() or None)

    def __bool__(self) -> bool:
        return self != Filters()

    def match(self, identity: Identity) -> bool:
        return (
            (self.status is None or identity.status == self.status)
            and (self.creator is None or identity.creator.wallet == self.creator)
            and (self.display_name is None or self.display_name in identity.display_name.casefold())
        )
