"""Token headers and claims, parsed as the real server's serde structs parse them."""

from typing import Any

from emulator.services.rust import serde
from emulator.services.rust.serde_json import Reader
from emulator.services.spacetimedb.model import NotAnIdentity, parse_identity

_ALGORITHM = serde.unit_enum(
    "HS256", "HS384", "HS512", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"
)
_TEXT = serde.Field(serde.optional(serde.string))

# jsonwebtoken 9.3.0, src/header.rs. `jwk` may be any object: its fields are not checked.
_HEADER_SHAPE = serde.struct(
    "Header",
    {
        "typ": _TEXT,
        "alg": serde.Field(_ALGORITHM, required=True),
        "cty": _TEXT,
        "jku": _TEXT,
        "jwk": serde.Field(serde.optional(serde.struct("Jwk", {}))),
        "kid": _TEXT,
        "x5u": _TEXT,
        "x5c": serde.Field(serde.optional(serde.list_of(serde.string))),
        "x5t": _TEXT,
        "x5t#S256": _TEXT,
    },
)

_BYTE_OR_HEX = "a byte array or hex string"


def _identity_shape(reader: Reader) -> str:
    byte = reader.value_start()
    if byte == b"["[0]:
        return _identity_from_bytes(reader)
    if byte != b'"'[0]:
        serde.wrong_type(reader, _BYTE_OR_HEX, number="map")
    text: str = serde.string(reader)
    try:
        return parse_identity(text)
    except NotAnIdentity as error:
        raise reader.error(str(error), data=True) from None


def _identity_from_bytes(reader: Reader) -> str:
    numbers = serde.list_of(serde.i64)(reader)
    if len(numbers) != 32 or not all(0 <= number <= 255 for number in numbers):
        raise serde.Unplaced(f"too {'few' if len(numbers) < 32 else 'many'} elements for array")
    return bytes(numbers).hex()


def _audience_shape(reader: Reader) -> list[str]:
    value = serde.anything(reader)
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise serde.Unplaced("data did not match any variant of untagged enum Audience")


# crates/auth/src/identity.rs; `exp` and `iat` go through serde_with's TimestampSeconds<i64>.
_CLAIMS_SHAPE = serde.struct(
    "IncomingClaims",
    {
        "hex_identity": serde.Field(serde.optional(_identity_shape)),
        "sub": serde.Field(serde.string, required=True),
        "iss": serde.Field(serde.string, required=True),
        "aud": serde.Field(_audience_shape),
        "iat": serde.Field(serde.i64, required=True),
        "exp": serde.Field(serde.optional(serde.i64)),
    },
    rest=serde.anything,
    from_list=False,
)

_SHAPES = {"header": _HEADER_SHAPE, "payload": _CLAIMS_SHAPE}


def read(data: bytes, part: str) -> dict[str, Any]:
    """The fields of a token's `header` or `payload`. Raises JsonError."""
    found: dict[str, Any] = serde.parse(data, _SHAPES[part])
    return found
