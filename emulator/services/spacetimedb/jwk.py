"""The member `jwk` of a token's header, parsed as the server's JWT library parses it. The key in it is never used.

`Jwk` in src/jwk.rs of jsonwebtoken 9.3.0 and 11. Both its parts are `#[serde(flatten)]`: all members are read first,
then taken apart, so an error is placed at the closing bracket. The parts are the common members, and then those of the
first kind of key that fits (`#[serde(untagged)]`).
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from emulator.services.rust import serde, serde_json
from emulator.services.rust.serde_json import Reader

Members = list[tuple[str, Any]]
"""In the order of the text, repeated ones included."""
Read = Callable[[Any], object]
"""Checks a value. Raises serde.Unplaced."""

_ALGORITHMS = (
    *("HS256", "HS384", "HS512", "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"),
    *("RSA1_5", "RSA-OAEP", "RSA-OAEP-256"),
)


Unknown = Literal["refused", "accepted"]


def jwk_shape(*, unknown_keys: Unknown) -> serde.Shape:
    """With `accepted`, as in jsonwebtoken 11, there is a kind for all other keys, and one for all other `alg`."""
    return _jwk_shape(unknown_keys, unknown_keys)


def member_of_a_set(*, unknown_algorithms: Unknown) -> serde.Shape:
    """A key of a JWKS. What jsonwebtoken 11 reads as a key of an unknown kind, no key can be made of."""
    return _jwk_shape(unknown_algorithms, "refused")


def kind_of(members: Members) -> str:
    """The `kty` of a key that was read by `member_of_a_set`."""
    return next(kind["kty"][0] for kind in _KINDS if _fits(members, kind))


def _jwk_shape(unknown_algorithms: Unknown, unknown_kinds: Unknown) -> serde.Shape:
    common: Mapping[str, Read] = {**_COMMON, "alg": _enum if unknown_algorithms == "accepted" else _algorithm}

    def check(members: Members) -> None:
        _check_common(members, common)
        if unknown_kinds == "refused" and not any(_fits(members, kind) for kind in _KINDS):
            raise serde.Unplaced("data did not match any variant of untagged enum AlgorithmParameters")

    def read(reader: Reader) -> Members:
        if reader.value_start() != serde_json.OPEN_MAP:
            serde.wrong_type(reader, "struct Jwk")
        members = _members(reader)
        try:
            check(members)
        except serde.Unplaced as wrong:
            raise reader.error(str(wrong), data=True) from None
        return members

    return read


def _members(reader: Reader) -> Members:
    reader.enter()
    found: Members = []
    while (name := reader.key(first=not found)) is not None:
        reader.colon()
        found.append((name, _content(serde.anything(reader))))
    reader.end_map()
    return found


def _content(value: Any) -> Any:
    """A number that keeps its text is read as serde_json hands it on to types that are not its own: as a map."""
    return {"$serde_json::private::Number": value} if isinstance(value, msgspec.Raw) else value


# --- the common members -----------------------------------------------------------------------------------------------


def _check_common(members: Members, common: Mapping[str, Read]) -> None:
    seen = set()
    for name, value in members:
        if name not in common:
            continue
        if name in seen:
            raise serde.Unplaced(f"duplicate field `{name}`")
        seen.add(name)
        if value is not None:
            common[name](value)


def _wrong(value: Any, expected: str) -> serde.Unplaced:
    return serde.Unplaced(f"invalid type: {serde.unexpected(value)}, expected {expected}")


def _text(value: Any) -> None:
    if not isinstance(value, str):
        raise _wrong(value, "a string")


def _texts(value: Any) -> None:
    if not isinstance(value, list):
        raise _wrong(value, "a sequence")
    for each in value:
        _text(each)


def _enum(value: Any) -> str:
    """The variant's name: of an enum without data, a string or `{"Variant": null}`."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise _wrong(value, "string or map")
    if len(value) != 1:
        raise serde.Unplaced("invalid value: map, expected map with a single key")
    [(name, data)] = value.items()
    if data not in (None, {}):
        raise _wrong(data, "unit")
    return str(name)


def _algorithm(value: Any) -> None:
    """An unknown variant is refused before its data is looked at."""
    name = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else value
    if isinstance(name, str) and name not in _ALGORITHMS:
        known = ", ".join(f"`{each}`" for each in _ALGORITHMS)
        raise serde.Unplaced(f"unknown variant `{name}`, expected one of {known}")
    _enum(value)


_COMMON: Mapping[str, Read] = {
    "use": _text,
    "key_ops": _texts,
    "alg": _algorithm,
    "kid": _text,
    "x5u": _text,
    "x5c": _texts,
    "x5t": _text,
    "x5t#S256": _text,
}

# --- the kinds of key -------------------------------------------------------------------------------------------------

Kind = Mapping[str, tuple[str, ...]]
"""Members that a kind of key must have, each once: with the variants of an enum, or any string (no variants)."""

_CURVES = ("P-256", "P-384", "P-521", "Ed25519")
_KINDS: tuple[Kind, ...] = (
    {"kty": ("EC",), "crv": _CURVES, "x": (), "y": ()},
    {"kty": ("RSA",), "n": (), "e": ()},
    {"kty": ("oct",), "k": ()},
    {"kty": ("OKP",), "crv": _CURVES, "x": ()},
)


def _fits(members: Members, kind: Kind) -> bool:
    own = [(name, value) for name, value in members if name in kind]
    return sorted(name for name, _ in own) == sorted(kind) and all(_is_one_of(value, kind[name]) for name, value in own)


def _is_one_of(value: Any, variants: tuple[str, ...]) -> bool:
    if not variants:
        return isinstance(value, str)
    try:
        return _enum(value) in variants
    except serde.Unplaced:
        return False
