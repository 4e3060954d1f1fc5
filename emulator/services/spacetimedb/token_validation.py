"""Validation of tokens.

The order of the checks and the texts are those of `FullTokenValidator` (crates/core/src/auth/token_validation.rs) and
of the server's fork of jsonwebtoken 9.3.0; docs/fidelity.md, Tokens.
"""

from typing import Annotated, Any, NamedTuple, Protocol

import msgspec

from emulator.services.rust import base64url
from emulator.services.rust.debug_format import debug
from emulator.services.spacetimedb.model import LOCAL_ISSUER, LONGEST_NAME, STANDARD_HEADER, Claims, identity_of
from emulator.services.spacetimedb.refusals import ClaimsRefused, InvalidToken, NotBase64, NotJson, TokenRefused


class Inspection(NamedTuple):
    """The parsed token, not validated. `claimed` is its `hex_identity`."""

    algorithm: str
    claims: Claims
    claimed: str | None


def inspect(token: str, *, arbitrary_precision: bool = False) -> Inspection:
    """Parse a token without checking time or signature. Raises TokenRefused when the server could not parse it."""
    header, payload, _ = _segments(token)
    algorithm = _algorithm(header, arbitrary_precision=arbitrary_precision)
    return Inspection(algorithm, *_claims(payload, arbitrary_precision=arbitrary_precision))


class Verifier(Protocol):
    """A key that verifies signatures."""

    def verifies(self, message: bytes, signature: bytes) -> bool: ...


def validate(token: str, key: Verifier, now: int, *, arbitrary_precision: bool = False) -> Claims:
    """The claims of `token`, if `key` signed it and it is valid at `now` (seconds). Raises TokenRefused.

    The real server validates with its own key first and, after any error, once more as the token of a foreign issuer,
    without the signature. It reports an error of that second pass, if any, so errors of format and time take precedence
    over errors of algorithm and signature.
    """
    header, payload, signature = _segments(token)
    algorithm = _algorithm(header, arbitrary_precision=arbitrary_precision)
    claims, identity = _claims(payload, arbitrary_precision=arbitrary_precision)
    if claims.expired(now):
        raise expired(claims, now)
    try:
        _check_signature(algorithm, f"{header}.{payload}", signature, key)
        _check_claims(claims, identity)
    except TokenRefused as refused:
        if claims.issuer == LOCAL_ISSUER:
            raise
        raise _unknown_issuer(claims.issuer, refused) from None
    return claims


def _segments(token: str) -> tuple[str, str, str]:
    segments = token.rsplit(".", 2)
    if not token:
        raise InvalidToken("InvalidToken", "the token is empty; is the variable it comes from set?")
    if len(segments) != 3:
        raise InvalidToken("InvalidToken", f"a token has three parts separated by dots, this has {len(segments)}")
    return segments[0], segments[1], segments[2]


def expired(claims: Claims, now: int) -> InvalidToken:
    assert claims.expires_at is not None
    ago = now - claims.expires_at
    return InvalidToken("ExpiredSignature", f"expired {ago} s ago by the emulator's clock, after the leeway of 60 s")


def _unknown_issuer(issuer: str, first: TokenRefused) -> ClaimsRefused:
    why = f"the issuer is {issuer!r}, and the emulator does not fetch keys; with its own key: {first.why}"
    return ClaimsRefused(f"Error fetching public key for issuer {issuer}", why)


def _decoded(segment: str, name: str) -> bytes:
    data = base64url.decode_valid(segment)
    if data is not None:
        return data
    try:
        return base64url.decode(segment)
    except base64url.Base64Error as error:
        raise NotBase64(error.display, error.debug, f"the {name} is not base64url: {error.display}") from None


def _read_carefully(data: bytes, part: str, *, arbitrary_precision: bool = False) -> dict[str, Any]:
    """A header or a payload, parsed like serde_json. Imported on first use, as valid tokens do not need it."""
    from emulator.services.rust.serde_json import JsonError
    from emulator.services.spacetimedb.token_json import read

    try:
        return read(data, part, arbitrary_precision=arbitrary_precision)
    except JsonError as error:
        shown = data[:200].decode("utf-8", "backslashreplace")
        raise NotJson(error.message, error.line, error.column, f"the {part} is {shown}: {error}") from None


# --- header -----------------------------------------------------------------------------------------------------------


def _algorithm(segment: str, *, arbitrary_precision: bool) -> str:
    if segment == STANDARD_HEADER:
        return "ES256"
    header = _read_carefully(_decoded(segment, "header"), "header", arbitrary_precision=arbitrary_precision)
    algorithm: str = header["alg"]
    return algorithm


def _check_signature(algorithm: str, message: str, segment: str, key: Verifier) -> None:
    if algorithm not in {"ES256", "RS256", "HS256"}:
        raise InvalidToken("InvalidAlgorithm", f"`alg` is {algorithm}; the server signs with ES256")
    if algorithm == "HS256":
        raise InvalidToken("InvalidSignature", "`alg` is HS256; the server refuses every HS256 token")
    signature = _decoded(segment, "signature")
    if algorithm == "RS256":
        raise InvalidToken("InvalidSignature", "`alg` is RS256, the emulator's key is not an RSA key")
    if not key.verifies(message.encode("utf-8", "surrogateescape"), signature):
        raise InvalidToken("InvalidSignature", _why_invalid(signature))


def _why_invalid(signature: bytes) -> str:
    if not signature:
        return "the signature is empty"
    if len(signature) != 64:
        return f"an ES256 signature has 64 bytes (r and s), this has {len(signature)}"
    return "changed after it was signed, or signed by a key this emulator never had (a real server's, another seed's)"


# --- claims -----------------------------------------------------------------------------------------------------------


def _claims(segment: str, *, arbitrary_precision: bool) -> tuple[Claims, str | None]:
    """The claims, and `hex_identity` if there is one."""
    payload = _decoded(segment, "payload")
    claims = _minted_claims(payload)
    if claims is not None:
        return claims, claims.identity
    return _any_claims(payload, arbitrary_precision=arbitrary_precision)


def _any_claims(payload: bytes, *, arbitrary_precision: bool = False) -> tuple[Claims, str | None]:
    found = _read_carefully(payload, "payload", arbitrary_precision=arbitrary_precision)
    return Claims.from_payload(found), found.get("hex_identity")


def _minted_claims(payload: bytes) -> Claims | None:
    """The claims of a payload that is byte for byte as this server writes it; None for any other."""
    try:
        found = _MINTED.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # no ValueError before msgspec 0.20
        return None
    claims = Claims(identity_of(found.iss, found.sub), found.sub, found.iss, found.aud, found.iat, found.exp)
    return claims if msgspec.json.encode(claims.payload()) == payload else None


_Seconds = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Minted(msgspec.Struct):
    iss: str
    sub: str
    aud: tuple[str, ...]
    iat: _Seconds
    exp: _Seconds | None


_MINTED = msgspec.json.Decoder(_Minted)


def _check_claims(claims: Claims, claimed: str | None) -> None:
    """`TryFrom<IncomingClaims> for SpacetimeIdentityClaims`, in its order. Lengths are in bytes."""
    if len(claims.issuer.encode()) > LONGEST_NAME:
        raise ClaimsRefused(f"Issuer too long: {debug(claims.issuer)}", "`iss` has more than 128 bytes")
    if len(claims.subject.encode()) > LONGEST_NAME:
        raise ClaimsRefused(f"Subject too long: {debug(claims.subject)}", "`sub` has more than 128 bytes")
    if not claims.issuer:
        raise ClaimsRefused("Issuer empty", "`iss` is empty")
    if not claims.subject:
        raise ClaimsRefused("Subject empty", "`sub` is empty")
    if claimed is not None and claimed != claims.identity:
        raise ClaimsRefused(
            f"Identity mismatch: token identity Identity({claimed}) does not match computed identity "
            f"Identity({claims.identity})",
            "`hex_identity` is not the identity of `iss` and `sub`",
        )
