"""The quick way to read JSON: for objects of which serde_json and the C parser can't think differently."""

from typing import Any

import msgspec


def plain_object(data: bytes) -> dict[str, Any] | None:
    """The object in `data`, read by the C parser; None when anything in it needs the careful look of serde_json.

    Plain are strings without escapes, booleans, null, integers of 64 bits but 0, which may have been a -0, and lists of
    strings, under keys that come once.
    """
    if b"\\" in data:
        return None
    try:
        found = msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # no ValueError before msgspec 0.20
        return None
    return found if type(found) is dict and data.count(b'"') == 2 * _strings(found) else None


def _strings(found: dict[str, Any]) -> int:
    """How many there are, keys included; -1 with something that is not plain.

    A key that came twice has left one value only, so its quotes in the text are too many.
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
