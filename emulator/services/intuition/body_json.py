"""The body of `POST /identity`, parsed as the real service's serde struct parses it."""

from typing import Any

from emulator.services.rust import serde

_REQUIRED, _OPTIONAL = serde.Field(serde.string, required=True), serde.Field(serde.optional(serde.string))

# The first missing field is reported, in the order of the OpenAPI dump of Feb 2024. The page's sample has `image`, its
# table had `image_url`; both are accepted.
FIELDS = {
    "creator": _REQUIRED,
    "display_name": _REQUIRED,
    "description": _OPTIONAL,
    "external_reference": _OPTIONAL,
    "image_url": _OPTIONAL,
    "image": _OPTIONAL,
}
_BODY_SHAPE = serde.struct("CreateIdentity", FIELDS)


def read_draft(body: bytes) -> dict[str, Any]:
    """The fields of the body. Raises JsonError.

    Text after a complete document is ignored, as in axum before 0.8 (tokio-rs/axum #3453).
    """
    found: dict[str, Any] = serde.parse(body, _BODY_SHAPE, to_the_end=False)
    return found
