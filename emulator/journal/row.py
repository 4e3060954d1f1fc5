"""An exchange as a row of a list: what people see of it before they open it."""

from collections.abc import Iterable
from typing import Any

import msgspec

from emulator.core.clock import rfc3339
from emulator.journal.exchange import Exchange
from emulator.journal.frames import Frames
from emulator.journal.masking import mask_fields, printable, readable, sent_secrets, without

_LONGEST_PATH, _LONGEST_QUERY = 300, 300
"""Characters."""


def row(exchange: Exchange, *, secrets: bool = False, known: Iterable[str] | None = None) -> dict[str, Any]:
    """As JSON. Texts are printable and cut; secrets are masked, `known` ones too, by default those in its headers."""
    if known is None:
        known = () if secrets else sent_secrets(exchange.request.headers)
    return {
        "n": exchange.number,
        "at": rfc3339(exchange.micros),
        "after": round(exchange.after, 6),
        "duration": round(exchange.duration, 6),
        "method": printable(exchange.method[:_LONGEST_PATH]),
        "path": _shown(exchange.path, _LONGEST_PATH, known, secrets=secrets),
        "query": _query(exchange.query, known, secrets=secrets) if exchange.query else "",
        "status": exchange.status,
        "operation": exchange.operation,
        "actor": _shown(exchange.actor, _LONGEST_PATH, known, secrets=secrets),
        "fault": _shown(exchange.fault, _LONGEST_REASON, known, secrets=secrets),
        "why": _shown(exchange.why, _LONGEST_REASON, known, secrets=secrets),
        "matched": exchange.matched,
        "outlived": exchange.outlived,
        "refused": exchange.is_refused,
        "size": exchange.response.size,
        "websocket": None if exchange.websocket is None else websocket_row(exchange.websocket),
    }


_LONGEST_REASON = 1000
"""Characters; the whole reason is in the exchange."""


def websocket_row(frames: Frames) -> dict[str, Any]:
    """How many frames there were, and how it ended."""
    return {"frames": len(frames) + frames.dropped, "ended": msgspec.to_builtins(frames.ended)}


def _shown(text: str, longest: int, known: Iterable[str], *, secrets: bool) -> str:
    if not text:
        return ""
    if not secrets:
        return readable(text, longest, known)
    return printable(text[:longest]) + ("…" if len(text) > longest else "")


def _query(text: str, known: Iterable[str], *, secrets: bool) -> str:
    cut = text[:_LONGEST_QUERY]
    shown = cut if secrets else without(known, mask_fields(cut))
    return printable(shown) + ("…" if len(text) > _LONGEST_QUERY else "")
