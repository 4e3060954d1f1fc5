"""What a request to a database must have besides a name, as axum 0.7 and serde_urlencoded read it.

Releases up to 2.8.2 judge it before they look for the database, 1.12.0 in this order (crates/client-api/src/routes).
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

from emulator.http.parameters import query_pairs
from emulator.http.request import BodyBroken, BodyTooLong, Request
from emulator.services.spacetimedb.database import names
from emulator.services.spacetimedb.refusals import BadBody, InvalidQuery

Check = Callable[[Request], Awaitable[None]]
"""Raises a refusal."""

LONGEST_BODY = 2 * 1024 * 1024
"""Bytes (axum's `DefaultBodyLimit`)."""


# --- the query --------------------------------------------------------------------------------------------------------

Fault = Callable[[str], str]
"""What is wrong with a value, in serde's words; empty when nothing is."""


def _query(required: tuple[str, ...] = (), **fields: Fault) -> Check:
    """The known parameters are read from left to right, so the first fault counts; others are skipped."""

    async def check(request: Request) -> None:
        seen: set[str] = set()
        for name, value in query_pairs(request.query):
            if name in fields:
                if fault := f"duplicate field `{name}`" if name in seen else fields[name](value):
                    raise InvalidQuery(fault, f"`{name}` in the query: {fault}")
                seen.add(name)
        for name in required:
            if name not in seen:
                raise InvalidQuery(f"missing field `{name}`", f"the query has no `{name}`")

    return check


def _one_of(*variants: str) -> Fault:
    known = [f"`{each}`" for each in variants]
    expected = known[0] if len(known) == 1 else " or ".join(known)
    return lambda value: "" if value in variants else f"unknown variant `{value}`, expected {expected}"


def _not_a_bool(value: str) -> str:
    return "" if value in {"true", "false"} else "provided string was not `true` or `false`"


def _not_below(limit: int) -> Fault:
    """As Rust parses an unsigned integer."""

    def fault(value: str) -> str:
        if not value:
            return "cannot parse integer from empty string"
        if not _DIGITS.fullmatch(value):
            return "invalid digit found in string"
        return "" if len(value) < 40 and int(value) < limit else "number too large to fit in target type"

    return fault


_DIGITS = re.compile(r"\+?[0-9]+")
_HOST_TYPE = _one_of("Wasm", "Js")


# --- header and body --------------------------------------------------------------------------------------------------


def _essence(request: Request) -> str:
    return (request.header("content-type") or "").partition(";")[0].strip().lower()


async def _has_content_type(request: Request) -> None:
    if request.header("content-type") is None:
        raise BadBody(400, "Header of type `content-type` was missing", "there is no `Content-Type`")


async def _is_plain_json(request: Request) -> None:
    """The content type has no parameters."""
    if (request.header("content-type") or "").strip().lower() != "application/json":
        _not_json(request)


async def is_json(request: Request) -> None:
    essence = _essence(request)
    if essence != "application/json" and not (essence.startswith("application/") and essence.endswith("+json")):
        _not_json(request)


def _not_json(request: Request) -> NoReturn:
    found = (request.header("content-type") or "")[:80]
    raise BadBody(415, "Expected request with `Content-Type: application/json`", f"`Content-Type` is {found!r}")


async def _body(request: Request) -> bytes:
    try:
        return await request.body(LONGEST_BODY)
    except BodyTooLong as error:
        why = f"the body has {error}; the limit is {LONGEST_BODY}"
        raise BadBody(413, "Failed to buffer the request body: length limit exceeded", why) from None
    except BodyBroken as error:
        raise BadBody(400, "Failed to buffer the request body", f"the body could not be read: {error}") from None


async def _is_text(request: Request) -> None:
    await _text(request)


async def _text(request: Request) -> str:
    try:
        return (await _body(request)).decode()
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data"
        what = "incomplete utf-8 byte sequence" if cut else f"invalid utf-8 sequence of {error.end - error.start} bytes"
        text = f"Request body didn't contain valid UTF-8: {what} from index {error.start}"
        raise BadBody(400, text, "the body is not UTF-8") from None


async def _is_utf8(request: Request) -> None:
    try:
        (await _body(request)).decode()
    except UnicodeDecodeError:
        raise BadBody(400, "Request body didn't contain valid UTF-8", "the body is not UTF-8") from None


async def _is_a_name(request: Request) -> None:
    if fault := names.fault(await _text(request)):
        raise BadBody(400, fault, f"the body is not a name: {fault}")


CHECKS: Mapping[str, tuple[Check, ...]] = {
    "spacetime.call": (_has_content_type, _is_utf8, _is_plain_json),
    "spacetime.get_schema": (_query(("version",), version=_one_of("9")),),
    "spacetime.get_logs": (_query(num_lines=_not_below(1 << 32), follow=_not_a_bool),),
    "spacetime.sql": (_query(confirmed=_not_a_bool), _is_text),
    "spacetime.add_database_name": (_is_a_name,),
    "spacetime.set_database_names": (is_json,),
    "spacetime.pre_publish": (_query(style=_one_of("AnsiColor", "NoColor"), host_type=_HOST_TYPE),),
    "spacetime.reset_database": (_query(num_replicas=_not_below(1 << 64), host_type=_HOST_TYPE),),
}
"""By operation, in order."""
