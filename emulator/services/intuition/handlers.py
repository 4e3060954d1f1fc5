"""Intuition's routes."""

from collections.abc import Mapping
from typing import Any

import msgspec

from emulator.core.errors import Refused
from emulator.http.parameters import path_text, query_pairs
from emulator.http.request import BodyBroken, BodyTooLong, Request
from emulator.http.response import Response, json_response
from emulator.http.routing import Api, Handler, Routes
from emulator.services.intuition.api_keys import ApiKey
from emulator.services.intuition.auth import authenticated
from emulator.services.intuition.listing import Filters, Paging, Sorting
from emulator.services.intuition.model import CreateIdentity, Draft, Profile
from emulator.services.intuition.operations import OPERATIONS
from emulator.services.intuition.refusals import BodyRefused, BodyTooLarge, InvalidPath, NotJsonContent
from emulator.services.intuition.store import Store
from emulator.services.rust.fast_json import plain_object
from emulator.services.rust.serde_json import JsonError

LONGEST_BODY = 2 * 1024 * 1024
"""axum 0.7.4's default limit, in bytes."""


@authenticated
async def create_identity(request: Request, store: Store, key: ApiKey) -> Response:
    return json_response(store.create(await _draft(request)))


@authenticated
async def get_identity(request: Request, store: Store, key: ApiKey) -> Response:
    return json_response(store.find(_name(request)))


@authenticated
async def list_identities(request: Request, store: Store, key: ApiKey) -> Response:
    """Also the search. A filter that is not given matches everything."""
    query = dict(query_pairs(request.query))
    listed = store.page(Paging.parse(query), Sorting.parse(query), Filters.parse(query))
    return json_response(listed)


@authenticated
async def list_positions(request: Request, store: Store, key: ApiKey) -> Response:
    """An empty page for an identity without positions (invented), 404 for an unknown identity."""
    return json_response(store.positions_page(_name(request), Paging.parse(dict(query_pairs(request.query)))))


def _name(request: Request) -> str:
    try:
        return path_text(request.params[0], "id")
    except ValueError as error:
        raise InvalidPath(str(error), f"{request.params[0][:80]!r} does not decode to UTF-8") from None


async def _draft(request: Request) -> Draft:
    _check_content_type(request.header("content-type"))
    try:
        body = await request.body(LONGEST_BODY)
    except BodyTooLong as error:
        raise BodyTooLarge(f"the body has {error}; the limit is {LONGEST_BODY}") from None
    except BodyBroken as error:
        raise BodyRefused("Failed to buffer the request body", f"the body could not be read: {error}") from None
    found = _plain_fields(body) or _fields(body, request.header("content-encoding"))
    return Draft(
        display_name=found["display_name"],
        creator=found["creator"],
        description=found.get("description"),
        image=found.get("image_url") or found.get("image"),
        external_reference=found.get("external_reference"),
    )


def _check_content_type(content_type: str | None) -> None:
    """As axum 0.7.4 accepts them: `application/json` and `application/*+json`, with or without parameters."""
    essence = (content_type or "").partition(";")[0].strip().lower()
    if essence != "application/json" and not (essence.startswith("application/") and essence.endswith("+json")):
        what = "there is no `Content-Type`" if content_type is None else f"`Content-Type` is {content_type[:80]!r}"
        raise NotJsonContent(f"{what}; the body must be sent as application/json")


def _plain_fields(body: bytes) -> dict[str, Any] | None:
    """The fields of a plain and valid body, parsed fast; None for any other, which `_fields` parses."""
    found = plain_object(body)
    try:
        msgspec.convert(found, CreateIdentity)
    except msgspec.ValidationError:
        return None
    return found


def _fields(body: bytes, content_encoding: str | None) -> dict[str, Any]:
    from emulator.services.intuition.body_json import read_draft

    try:
        return read_draft(body)
    except JsonError as error:
        failed = "deserialize the JSON body into the target type" if error.data else "parse the request body as JSON"
        # axum's text, serde_path_to_error's path, serde_json's message
        message = f"{error.dotted_path}: {error}" if error.path else str(error)
        from emulator.services.intuition.body_reasons import why_refused

        raise BodyRefused(f"Failed to {failed}: {message}", why_refused(body, content_encoding, error)) from None


def describe(refused: Refused) -> Response:
    """An error in Intuition's format: `{code, error}`."""
    return json_response({"code": refused.status, "error": refused.text}, refused.status, refused.why)


_ELSEWHERE = {
    "/claim**": "the real service has claims, the emulator has only its identity API",
    "/users**": "the real service has users, the emulator has only its identity API",
}
_HANDLERS: Mapping[str, Handler[Store]] = {
    "intuition.create_identity": create_identity,
    "intuition.list_identities": list_identities,
    "intuition.search_identities": list_identities,
    "intuition.get_identity": get_identity,
    "intuition.list_positions": list_positions,
}


def api(profile: Profile, *, cors: bool = False) -> Api[Store]:
    return Api("intuition", Routes.of(OPERATIONS, _HANDLERS), describe, cors=cors, elsewhere=_ELSEWHERE)
