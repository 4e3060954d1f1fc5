"""Token headers and claims, parsed as the real server's serde structs parse them."""

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

from emulator.services.rust import serde, serde_json
from emulator.services.rust.serde_json import JsonError, Reader
from emulator.services.spacetimedb.jwk import jwk_shape
from emulator.services.spacetimedb.model import NotAnIdentity, parse_identity
from emulator.services.spacetimedb.releases import HeaderRules, Release


def header(data: bytes, rules: Release) -> dict[str, Any]:
    """The members of a token's header. Raises JsonError."""
    return _parsed(data, _header_shape(rules.header), rules)


def claims(data: bytes, rules: Release) -> dict[str, Any]:
    """The claims in a payload. Raises JsonError."""
    return _parsed(data, _CLAIMS_SHAPE, rules)


def validated_claims(data: bytes, rules: Release) -> dict[str, Any]:
    """`ClaimsForValidation` of a payload that `claims` has parsed. Raises JsonError."""
    return _parsed(data, _VALIDATED_SHAPE, rules)


def _parsed(data: bytes, shape: serde.Shape, rules: Release) -> dict[str, Any]:
    found: dict[str, Any] = serde.parse(data, shape, arbitrary_precision=rules.numbers == "as text")
    return found


# --- header -----------------------------------------------------------------------------------------------------------

_ALGORITHM = serde.unit_enum(
    "HS256", "HS384", "HS512", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"
)
_ORDER = (
    "typ",
    "alg",
    "cty",
    "jku",
    "jwk",
    "kid",
    "x5u",
    "x5c",
    "x5t",
    "x5t#S256",
    "crit",
    "enc",
    "zip",
    "url",
    "nonce",
)
"""Of the fields of `Header` (src/header.rs in jsonwebtoken 9.3.0 and 11); a list is read in this order."""


@lru_cache(maxsize=8)
def _header_shape(rules: HeaderRules) -> serde.Shape:
    fields = dict(_header_fields(rules))
    rest = serde.ignored if rules.unknown_members == "skipped" else serde.anything
    in_order = {name: fields[name] for name in _ORDER if name in fields}
    return serde.struct("Header", in_order, rest=rest, from_list=rules.from_list)


def _header_fields(rules: HeaderRules) -> Iterator[tuple[str, serde.Field]]:
    yield "alg", serde.Field(_ALGORITHM, required=True)
    yield "jwk", serde.Field(serde.optional(jwk_shape(unknown_keys=rules.unknown_keys)))
    for name in rules.texts:
        yield name, serde.Field(serde.optional(serde.string))
    for name in rules.lists:
        yield name, serde.Field(serde.optional(serde.list_of(serde.string)))


# --- claims -----------------------------------------------------------------------------------------------------------

_BYTE_OR_HEX = "a byte array or hex string"
_IDENTITY_BYTES = 32


def _identity_shape(reader: Reader) -> str:
    byte = reader.value_start()
    if byte == serde_json.OPEN_LIST:
        return _identity_from_bytes(reader)
    if byte == serde_json.OPEN_MAP:
        _no_map(reader)
    if byte != serde_json.QUOTE:
        serde.wrong_type(reader, _BYTE_OR_HEX, number="map")
    text: str = serde.string(reader)
    try:
        return parse_identity(text)
    except NotAnIdentity as error:
        raise reader.error(str(error), data=True) from None


def _identity_from_bytes(reader: Reader) -> str:
    """All elements are read before they are counted."""
    reader.enter()
    found: list[int] = []
    while reader.has_element(first=not found):
        found.append(serde.u8(reader))
    reader.end_list()
    if len(found) != _IDENTITY_BYTES:
        few_or_many = "few" if len(found) < _IDENTITY_BYTES else "many"
        raise reader.error(f"too {few_or_many} elements for array", data=True)
    return bytes(found).hex()


def _no_map(reader: Reader) -> None:
    """Unlike for other types, serde_json has then read the opening bracket, and the closing one if it follows."""
    reader.enter()
    with suppress(JsonError):
        reader.end_map()
    raise reader.error(f"invalid type: map, expected {_BYTE_OR_HEX}", data=True)


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


def _numeric_date(reader: Reader) -> Any:
    """`numeric_type` in src/validation.rs: an error counts as no value, but what caused it was not read to its end.

    Of a list or an object only the opening bracket is, and the closing one if it follows.
    """
    byte = reader.value_start()
    if byte not in (serde_json.OPEN_LIST, serde_json.OPEN_MAP):
        return serde.anything(reader)
    reader.enter()
    end = reader.end_list if byte == serde_json.OPEN_LIST else reader.end_map
    with suppress(JsonError):
        end()
    return None


# `ClaimsForValidation` in src/validation.rs of jsonwebtoken 9.3.0 and 11; what else is in it is valid by now.
_VALIDATED_SHAPE = serde.struct("ClaimsForValidation", {"nbf": serde.Field(_numeric_date)}, from_list=False)
