"""Lists of what a world holds, a part at a time: there may be 100,000 of it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from emulator.control.api import bodies
from emulator.control.api.access import ControlRefused
from emulator.http.parameters import query_pairs, whole_number
from emulator.http.request import Request

LIMIT, MOST = 100, 1000


class Window(NamedTuple):
    """Of those that have `text` in them, in any case: at most `limit` after the first `offset`."""

    text: str = ""
    limit: int = LIMIT
    offset: int = 0

    @classmethod
    def of(cls, request: Request) -> "Window":
        """What a query asks for. Raises ControlRefused."""
        given = dict(query_pairs(request.query))
        bodies.only(given, cls._fields)
        limit = min(_number(given, "limit", LIMIT), MOST)
        return cls(given.get("text", "").casefold(), limit, _number(given, "offset", 0))

    def page(self, name: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """`{name: [row …], "total": n}`: those within, and the number of all that have the text."""
        shown: list[Mapping[str, Any]] = []
        total = 0
        for row in filter(self._is_in, rows):
            if total >= self.offset and len(shown) < self.limit:
                shown.append(row)
            total += 1
        return {name: shown, "total": total}

    def _is_in(self, row: Mapping[str, Any]) -> bool:
        return not self.text or any(self.text in str(value).casefold() for value in row.values())


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    try:
        return whole_number(given.get(name, str(default)))
    except ValueError as error:
        raise ControlRefused(400, f"{name}: {error}", "send ?limit=100&offset=100") from None
