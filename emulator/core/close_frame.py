"""Code and reason of a WebSocket's Close frame (RFC 6455, 5.5.1 and 7.4)."""

NORMAL, GOING_AWAY, INTERNAL_ERROR = 1000, 1001, 1011
SESSION_TAKEN = 4000
"""Of SpacetimeDB 2.10.2 and later, when another connection has the same `session_id`."""

LONGEST_REASON = 123
"""Bytes."""


def is_close_code(code: int) -> bool:
    """Whether a Close frame may have this code (CloseCode in tungstenite's src/protocol/frame/coding.rs)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1013 or 3000 <= code <= 4999


def wrong_code(code: object) -> str:
    """What is wrong with a code, in words; empty when nothing is."""
    if type(code) is int and is_close_code(code):
        return ""
    return f"{str(code)[:40]} is not a valid code; it must be 1000 to 1003, 1007 to 1013, or 3000 to 4999"


def wrong_reason(reason: object) -> str:
    """What is wrong with a reason, in words; empty when nothing is."""
    if not isinstance(reason, str):
        return f"{str(reason)[:40]} is no text"
    try:
        size = len(reason.encode())
    except UnicodeEncodeError:
        return "it has a lone surrogate, which no Close frame can have"
    return "" if size <= LONGEST_REASON else f"it has {size} bytes; at most {LONGEST_REASON} fit into a Close frame"
