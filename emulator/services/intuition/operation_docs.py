"""What Intuition's operations take and answer."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from emulator.http.operation_docs import Answered, Chapter, Description, Parameter
from emulator.services.intuition.listing import DEFAULT_LIMIT, DEFAULT_SORT
from emulator.services.intuition.model import Identity, Position, Profile
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


_ID = Parameter("id", "its `id`, `identity_id` or `vault_id`", str, "path", required=True)
_PAGING = (
    Parameter("page", "from 1", int),
    Parameter("limit", f"rows on a page, {DEFAULT_LIMIT} unless given; what is no number counts as 1", int),
    Parameter("offset", "rows to leave out; it decides over `page`", int),
)
_FILTERS = (
    *_PAGING,
    Parameter("sortBy", f"a field, as `display_name` or `DisplayName`; `{DEFAULT_SORT}` unless given"),
    Parameter("direction", "`desc` unless given", Literal["asc", "desc"]),
    Parameter("status", "only rows with it", Literal["pending", "complete", "removed", "error"]),
    Parameter("creator", "only rows of this wallet"),
    Parameter("displayName", "only rows with this in their name, in any case"),
)

_NO_KEY = Answered(401, "no API key, or one that is not good", IntuitionError)
_BAD_PATH = Answered(400, "the id's escapes are not UTF-8", IntuitionError)
_NOT_FOUND = Answered(404, "no identity has this id", IntuitionError)
_IDENTITIES = (
    Answered(200, "a page, which can be empty", IdentityPage),
    Answered(400, "there is no such status", IntuitionError),
    _NO_KEY,
)


def chapter(profile: Profile) -> Chapter:
    return Chapter(
        name="intuition",
        what=f"Intuition's identity API, profile `{profile.name}`",
        operations=OPERATIONS,
        descriptions=_DESCRIPTIONS,
        schemes={"apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
    )


_DESCRIPTIONS: Mapping[str, Description] = {
    "intuition.create_identity": Description(
        summary="A new identity",
        body=CreateIdentity,
        example={"display_name": "JP", "creator": "0x...81", "description": "It is JP."},
        answers=(
            Answered(200, "stored; equal bodies make a second row", Identity),
            Answered(400, "the body is not the JSON wanted", IntuitionError),
            _NO_KEY,
            Answered(413, "the body has more than 2 MiB", IntuitionError),
            Answered(415, "the body is not sent as JSON", IntuitionError),
        ),
        security=("apiKey",),
    ),
    "intuition.list_identities": Description(
        summary="All identities", parameters=_FILTERS, answers=_IDENTITIES, security=("apiKey",)
    ),
    "intuition.search_identities": Description(
        summary="Identities by their names", parameters=_FILTERS, answers=_IDENTITIES, security=("apiKey",)
    ),
    "intuition.get_identity": Description(
        summary="One identity",
        parameters=(_ID,),
        answers=(Answered(200, "the oldest row that fits", Identity), _BAD_PATH, _NO_KEY, _NOT_FOUND),
        security=("apiKey",),
    ),
    "intuition.list_positions": Description(
        summary="The stakes in an identity",
        parameters=(_ID, *_PAGING),
        answers=(Answered(200, "a page, which can be empty", PositionPage), _BAD_PATH, _NO_KEY, _NOT_FOUND),
        security=("apiKey",),
    ),
}
