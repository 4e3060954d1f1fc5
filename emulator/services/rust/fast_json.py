"""A fast JSON parser, for objects that it and serde_json can only parse to the same value."""

from typing import Any

import msgspec


def plain_object(data: bytes) -> dict[str, Any] | None:
    """The object in `data`, parsed by msgspec; None unless it is plain.

    A plain object has unique keys, and as values strings without escapes, booleans, null, integers of 64 bits except 0,
    which may be -0 in the text, and lists of strings.
    """
    if b"\\" in data:
        return None
    try:
        found = msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # no ValueError before msgspec 0.20
        return None
    return found if type(found) is dict and data.count(b'"') == 2 * _strings(found) else None


def _strings(found: dict[str, Any]) -> int:
    """The number of strings, keys included; -1 with a value that is not plain.

    A repeated key leaves one entry only, so the text has more quotes than this counts.
    """
    count = len(found)
    for value in found.values():
        kind = type(value)
        if kind is str:
            count += 1
        elif kind is list and all(type(item) is str for item in value):
            count += len(value)
        elif not (value is None or kind is bool or (kind is int and value and -(2**63) <= value < 2**64)):
            return -1
    return count
