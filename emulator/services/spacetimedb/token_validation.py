"""Validation of tokens: a list of named checks, tried in the order of the release (`releases.py`).

The order and the texts are those of the server's validator (crates/core/src/auth/token_validation.rs) and of its JWT
library: up to 2.9.0 a fork of jsonwebtoken 9.3.0, since 2.10.0 jsonwebtoken 11. docs/fidelity.md, Tokens.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec

from emulator.services.rust import base64url
from emulator.services.rust.debug_format import debug
from emulator.services.spacetimedb.issuers.key_set import KeySet, NamedKey, NoKeys, Verifier
from emulator.services.spacetimedb.model import LOCAL_ISSUER, LONGEST_NAME, STANDARD_HEADER, Claims, identity_of
from emulator.services.spacetimedb.refusals import (
    ClaimsRefused,
    InvalidToken,
    KeyIdNotFound,
    NotBase64,
    NotJson,
    TokenRefused,
)
from emulator.services.spacetimedb.releases import LEEWAY, Release

_OWN_ALGORITHM = "ES256"
_ALGORITHM_OF = {"EC": _OWN_ALGORITHM, "RSA": "RS256", "oct": "HS256"}
"""By family of key, the one algorithm with which it verifies."""
_PARSING = frozenset({"segments", "header", "payload", "claims"})
"""The checks that parse a token; each finds what the later ones need."""


class Inspection(NamedTuple):
    """The parsed token, not validated. `claimed` is its `hex_identity`."""

    algorithm: str
    claims: Claims
    claimed: str | None


def inspect(token: str, rules: Release) -> Inspection:
    """Parse a token without checking time or signature. Raises TokenRefused when the server could not parse it."""
    case = Case(token, rules)
    case.pass_checks(name for name in rules.checks_without_key if name in _PARSING)
    return Inspection(case.algorithm, case.claims, case.claimed)


KeysOf = Callable[[str], KeySet | NoKeys]
"""The keys that the server has of an issuer, the `iss` as it is in the token."""


def no_foreign_keys(issuer: str) -> NoKeys:
    """The keys of an issuer when none is registered."""
    return NoKeys("it is not registered, and the emulator fetches no keys without --fetch-issuers")


def validate(token: str, key: Verifier, now: int, rules: Release, keys_of: KeysOf = no_foreign_keys) -> Claims:
    """The claims of `token`, if `key` signed it and it is valid at `now` (microseconds). Raises TokenRefused.

    The real server validates with its own key first and, after any error, once more as the token of a foreign issuer,
    without a key. An error of that second look is the one it reports. So the checks that need no key are tried first;
    when a later one fails, the server goes on to the keys of a foreign issuer. What `keys_of` raises is raised.
    """
    case = Case(token, rules, key, now)
    case.pass_checks(rules.checks_without_key)
    try:
        case.pass_checks(rules.checks_with_key)
    except TokenRefused as refused:
        if case.claims.issuer == LOCAL_ISSUER:
            raise
        _pass_with_a_foreign_key(case, keys_of(case.claims.issuer), refused)
    return case.claims


def _pass_with_a_foreign_key(case: "Case", keys: KeySet | NoKeys, own: TokenRefused) -> None:
    """Pass the checks with a key of the issuer. Raises the TokenRefused of the last key that was tried.

    `JwksValidator` in crates/core/src/auth/token_validation.rs. The server's other validators have looked at the token
    before, so `own` is what is wrong with its own key.
    """
    issuer = case.claims.issuer
    if isinstance(keys, NoKeys):
        why = f"the issuer is {issuer!r}: {keys.why}; with its own key: {own.reason}"
        raise _named(ClaimsRefused(f"Error fetching public key for issuer {issuer}", why), "issuer")
    candidates = keys.candidates(case.kid)
    if not candidates:
        raise _named(_no_candidate(case, keys), "kid")
    for number, named in enumerate(candidates, start=1):
        case.key = named.key
        try:
            return case.pass_checks(case.rules.checks_with_key)
        except TokenRefused as refused:
            if number == len(candidates):
                refused.why += f"; judged by {_described(named)} of {issuer!r}"
                raise
    return None


def _no_candidate(case: "Case", keys: KeySet) -> TokenRefused:
    issuer = case.claims.issuer
    if case.kid is None:
        return ClaimsRefused("No kid found", f"the server has no usable key of {issuer!r}")
    ids = ", ".join(repr(each.kid) for each in keys.keys[:_SHOWN_KEYS]) or "none"
    why = f"`kid` is {case.kid[:80]!r}; the keys that the server has fetched of {issuer!r}: {ids}"
    return KeyIdNotFound(f"{why}; new ones count after the server's next refresh, at most 300 s later")


_SHOWN_KEYS = 20


def _described(named: NamedKey) -> str:
    return "the key without `kid`" if named.kid is None else f"the key {named.kid[:80]!r}"


def _named(refused: TokenRefused, check: str) -> TokenRefused:
    refused.check = check
    return refused


class Case:
    """A token, the rules, key and time to judge it by, and what the checks that were passed have found."""

    __slots__ = ("algorithm", "claimed", "claims", "data", "key", "kid", "now", "rules", "segments", "token")

    segments: list[str]
    algorithm: str
    kid: str | None
    data: bytes
    """The decoded payload."""
    claims: Claims
    claimed: str | None

    def __init__(self, token: str, rules: Release, key: Verifier | None = None, now: int = 0) -> None:
        self.token, self.rules, self.key, self.now = token, rules, key, now

    def pass_checks(self, names: Iterable[str]) -> None:
        """Try these checks in order. Raises the TokenRefused of the first that fails, with the check's name."""
        name = ""
        try:
            for name in names:
                CHECKS[name](self)
        except TokenRefused as refused:
            refused.check = name
            raise


# --- parsing ----------------------------------------------------------------------------------------------------------


def _segments(case: Case) -> None:
    case.segments = case.token.rsplit(".", 2)
    if not case.token:
        raise InvalidToken("InvalidToken", "the token is empty; is the variable it comes from set?")
    if (count := len(case.segments)) != 3:
        raise InvalidToken("InvalidToken", f"a token has three parts separated by dots, this has {count}")


def _header(case: Case) -> None:
    segment = case.segments[0]
    if segment == STANDARD_HEADER:
        case.algorithm, case.kid = _OWN_ALGORITHM, None
        return
    from emulator.services.spacetimedb.token_json import header

    found = _carefully(header, _decoded(segment, "header"), "header", case.rules)
    case.algorithm, case.kid = found["alg"], found.get("kid")


def _payload(case: Case) -> None:
    case.data = _decoded(case.segments[1], "payload")


def _claims(case: Case) -> None:
    claims = minted_claims(case.data)
    found = any_claims(case.data, case.rules) if claims is None else (claims, claims.identity)
    case.claims, case.claimed = found


def _nbf(case: Case) -> None:
    """The JWT library parses the claims a second time for its own checks, and stumbles over `nbf` then."""
    if "nbf" not in case.claims.extra:
        return
    from emulator.services.spacetimedb.token_json import validated_claims

    _carefully(validated_claims, case.data, "payload", case.rules)


def _decoded(segment: str, name: str) -> bytes:
    data = base64url.decode_valid(segment)
    if data is not None:
        return data
    try:
        return base64url.decode(segment)
    except base64url.Base64Error as error:
        raise NotBase64(error.display, error.debug, f"the {name} is not base64url: {error.display}") from None


def _carefully(
    read: Callable[[bytes, Release], dict[str, Any]], data: bytes, part: str, rules: Release
) -> dict[str, Any]:
    """A header or a payload, parsed like serde_json. Imported on first use, as valid tokens do not need it."""
    from emulator.services.rust.plain_words import in_plain_words
    from emulator.services.rust.serde_json import JsonError

    try:
        return read(data, rules)
    except JsonError as error:
        shown = data[:200].decode("utf-8", "backslashreplace")
        why = f"the {part} is {shown}: {in_plain_words(error)}"
        raise NotJson(error.message, error.line, error.column, why) from None


# --- claims -----------------------------------------------------------------------------------------------------------


def any_claims(payload: bytes, rules: Release) -> tuple[Claims, str | None]:
    """The claims, and `hex_identity` if there is one. Raises NotJson."""
    from emulator.services.spacetimedb.token_json import claims

    found = _carefully(claims, payload, "payload", rules)
    return Claims.from_payload(found), found.get("hex_identity")


def minted_claims(payload: bytes) -> Claims | None:
    """The claims of a payload that is byte for byte as this server writes it; None for any other."""
    try:
        found = _MINTED.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # no ValueError before msgspec 0.20
        return None
    exp, null = (None, False) if found.exp is msgspec.UNSET else (found.exp, found.exp is None)
    claims = Claims(identity_of(found.iss, found.sub), found.sub, found.iss, found.aud, found.iat, exp, {}, null)
    return claims if msgspec.json.encode(claims.payload()) == payload else None


_Seconds = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Minted(msgspec.Struct):
    iss: str
    sub: str
    aud: tuple[str, ...]
    iat: _Seconds
    exp: _Seconds | msgspec.UnsetType | None = msgspec.UNSET


_MINTED = msgspec.json.Decoder(_Minted)


# --- time -------------------------------------------------------------------------------------------------------------


def _expiry(case: Case) -> None:
    exp = case.claims.expires_at
    if exp is not None:
        end = case.rules.expiry.refused_from(exp)
        if end is not None and case.now >= end:
            raise expired(exp, case.now)


def expired(exp: int, now: int) -> InvalidToken:
    """The refusal at `now` (microseconds) of a token with this `exp` (seconds)."""
    refused = InvalidToken("ExpiredSignature", f"expired {_ago(exp, now)} s ago by the emulator's clock, {_GRANTED}")
    refused.check = "expiry"
    return refused


_GRANTED = f"after the leeway of {LEEWAY} s"


def _ago(exp: int, now: int) -> str:
    """Seconds, to the microsecond where that decides: just after the leeway."""
    seconds, micros = divmod(now - exp * 1_000_000, 1_000_000)
    return f"{seconds}.{micros:06}".rstrip("0").rstrip(".") if seconds == LEEWAY else str(seconds)


# --- signature --------------------------------------------------------------------------------------------------------


def _algorithm(case: Case) -> None:
    assert case.key is not None
    family = case.key.family
    if case.algorithm not in case.rules.algorithms[family]:
        verifies = _ALGORITHM_OF.get(family, "nothing that the server takes")
        raise InvalidToken("InvalidAlgorithm", f"`alg` is {case.algorithm}; the key is for {verifies}")


def _signature(case: Case) -> None:
    """In releases that try other algorithms with a key, they fail here.

    The MAC of HS256 is not decoded, but compared as text. Releases up to 2.9.0 don't answer at all to a token of
    another algorithm for an RSA key; that it is refused here, as HS256 for every key but a shared secret, is chosen
    (docs/fidelity.md, Issuers).
    """
    key = case.key
    assert key is not None
    right = case.algorithm == _ALGORITHM_OF.get(key.family)
    if case.algorithm == "HS256" or (key.family == "RSA" and not right):
        if not (right and _is_mac(key, case.segments)):
            raise InvalidToken("InvalidSignature", _why_not_tried(case.algorithm, key.family))
        return
    if right and not key.is_usable and case.rules.unusable_ec_key == "InvalidEcdsaKey" and key.family == "EC":
        raise InvalidToken("InvalidEcdsaKey", _NO_POINT)
    header, payload, encoded = case.segments
    signature = _decoded(encoded, "signature")
    if not right:
        why = f"`alg` is {case.algorithm}, the key is no {case.algorithm[:1]}SA key"
        raise InvalidToken("InvalidSignature", why)
    if not key.verifies(_signed(header, payload), signature):
        raise InvalidToken("InvalidSignature", _why_invalid(key, signature))


_NO_POINT = "`x` and `y` of the key are no point of P-256"


def _signed(header: str, payload: str) -> bytes:
    return f"{header}.{payload}".encode("utf-8", "surrogateescape")


def _is_mac(key: Verifier, segments: list[str]) -> bool:
    header, payload, encoded = segments
    mac = base64url.decode_valid(encoded)
    return mac is not None and key.verifies(_signed(header, payload), mac)


def _why_not_tried(algorithm: str, family: str) -> str:
    if family == "oct":
        return "the MAC is not that of the issuer's shared secret"
    if algorithm == "HS256":
        return "`alg` is HS256; the server refuses every HS256 token"
    return f"`alg` is {algorithm}, the key is an RSA key; servers up to 2.9.0 don't answer"


def _why_invalid(key: Verifier, signature: bytes) -> str:
    if not signature:
        return "the signature is empty"
    if not key.is_usable:
        return _NO_POINT if key.family == "EC" else "the RSA key has too few or too many bits for this release"
    if key.family == "EC" and len(signature) != 64:
        return f"an ES256 signature has 64 bytes (r and s), this has {len(signature)}"
    return "changed after it was signed, or signed by a key this emulator never had (a real server's, another seed's)"


# --- whose it is ------------------------------------------------------------------------------------------------------
# `TryFrom<IncomingClaims> for SpacetimeIdentityClaims` (crates/auth/src/identity.rs), in its order.


def _lengths(case: Case) -> None:
    """In bytes of UTF-8."""
    claims = case.claims
    if len(claims.issuer.encode()) > LONGEST_NAME:
        raise ClaimsRefused(f"Issuer too long: {debug(claims.issuer)}", "`iss` has more than 128 bytes")
    if len(claims.subject.encode()) > LONGEST_NAME:
        raise ClaimsRefused(f"Subject too long: {debug(claims.subject)}", "`sub` has more than 128 bytes")
    if not claims.issuer:
        raise ClaimsRefused("Issuer empty", "`iss` is empty")
    if not claims.subject:
        raise ClaimsRefused("Subject empty", "`sub` is empty")


def _identity(case: Case) -> None:
    claimed, computed = case.claimed, case.claims.identity
    if claimed is not None and claimed != computed:
        raise ClaimsRefused(
            f"Identity mismatch: token identity Identity({claimed}) does not match computed identity "
            f"Identity({computed})",
            "`hex_identity` is not the identity of `iss` and `sub`",
        )


CHECKS: Mapping[str, Callable[[Case], None]] = {
    "segments": _segments,
    "header": _header,
    "payload": _payload,
    "claims": _claims,
    "nbf": _nbf,
    "expiry": _expiry,
    "algorithm": _algorithm,
    "signature": _signature,
    "lengths": _lengths,
    "identity": _identity,
}
"""By name; a release says in which order they are tried.

Of a foreign issuer's token, `issuer` names that the server has no keys of the issuer, `kid` that it has not this one.
"""
