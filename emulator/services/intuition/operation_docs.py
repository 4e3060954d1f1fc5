"""The OpenAPI documentation of Intuition's operations."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from emulator.http.operation_docs import ApiDoc, OperationDoc, ParameterDoc, ResponseDoc
from emulator.services.intuition.listing import DEFAULT_LIMIT, DEFAULT_SORT
from emulator.services.intuition.model import CreateIdentity, Identity, Position, Profile, Status
from emulator.services.intuition.operations import OPERATIONS


class IdentityPage(msgspec.Struct):
    """`page` and `limit` are the effective values, `total` counts all matching rows."""

    page: int
    limit: int
    total: int
    data: list[Identity]


class PositionPage(msgspec.Struct):
    page: int
    limit: int
    total: int
    data: list[Position]


class IntuitionError(msgspec.Struct):
    """`code` is the HTTP status."""

    code: int
    error: str


_ID = ParameterDoc("id", "its `id`, `identity_id` or `vault_id`", str, "path", required=True)
_PAGING = (
    ParameterDoc("page", "page number, from 1", int),
    ParameterDoc("limit", f"rows per page, default {DEFAULT_LIMIT}; a text that is not a number counts as 1", int),
    ParameterDoc("offset", "rows to skip; overrides `page`", int),
)
_FILTERS = (
    *_PAGING,
    ParameterDoc("sortBy", f"a field, as `display_name` or `DisplayName`; default `{DEFAULT_SORT}`"),
    ParameterDoc("direction", "default `desc`", Literal["asc", "desc"]),
    ParameterDoc("status", "only rows with this status", Status),
    ParameterDoc("creator", "only rows created by this wallet"),
    ParameterDoc("displayName", "only rows with this text in their name, in any case"),
)

_NO_KEY = ResponseDoc(401, "no API key, or an invalid one", IntuitionError)
_BAD_PATH = ResponseDoc(400, "the id does not decode to UTF-8", IntuitionError)
_NOT_FOUND = ResponseDoc(404, "no identity has this id", IntuitionError)
_IDENTITIES = (
    ResponseDoc(200, "a page, possibly empty", IdentityPage),
    ResponseDoc(400, "an unknown status", IntuitionError),
    _NO_KEY,
)


def api_doc(profile: Profile) -> ApiDoc:
    return ApiDoc(
        name="intuition",
        what=f"Intuition's identity API, profile `{profile.name}`",
        operations=OPERATIONS,
        operation_docs=_OPERATION_DOCS,
        schemes={"apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
    )


_OPERATION_DOCS: Mapping[str, OperationDoc] = {
    "intuition.create_identity": OperationDoc(
        summary="Create an identity",
        body=CreateIdentity,
        example={"display_name": "JP", "creator": "0x...81", "description": "It is JP."},
        responses=(
            ResponseDoc(200, "stored; equal bodies make a second row", Identity),
            ResponseDoc(400, "the body is not valid JSON for this operation", IntuitionError),
            _NO_KEY,
            ResponseDoc(413, "the body has more than 2 MiB", IntuitionError),
            ResponseDoc(415, "`Content-Type` is not JSON", IntuitionError),
        ),
        security=("apiKey",),
    ),
    "intuition.list_identities": OperationDoc(
        summary="List identities", parameters=_FILTERS, responses=_IDENTITIES, security=("apiKey",)
    ),
    "intuition.search_identities": OperationDoc(
        summary="Search identities by name", parameters=_FILTERS, responses=_IDENTITIES, security=("apiKey",)
    ),
    "intuition.get_identity": OperationDoc(
        summary="Get an identity",
        parameters=(_ID,),
        responses=(ResponseDoc(200, "the oldest matching row", Identity), _BAD_PATH, _NO_KEY, _NOT_FOUND),
        security=("apiKey",),
    ),
    "intuition.list_positions": OperationDoc(
        summary="List the stakes in an identity",
        parameters=(_ID, *_PAGING),
        responses=(ResponseDoc(200, "a page, possibly empty", PositionPage), _BAD_PATH, _NO_KEY, _NOT_FOUND),
        security=("apiKey",),
    ),
}
