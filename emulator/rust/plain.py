"""The quick way to read JSON: for objects of which serde_json and Python's parser can't think differently."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

# Nested objects come out as tuples, NaN and the infinities as floats: neither is plain.
_PAIRS = json.JSONDecoder(object_pairs_hook=tuple, parse_constant=float)


def plain_object(data: bytes) -> dict[str, Any] | None:
    """The object in `data`, read by the C parser; None when anything in it needs the careful look of serde_json.

    Plain are strings without escapes, booleans, null, integers of 64 bits and lists of strings, under keys that come
    once.
    """
    if b"\\" in data:
        return None
    found = _spaced(data) if b": " in data else _compact(data) or _spaced(data)
    return found if found is not None and _all_plain(found.values()) else None


def _compact(data: bytes) -> dict[str, Any] | None:
    """What is written back the same has no doubled keys, and nothing that could be read in two ways."""
    try:
        found = msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # no ValueError before msgspec 0.20
        return None
    return found if type(found) is dict and msgspec.json.encode(found) == data else None


def _spaced(data: bytes) -> dict[str, Any] | None:
    try:
        pairs = _PAIRS.decode(data.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, tuple):
        return None
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


def _all_plain(values: Iterable[object]) -> bool:
    return all(type(value) is str or _is_plain(value) for value in values)


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return value is None or isinstance(value, bool) or (isinstance(value, int) and -(2**63) <= value < 2**64)
