"""Key sets (JWKS) of foreign issuers, read as the server reads them: accepted or refused as a whole.

Up to 2.9.0 by the crate jwks (src/lib.rs), since 2.10.0 by the server itself (`JsonWebKeySet` in
crates/core/src/auth/token_validation.rs). Both read `JwkSet` of the JWT library first. docs/fidelity.md, Issuers.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal

from emulator.services.rust import base64url, serde
from emulator.services.rust.serde_json import JsonError
from emulator.services.spacetimedb.issuers.key_set import KeySet, NamedKey, Verifier
from emulator.services.spacetimedb.issuers.keys import EcKey, OctKey, OkpKey, RsaKey
from emulator.services.spacetimedb.jwk import Members, kind_of, member_of_a_set
from emulator.services.spacetimedb.releases import Release

_SHOWN = 80
"""Characters of a key's id in a message."""


class KeySetRefused(ValueError):
    """A key set that the server takes nothing of; the message names the key that does it, and why.

    `at` is the place of that key in the list, None when it is none of them.
    """

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at


def read_key_set(document: bytes, rules: Release) -> KeySet:
    """The keys of a document. Raises KeySetRefused when the server would refuse the whole set."""
    shape = _set_shape(rules.unknown_jwk_alg)
    try:
        found = serde.parse(document, shape, arbitrary_precision=rules.numbers == "as text")
    except JsonError as error:
        raise _refused(error) from None
    except RecursionError:
        raise KeySetRefused("the document is nested too deeply") from None
    keys = tuple(_keys(found["keys"], rules))
    return KeySet(keys if rules.same_kid == "first" else tuple({each.kid: each for each in keys}.values()))


@lru_cache(maxsize=4)
def _set_shape(unknown_algorithms: Literal["refused", "accepted"]) -> serde.Shape:
    key = member_of_a_set(unknown_algorithms=unknown_algorithms)
    return serde.struct("JwkSet", {"keys": serde.Field(serde.list_of(key), required=True)})


def _refused(error: JsonError) -> KeySetRefused:
    at = next((step for step in reversed(error.path) if isinstance(step, int)), None)
    place = "the key set" if at is None else f"keys[{at}]"
    return KeySetRefused(f"{place}: {error}", at)


def _keys(found: list[Members], rules: Release) -> Iterator[NamedKey]:
    for number, members in enumerate(found):
        try:
            named = _named_key(dict(members), members, rules)
        except KeySetRefused as refused:
            raise KeySetRefused(f"{_name(number, dict(members).get('kid'))}: {refused}", number) from None
        if named is not None:
            yield named


def _name(number: int, kid: Any) -> str:
    return f"keys[{number}]" if kid is None else f"keys[{number}], the key {kid[:_SHOWN]!r}"


def _named_key(values: dict[str, Any], members: Members, rules: Release) -> NamedKey | None:
    """None for a key that the server leaves out. Raises KeySetRefused."""
    kid = values.get("kid")
    if kid is None and rules.jwk_without_kid == "refused":
        raise KeySetRefused("it has no `kid`")
    kind = kind_of(members)
    if kind == "oct" and rules.oct_keys == "left out":
        return None
    return NamedKey(kid, _key(kind, values, rules))


def _key(kind: str, values: dict[str, Any], rules: Release) -> Verifier:
    if kind == "EC":
        return EcKey(_bytes(values, "x"), _bytes(values, "y"))
    if kind == "RSA":
        return RsaKey(_bytes(values, "n"), _bytes(values, "e"), rules.rsa_bits)
    if kind == "oct":
        return OctKey(_bytes(values, "k"))
    _bytes(values, "x")
    return OkpKey()


def _bytes(values: dict[str, Any], member: str) -> bytes:
    try:
        return base64url.decode(values[member])
    except base64url.Base64Error as error:
        raise KeySetRefused(f"`{member}` is not unpadded base64url: {error.display}") from None
