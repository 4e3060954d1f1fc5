"""Token headers and claims, parsed as the real server's serde structs parse them."""

from typing import Any

from emulator.services.rust import serde
from emulator.services.rust.serde_json import CLOSE_MAP, OPEN_LIST, OPEN_MAP, QUOTE, JsonError, Reader
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
    if byte == OPEN_LIST:
        return _identity_from_bytes(reader)
    if byte == OPEN_MAP:
        raise _map_error(reader)
    if byte != QUOTE:
        serde.wrong_type(reader, _BYTE_OR_HEX, number="map")
    text: str = serde.string(reader)
    try:
        return parse_identity(text)
    except NotAnIdentity as error:
        raise reader.error(str(error), data=True) from None


def _map_error(reader: Reader) -> JsonError:
    """Behind the bracket, blanks, and in an empty map its end."""
    reader.enter()
    if reader.skip_space() == CLOSE_MAP:
        reader.index += 1
    return reader.error(f"invalid type: map, expected {_BYTE_OR_HEX}", data=True)


def _identity_from_bytes(reader: Reader) -> str:
    """Each element is read as u8, then they are counted. v1.12.0 places the error there, v2.8.3 does not."""
    reader.enter()
    numbers: list[int] = []
    while reader.has_element(first=not numbers):
        numbers.append(serde.u8(reader))
    reader.end_list()
    if len(numbers) == 32:
        return bytes(numbers).hex()
    wrong = f"too {'few' if len(numbers) < 32 else 'many'} elements for array"
    if reader.arbitrary_precision:
        raise reader.error(wrong, data=True)
    raise serde.Unplaced(wrong)


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


def read(data: bytes, part: str, *, arbitrary_precision: bool) -> dict[str, Any]:
    """The fields of a token's `header` or `payload`. Raises JsonError."""
    found: dict[str, Any] = serde.parse(data, _SHAPES[part], arbitrary_precision=arbitrary_precision)
    return found
