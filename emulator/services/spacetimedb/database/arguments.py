"""What a request to a database must have besides a name, as axum 0.7 and serde_urlencoded read it.

Releases up to 2.8.2 judge it before they look for the database, newer ones after (crates/client-api/src/routes).
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

from emulator.http.parameters import query_pairs
from emulator.http.request import BodyBroken, BodyTooLong, Request
from emulator.services.rust import serde, serde_json
from emulator.services.spacetimedb.database import names
from emulator.services.spacetimedb.refusals import BadBody, InvalidQuery
from emulator.services.spacetimedb.releases import Release

Check = Callable[[Request, Release], Awaitable[object]]
"""Raises a refusal."""

LONGEST_BODY = 2 * 1024 * 1024
"""Bytes (axum's `DefaultBodyLimit`)."""


# --- the query --------------------------------------------------------------------------------------------------------

Fault = Callable[[str], str]
"""What is wrong with a value, in serde's words; empty when nothing is."""


def _query(**fields: Fault) -> Check:
    async def check(request: Request, profile: Release) -> None:
        read_query(request, **fields)

    return check


def read_query(request: Request, **fields: Fault) -> Mapping[str, str]:
    """The known parameters, read from left to right, so the first fault counts; others are skipped.

    Raises InvalidQuery.
    """
    found: dict[str, str] = {}
    for name, value in query_pairs(request.query):
        if name in fields:
            if fault := f"duplicate field `{name}`" if name in found else fields[name](value):
                raise InvalidQuery(fault, f"`{name}` in the query: {fault}")
            found[name] = value
    return found


async def _has_a_version(request: Request, profile: Release) -> None:
    if "version" not in read_query(request, version=_one_of(*profile.schema_versions)):
        raise InvalidQuery("missing field `version`", "the query has no `version`")


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
_RESET: Mapping[str, Fault] = {"num_replicas": _not_below(1 << 64), "host_type": _HOST_TYPE}
_PUBLISH: Mapping[str, Fault] = {
    **_RESET,
    "clear": _not_a_bool,
    "policy": _one_of("Compatible", "BreakClients"),
    "token": lambda value: "",
}


def reset_query(request: Request) -> Mapping[str, str]:
    return read_query(request, **_RESET)


def publish_query(request: Request) -> Mapping[str, str]:
    """A `token`, which is a hash, is taken as it is."""
    return read_query(request, **_PUBLISH)


# --- header and body --------------------------------------------------------------------------------------------------


def _essence(request: Request) -> str:
    return (request.header("content-type") or "").partition(";")[0].strip().lower()


async def _has_content_type(request: Request, profile: Release) -> None:
    given = request.header("content-type")
    if given is None:
        raise BadBody(400, "Header of type `content-type` was missing", "there is no `Content-Type`")
    if not _MEDIA_TYPE.match(given):
        raise BadBody(400, "invalid HTTP header (content-type)", f"`Content-Type` is {given[:80]!r}")


_MEDIA_TYPE = re.compile(r"[\w!#$&^.+*%'`|~-]+/[\w!#$&^.+*%'`|~-]+ *(;|\Z)", re.ASCII)


async def _is_plain_json(request: Request, profile: Release) -> None:
    """The content type has no parameters."""
    if (request.header("content-type") or "").strip().lower() != "application/json":
        _not_json(request)


async def is_json(request: Request, profile: Release) -> None:
    essence = _essence(request)
    if essence != "application/json" and not (essence.startswith("application/") and essence.endswith("+json")):
        _not_json(request)


def _not_json(request: Request) -> NoReturn:
    found = (request.header("content-type") or "")[:80]
    raise BadBody(415, "Expected request with `Content-Type: application/json`", f"`Content-Type` is {found!r}")


async def _all_of_it(request: Request, profile: Release) -> None:
    """A module, of any size."""
    await request.discard_body()


async def _body(request: Request) -> bytes:
    try:
        return await request.body(LONGEST_BODY)
    except BodyTooLong as error:
        why = f"the body has {error}; the limit is {LONGEST_BODY}"
        raise BadBody(413, "Failed to buffer the request body: length limit exceeded", why) from None
    except BodyBroken as error:
        raise BadBody(400, "Failed to buffer the request body", f"the body could not be read: {error}") from None


async def _text(request: Request, profile: Release) -> str:
    try:
        return (await _body(request)).decode()
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data"
        what = "incomplete utf-8 byte sequence" if cut else f"invalid utf-8 sequence of {error.end - error.start} bytes"
        text = f"Request body didn't contain valid UTF-8: {what} from index {error.start}"
        raise BadBody(400, text, "the body is not UTF-8") from None


async def _is_utf8(request: Request, profile: Release) -> None:
    try:
        (await _body(request)).decode()
    except UnicodeDecodeError:
        raise BadBody(400, "Request body didn't contain valid UTF-8", "the body is not UTF-8") from None


async def one_name(request: Request, profile: Release) -> str:
    """The body as a name that a database can have. Raises BadBody."""
    name = await _text(request, profile)
    if fault := names.fault(name):
        raise BadBody(400, fault, f"the body is not a name: {fault}")
    return name


async def some_names(request: Request, profile: Release) -> list[str]:
    """The body as a list of names that databases can have. Raises BadBody."""
    found: list[str] = await _json(request, serde.list_of(serde.string))
    for name in found:
        if fault := names.fault(name):
            raise BadBody(400, f"Error parsing `{name}`: {fault}", f"not a name in the body: {fault}")
    return found


async def any_json(request: Request, profile: Release) -> Any:
    """The body as JSON. Raises BadBody."""
    return await _json(request, serde.anything)


async def _json(request: Request, shape: serde.Shape) -> Any:
    """axum's `Json`. What follows the document is ignored, as in axum before 0.8."""
    try:
        return serde.parse(await _body(request), shape, to_the_end=False)
    except serde_json.JsonError as error:
        status = 422 if error.data else 400
        what = "deserialize the JSON body into the target type" if error.data else "parse the request body as JSON"
        where = f"{error.dotted_path}: " if error.path else ""
        raise BadBody(status, f"Failed to {what}: {where}{error}", f"the body, as JSON: {where}{error}") from None


CHECKS: Mapping[str, tuple[Check, ...]] = {
    "spacetime.call": (_has_content_type, _is_utf8, _is_plain_json),
    "spacetime.get_schema": (_has_a_version,),
    "spacetime.get_logs": (_query(num_lines=_not_below(1 << 32), follow=_not_a_bool),),
    "spacetime.sql": (_query(confirmed=_not_a_bool), _text),
    "spacetime.add_database_name": (one_name,),
    "spacetime.set_database_names": (is_json, some_names),
    "spacetime.pre_publish": (_query(style=_one_of("AnsiColor", "NoColor"), host_type=_HOST_TYPE), _all_of_it),
    "spacetime.reset_database": (_query(**_RESET), _all_of_it),
}
"""By operation, in order."""
