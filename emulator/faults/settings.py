"""The keywords of `faults.add`, for type checkers and for the check of a call."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from emulator.core.arguments import Judged, json_mistakes
from emulator.core.clock import Seconds
from emulator.faults.kinds import Named, RateLimit, WebSocketFault


def _wrong_body(given: object) -> str:
    """Bytes and patterns are for the body of a request; one of a response is checked later, when that is known."""
    if isinstance(given, bytes | re.Pattern):
        return ""
    return next((wrong.text for wrong in json_mistakes(given, ())), "")


Body = Annotated[Any, Judged(_wrong_body)]


class RateLimitSettings(TypedDict, total=False):
    """As `RateLimit`."""

    requests: int
    seconds: Seconds


class WebSocketSettings(TypedDict, total=False):
    """As `WebSocketFault`."""

    first_message: bool
    identity: bool | str
    error: bool | str
    close: int | None
    reason: str
    cut: bool
    after_messages: int | None
    after_seconds: Seconds | None


class DoSettings(TypedDict, total=False):
    """The actions, as in `Do`."""

    status: int | None
    body: Body
    headers: Mapping[str, str] | None
    delay: Seconds | tuple[Seconds, Seconds] | None
    on_clock: bool
    drop: Literal["before", "after"] | None
    tcp_reset: bool
    truncate: bool | int
    malformed_chunk: bool
    garbage: bool
    invalid_json: bool
    hang: bool
    rate_limit: bool | RateLimit | RateLimitSettings
    websocket: WebSocketFault | WebSocketSettings | None
    rotate_key: bool
    revoke: Named
    complete: Named
    fail: Named
    remove: Named
    advance: Seconds | None


class FaultSettings(DoSettings, total=False):
    """Conditions, as in `Step`, and actions.

    `headers` and `body` are those of the response; with `do`, which then has all actions, those of the request.
    """

    at: Seconds | None
    until: Seconds | None
    nth: int | None
    times: int | None
    skip: int
    actor: str | None
    probability: float | None
    json: Any
    query: Mapping[str, str | int] | None
    do: DoSettings
