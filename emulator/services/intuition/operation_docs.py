"""What Intuition's operations take and answer."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from emulator.http.operation_docs import ApiDoc, OperationDoc, ParameterDoc, ResponseDoc
from emulator.services.intuition.listing import DEFAULT_LIMIT, DEFAULT_SORT
from emulator.services.intuition.model import Identity, Position, Profile, Status
from emulator.services.intuition.operations import OPERATIONS


class CreateIdentity(msgspec.Struct):
    """Other keys are not looked at. `image_url` wins over `image`."""

    creator: str
    display_name: str
    description: str | None = None
    external_reference: str | None = None
    image_url: str | None = None
    image: str | None = None


class IdentityPage(msgspec.Struct):
    """`page` and `limit` are those that took effect, `total` counts all that fit."""

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
    """`code` is the status."""

    code: int
    error: str


_ID = ParameterDoc("id", "its `id`, `identity_id` or `vault_id`", str, "path", required=True)
_PAGING = (
    ParameterDoc("page", "from 1", int),
    ParameterDoc("limit", f"rows on a page, {DEFAULT_LIMIT} unless given; what is no number counts as 1", int),
    ParameterDoc("offset", "rows to leave out; it decides over `page`", int),
)
_FILTERS = (
    *_PAGING,
    ParameterDoc("sortBy", f"a field, as `display_name` or `DisplayName`; `{DEFAULT_SORT}` unless given"),
    ParameterDoc("direction", "`desc` unless given", Literal["asc", "desc"]),
    ParameterDoc("status", "only rows with it", Status),
    ParameterDoc("creator", "only rows of this wallet"),
    ParameterDoc("displayName", "only rows with this in their name, in any case"),
)

_NO_KEY = ResponseDoc(401, "no API key, or one that is not good", IntuitionError)
_BAD_PATH = ResponseDoc(400, "the id's escapes are not UTF-8", IntuitionError)
_NOT_FOUND = ResponseDoc(404, "no identity has this id", IntuitionError)
_IDENTITIES = (
    ResponseDoc(200, "a page, which can be empty", IdentityPage),
    ResponseDoc(400, "there is no such status", IntuitionError),
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
        summary="A new identity",
        body=CreateIdentity,
        example={"display_name": "JP", "creator": "0x...81", "description": "It is JP."},
        responses=(
            ResponseDoc(200, "stored; equal bodies make a second row", Identity),
            ResponseDoc(400, "the body is not the JSON wanted", IntuitionError),
            _NO_KEY,
            ResponseDoc(413, "the body has more than 2 MiB", IntuitionError),
            ResponseDoc(415, "the body is not sent as JSON", IntuitionError),
        ),
        security=("apiKey",),
    ),
    "intuition.list_identities": OperationDoc(
        summary="All identities", parameters=_FILTERS, responses=_IDENTITIES, security=("apiKey",)
    ),
    "intuition.search_identities": OperationDoc(
        summary="Identities by their names", parameters=_FILTERS, responses=_IDENTITIES, security=("apiKey",)
    ),
    "intuition.get_identity": OperationDoc(
        summary="One identity",
        parameters=(_ID,),
        responses=(ResponseDoc(200, "the oldest row that fits", Identity), _BAD_PATH, _NO_KEY, _NOT_FOUND),
        security=("apiKey",),
    ),
    "intuition.list_positions": OperationDoc(
        summary="The stakes in an identity",
        parameters=(_ID, *_PAGING),
        responses=(ResponseDoc(200, "a page, which can be empty", PositionPage), _BAD_PATH, _NO_KEY, _NOT_FOUND),
        security=("apiKey",),
    ),
}
