"""Which rows a list shows: paging, sorting and filters as the query string asks for them.

What the page says of the parameters is little; the rest is read off the dumps and the template (docs/fidelity.md).
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
    """`page` counts from 1; `offset` decides when it is given."""

    page: int = 1
    limit: int = DEFAULT_LIMIT
    offset: int | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "Paging":
        found = {name: _number(query[name]) for name in ("page", "limit", "offset") if name in query}
        return cls(**found)

    @property
    def start(self) -> int:
        """How many rows come before; a negative page counts away from the first as the template does."""
        if self.offset is not None:
            return max(self.offset, 0)
        return abs(self.page - 1) * max(self.limit, 0) if self.page else 0

    def envelope(self, rows: Iterable[Any], total: int) -> dict[str, Any]:
        """The page of `rows`, with the values that took effect."""
        data = list(islice(rows, self.start, self.start + max(self.limit, 0)))
        return {"page": self.page, "limit": self.limit, "total": total, "data": data}


def _number(text: str) -> int:
    """What is no 64-bit integer counts as 1."""
    try:
        number = int(text) if text.isascii() and "_" not in text and text.strip() == text else 1
    except ValueError:
        return 1
    return number if -(2**63) <= number < 2**63 else 1


def _text(field: str) -> Callable[[Identity], Any]:
    return lambda identity: getattr(identity, field) or ""


def _wei(field: str) -> Callable[[Identity], Any]:
    return lambda identity: int(getattr(identity, field))


SORT_KEYS: Mapping[str, Callable[[Identity], Any]] = {
    "identity_id": _text("identity_id"),
    "display_name": _text("display_name"),
    "creator": lambda identity: identity.creator.wallet,
    "num_positions": _wei("num_positions"),
    "assets_sum": _wei("assets_sum"),
    "conviction_sum": _wei("conviction_sum"),
    "conviction_price": _wei("conviction_price"),
    "description": _text("description"),
    "created_at": _text("created_at"),
    "updated_at": _text("updated_at"),
    "status": _text("status"),
}


class Sorting(msgspec.Struct, frozen=True):
    """`key` is one of SORT_KEYS. Rows that are equal in it are ordered as they were made."""

    key: str = DEFAULT_SORT
    descending: bool = True

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "Sorting":
        """snake_case as the page has it, PascalCase as the clients do; what is unknown is no sort at all."""
        key = _snake(query.get("sortBy", DEFAULT_SORT))
        direction = query.get("direction", "desc")
        if key not in SORT_KEYS or direction not in {"asc", "desc"}:
            return cls()
        return cls(key, direction == "desc")


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).removeprefix("_")


class Filters(msgspec.Struct, frozen=True):
    """What a row must be like; None is anything. `display_name` is found anywhere in a name, in any case."""

    status: str | None = None
    creator: str | None = None
    display_name: str | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "Filters":
        """Raises InvalidQuery for a status that is none."""
        status = query.get("status")
        if status is not None and status not in STATUSES:
            known = ", ".join(f"`{each}`" for each in STATUSES)
            raise InvalidQuery(f"unknown variant `{status}`, expected one of {known}", f"there is no status {status!r}")
        return cls(status, query.get("creator"), query.get("displayName", "").casefold() or None)

    def __bool__(self) -> bool:
        return self != Filters()

    def fit(self, identity: Identity) -> bool:
        return (
            (self.status is None or identity.status == self.status)
            and (self.creator is None or identity.creator.wallet == self.creator)
            and (self.display_name is None or self.display_name in identity.display_name.casefold())
        )
