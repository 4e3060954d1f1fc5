"""What a control call says: one JSON object, its keys and their types."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from emulator.control.api.access import ControlRefused
from emulator.http.request import BodyBroken, BodyTooLong, Request
from emulator.http.routing import nearest

T = TypeVar("T")

LONGEST_BODY = 256 * 1024 * 1024


async def raw_body(request: Request) -> bytes:
    """The bytes of a body of JSON; none when there is no body. Raises ControlRefused."""
    try:
        body = await request.body(LONGEST_BODY)
    except BodyTooLong as error:
        raise ControlRefused(413, f"the body has {error}", "256 MiB are the most") from None
    except BodyBroken as error:
        raise ControlRefused(400, f"the body could not be read: {error}", "send it whole") from None
    essence = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if body and essence != "application/json":
        raise ControlRefused(415, "a body here is JSON", "send it with `Content-Type: application/json`")
    return body


async def json_body(request: Request) -> dict[str, Any]:
    """The object in the body; empty when there is no body. Raises ControlRefused."""
    body = await raw_body(request)
    if not body:
        return {}
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ControlRefused(400, f"the body is not JSON: {error}", "send one JSON object") from None
    if not isinstance(found, dict):
        raise ControlRefused(400, "the body is JSON, but not an object", "send one JSON object")
    return found


def only(found: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in found:
        if key not in known:
            near = nearest(key, known)
            hint = f"did you mean {near!r}?" if near else f"known are {', '.join(known) or 'none'}"
            raise ControlRefused(400, f"unknown key {key!r}", hint)


def field(found: Mapping[str, Any], name: str, kind: type[T] | tuple[type[T], ...], example: str) -> T | None:
    """A value of the body, None when it is not there. Raises ControlRefused for one of another type."""
    value = found.get(name)
    if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
        raise ControlRefused(400, f"`{name}` is {msgspec.json.encode(value).decode()[:80]}", f"send {example}")
    return value


def needed(found: Mapping[str, Any], name: str, kind: type[T], example: str) -> T:
    value = field(found, name, kind, example)
    if value is None:
        raise ControlRefused(400, f"`{name}` is missing", f"send {example}")
    return value
