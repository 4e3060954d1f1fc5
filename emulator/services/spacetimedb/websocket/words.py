"""Messages in words, one line each, for the journal."""

from collections.abc import Mapping
from typing import Any

from emulator.http.upgrade import Message
from emulator.journal.masking import LONGEST, readable
from emulator.services.spacetimedb.websocket.sats import Variant

_LISTED = 3
"""Queries and sets that are shown of a message; the rest are counted."""

_LABELS: Mapping[str, str] = {
    "request_id": "request",
    "query_id": "set",
    "query_set_id": "set",
    "message_id": "message",
    "reducer": "reducer",
    "procedure": "procedure",
    "connection_id": "connection",
    "identity": "identity",
    "reducer_call": "reducer",
}
"""The fields that are shown before the colon, in this order."""

_AFTER_COLON = ("query", "query_string", "query_strings", "error", "status", "result", "query_sets")


def of_all(said: list[Variant]) -> str:
    """Of the messages in a frame: `Subscribe request 1, set 0: SELECT * FROM person`, and so on."""
    more = [f"and {len(said) - _LISTED} more messages"] if len(said) > _LISTED else []
    return readable("; ".join([*(_of(*each) for each in said[:_LISTED]), *more]))


def _of(name: str, fields: Any) -> str:
    if not isinstance(fields, dict):
        return name
    shown = [f"{label} {text}" for key, label in _LABELS.items() if (text := _scalar(fields.get(key)))]
    if (flags := _scalar(fields.get("flags"))) not in ("", "0"):
        shown.append(f"flags {flags}")
    said = "; ".join(text for key in _AFTER_COLON if (text := _content(fields.get(key))))
    return f"{name} {', '.join(shown)}".rstrip() + (f": {said}" if said else "")


def of_bytes(message: Message) -> str:
    """Of a message that is none of the protocol's."""
    if isinstance(message, str):
        return readable(f"text: {message[: LONGEST + 1]}" if message else "an empty text")
    if not message:
        return "no bytes"
    more = "…" if len(message) > _BYTES_SHOWN else ""
    return f"{len(message)} bytes: {message[:_BYTES_SHOWN].hex()}{more}"


_BYTES_SHOWN = 32


def _scalar(value: Any) -> str:
    """A number or a name, also one wrapped in a product or a sum; empty for nothing and for `Default`."""
    match value:
        case bytes():
            return value.hex()
        case str() | int():
            return str(value)
        case tuple():
            return str(value[0]) if value[0] != "Default" else ""
        case {"__identity__": int() as number}:
            return f"{number:064x}"
        case {"__connection_id__": int() as number}:
            return f"{number:032x}"
        case {"reducer_name": name}:
            return str(name)
        case dict() if len(value) == 1:
            return _scalar(next(iter(value.values())))
        case _:
            return ""


def _content(value: Any) -> str:
    match value:
        case str():
            return value
        case tuple():
            return f"{value[0]} {_content(value[1])}".rstrip()
        case list():
            shown = [_content(each) for each in value[:_LISTED]]
            return "; ".join(shown + ([f"and {len(value) - _LISTED} more"] if len(value) > _LISTED else []))
        case {"query_set_id": number, **rest}:
            return f"set {_scalar(number)}: {_content(rest.get('query_strings') or rest.get('result'))}"
        case dict() if len(value) == 1:
            variant, content = next(iter(value.items()))
            return f"{variant} {_content(content)}".rstrip()
        case _:
            return ""
