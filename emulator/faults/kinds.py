"""Every kind of fault: what a step can do to a request, its response, or the world."""

from typing import Any, Literal

import msgspec

WHOLE_ANSWERS = ("status", "rate_limit")
CUT_ANSWERS = ("truncate", "malformed_chunk", "invalid_json")
NO_ANSWERS = ("drop", "tcp_reset", "garbage", "hang")
AFTER_AN_UPGRADE = ("websocket",)
ANSWERS = WHOLE_ANSWERS + CUT_ANSWERS + NO_ANSWERS + AFTER_AN_UPGRADE
"""At most one of them in a `do`."""
CHANGES = ("rotate_key", "revoke", "complete", "fail", "remove", "advance")
"""Changes of the world, made before the request is handled."""

_PER_MINUTE = 60.0


class RateLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most `requests` in `seconds` on the emulator's clock, for each API key, else for each client address."""

    requests: int = 0
    """How many requests are allowed in a window; 0 by default."""
    seconds: float = _PER_MINUTE
    """The length of a window, which starts with a client's first request; 60 by default."""


class WebSocketFault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What goes wrong on a WebSocket, after a handshake that is as usual."""

    first_message: bool = True
    """With `false` the first message of the server is not sent."""
    identity: bool | str = False
    """The first message has another identity than the token: this one, 64 hex digits, or with `true` a new one."""
    error: bool | str = False
    """Tell the client of an error, with this text, as the protocol does it for a subscription that fails."""
    close: int | None = None
    """Send a Close frame with this code: 1000 to 1003, 1007 to 1013, or 3000 to 4999."""
    reason: str = ""
    """The reason in that frame; at most 123 bytes."""
    cut: bool = False
    """End the connection without a Close frame."""
    after_messages: int | None = None
    """`error`, `close` and `cut` happen when so many messages of the client were answered, not at once."""
    after_seconds: float | None = None
    """They happen after so many real seconds, not at once."""

    @property
    def ends(self) -> tuple[str, ...]:
        """Those given of `error`, `close` and `cut`, which happen in this order."""
        given = {"error": self.error is not False, "close": self.close is not None, "cut": self.cut}
        return tuple(name for name, is_given in given.items() if is_given)


_UNTOLD = frozenset({"body", "headers", "revoke"})


Named = bool | str
"""The target of a change: a name, or `true` for all."""


class Do(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The actions of a step; docs/faults.md describes each."""

    status: int | None = None
    """Respond with this status, from 200 to 599; the request does not take effect."""
    body: Any = None
    """The body of that response: a string as text, anything else as JSON; by default the API's own error body."""
    headers: dict[str, str] | None = None
    """Additional headers of that response."""
    delay: float | tuple[float, float] | None = None
    """Wait this many seconds before the request is handled; two numbers are a range."""
    on_clock: bool = False
    """Measure the delay on the emulator's clock, not in real time."""
    drop: Literal["before", "after"] | None = None
    """Close the connection without a response, before or after the request took effect."""
    tcp_reset: bool = False
    """Reset the connection (TCP RST); the request does not take effect."""
    truncate: bool | int = False
    """Close the connection in the middle of the body, or after this many bytes of it."""
    malformed_chunk: bool = False
    """Send a chunked body whose second chunk has no length."""
    garbage: bool = False
    """Respond with bytes that are not HTTP; the request does not take effect."""
    invalid_json: bool = False
    """Send half of the body, with the content-length of that half."""
    hang: bool = False
    """Never respond; the request does not take effect."""
    rate_limit: bool | RateLimit = False
    """Respond with 429 and Retry-After beyond a number of requests; `true` allows none."""
    websocket: WebSocketFault | None = None
    """Complete the handshake, then break the session; only for a route that upgrades to a WebSocket."""
    rotate_key: bool = False
    """Replace the signing key: all earlier tokens become invalid."""
    revoke: Named = False
    """Revoke an API key: the actor's name or the key; `true` is all keys."""
    complete: Named = False
    """Complete a pending Intuition identity: its name in the scenario or an id; `true` is all pending ones."""
    fail: Named = False
    """The same as `complete`, with the status `error`."""
    remove: Named = False
    """The same as `complete`, with the status `removed`."""
    advance: float | None = None
    """Advance the emulator's clock by this many seconds."""

    @property
    def kinds(self) -> list[str]:
        """The names of the given actions, in the order above."""
        given = self.given()
        if given.keys() & {"body", "headers"} and "status" not in given:
            given = {"status": 200, **given}
        return [name for name in given if name not in {"body", "headers", "on_clock"}]

    @property
    def answer(self) -> str:
        """The given one of `ANSWERS`, or an empty string."""
        return next((kind for kind in self.kinds if kind in ANSWERS), "")

    def given(self) -> dict[str, Any]:
        """The fields that are not at their defaults, as plain values."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def __str__(self) -> str:
        """For logs and reports: without values that may be long or secret."""
        return ", ".join(
            name if isinstance(value, bool) or name in _UNTOLD else f"{name}: {value}"
            for name, value in self.given().items()
        )
