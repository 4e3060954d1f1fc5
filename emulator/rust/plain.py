"""The quick way to read JSON: for objects of which serde_json and Python's parser can't think differently."""

import json
from typing import Any

# Nested objects come out as tuples, NaN and the infinities as floats: neither is plain.
_PAIRS = json.JSONDecoder(object_pairs_hook=tuple, parse_constant=float)


def plain_object(data: bytes) -> dict[str, Any] | None:
    """The object in `data`, read by the C parser; None when anything in it needs the careful look of serde_json.

    Plain are strings without escapes, booleans, null, integers of 64 bits and lists of strings, under keys that come
    once.
    """
    if b"\\" in data:
        return None
    try:
        pairs = _PAIRS.decode(data.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, tuple):
        return None
    found = dict(pairs)
    return found if len(found) == len(pairs) and all(map(_plain, found.values())) else None


def _plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return value is None or isinstance(value, str | bool) or (isinstance(value, int) and -(2**63) <= value < 2**64)
