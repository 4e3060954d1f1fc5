"""The body of a creation as the real service's struct reads it."""

from typing import Any

from emulator.services.rust import serde

_REQUIRED, _OPTIONAL = serde.Field(serde.string, required=True), serde.Field(serde.optional(serde.string))

# In the order in which a missing one is named: that of the OpenAPI dump. The page's sample says `image`, its table said
# `image_url`; both are taken.
_FIELDS = {
    "creator": _REQUIRED,
    "display_name": _REQUIRED,
    "description": _OPTIONAL,
    "external_reference": _OPTIONAL,
    "image_url": _OPTIONAL,
    "image": _OPTIONAL,
}
_BODY_SHAPE = serde.struct("CreateIdentity", _FIELDS)


def read_draft(body: bytes) -> dict[str, Any]:
    """The fields given. Raises JsonError.

    Whatever follows a complete document is not looked at, as in axum before 0.8.
    """
    found: dict[str, Any] = serde.parse(body, _BODY_SHAPE, to_the_end=False)
    return found
