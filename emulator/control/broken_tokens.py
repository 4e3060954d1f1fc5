"""Invalid tokens by name, each with the exact error response, for tests of a client's error handling."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from emulator.control.emulator import Emulator
from emulator.services.rust import base64url
from emulator.services.spacetimedb.model import AUDIENCE, LOCAL_ISSUER, STANDARD_HEADER, identity_of
from emulator.services.spacetimedb.signing_keys import SigningKey, sign_with_p384

SUBJECT = "alice"
IDENTITY = identity_of(LOCAL_ISSUER, SUBJECT)


class BrokenToken(msgspec.Struct, frozen=True):
    """A token that is invalid in every profile.

    Operations that need a token (`POST /v1/identity/websocket-token`, verify, set-email) respond to it with `status`
    and a text: `display` in the profiles `documented` and `v2`, `debug` in `v1`.
    """

    name: str
    what: str
    display: str
    debug: str
    _make: Callable[[Emulator], str]
    status: int = 401

    @property
    def __name__(self) -> str:
        """pytest uses it as the parameter's id."""
        return self.name

    def text(self, profile: str = "documented") -> str:
        """The body of the response in a profile."""
        return self.debug if profile == "v1" else self.display

    def token(self, emulator: Emulator) -> str:
        """Made for this emulator's key and clock. `rotated_key` rotates the emulator's key."""
        return self._make(emulator)


def broken() -> tuple[BrokenToken, ...]:
    """All invalid tokens, for `@pytest.mark.parametrize("broken", tokens.broken())`."""
    return tuple(_catalogue())


def _catalogue() -> Iterator[BrokenToken]:
    for name, what, kind, make in _REFUSED_BY_NAME:
        yield BrokenToken(name, what, f"Invalid token: {kind}", f"TokenError(Error({kind}))", make)
    for name, what, display, debug, make in _REFUSED_IN_BASE64:
        text = f"TokenError(Error(Base64({debug})))"
        yield BrokenToken(name, what, f"Invalid token: Base64 error: {display}", text, make)
    for name, what, message, column, make in _REFUSED_IN_JSON:
        display = f"Invalid token: JSON error: {message} at line 1 column {column}"
        quoted = json.dumps(message)
        debug = f"TokenError(Error(Json(Error({quoted}, line: 1, column: {column}))))"
        yield BrokenToken(name, what, display, debug, make)
    for name, what, text, make in _REFUSED_FOR_CLAIMS:
        yield BrokenToken(name, what, text, f"Other({text})", make)


# --- how they are made ------------------------------------------------------------------------------------------------

Make = Callable[[Emulator], str]


def _claims(emulator: Emulator, **changes: Any) -> dict[str, Any]:
    """Valid claims with these changes; None removes a claim."""
    good = {
        "hex_identity": IDENTITY,
        "sub": SUBJECT,
        "iss": LOCAL_ISSUER,
        "aud": list(AUDIENCE),
        "iat": int(emulator.clock.now().timestamp()),
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def _with(**changes: Any) -> Make:
    return lambda emulator: emulator.spacetime.sign(_claims(emulator, **changes))


def _expired(seconds: float) -> Make:
    return lambda emulator: emulator.spacetime.issue_token(subject=SUBJECT, expires_in=-seconds)


def _segments(change: Callable[[str, str, str], str]) -> Make:
    """A valid token with changed header, payload or signature."""

    def make(emulator: Emulator) -> str:
        header, payload, signature = emulator.spacetime.issue_token(subject=SUBJECT).split(".")
        return change(header, payload, signature)

    return make


def _header(header: Mapping[str, Any]) -> Make:
    return lambda emulator: emulator.spacetime.sign(_claims(emulator), header)


def _rotated(emulator: Emulator) -> str:
    token = emulator.spacetime.issue_token(subject=SUBJECT)
    emulator.spacetime.rotate_key()
    return token


_encoded = base64url.encode


def _with_header(header: bytes) -> Make:
    """A valid token with another header and an empty signature."""
    return _segments(lambda _, payload, __: f"{_encoded(header)}.{payload}.")


def _with_payload(payload: bytes) -> Make:
    """A valid token with these bytes as its payload."""
    return _segments(lambda header, _, signature: f"{header}.{_encoded(payload)}.{signature}")


def _foreign(emulator: Emulator) -> str:
    key = SigningKey.from_entropy(b"a key this emulator never had")
    return key.sign_token(STANDARD_HEADER, msgspec.json.encode(_claims(emulator)))


def _wrong_curve(emulator: Emulator) -> str:
    header, payload = _encoded(b'{"typ":"JWT","alg":"ES384"}'), _encoded(msgspec.json.encode(_claims(emulator)))
    message = f"{header}.{payload}"
    return f"{message}.{base64url.encode(sign_with_p384(message.encode()))}"


def _tampered(header: str, payload: str, signature: str) -> str:
    claims = msgspec.json.decode(base64url.decode(payload)) | {"role": "admin"}
    return f"{header}.{_encoded(msgspec.json.encode(claims))}.{signature}"


_OTHER_IDENTITY = identity_of(LOCAL_ISSUER, "bob")
_LONG = "a" * 129

_REFUSED_BY_NAME: tuple[tuple[str, str, str, Make], ...] = (
    ("expired", "expired an hour ago", "ExpiredSignature", _expired(3600)),
    ("just_expired", "expired 62 s ago, after the leeway of 60 s", "ExpiredSignature", _expired(62)),
    ("foreign_key", "signed with another server's key", "InvalidSignature", _foreign),
    ("rotated_key", "signed with the key before a rotation", "InvalidSignature", _rotated),
    ("wrong_curve", "ES384, signed with a P-384 key", "InvalidAlgorithm", _wrong_curve),
    ("hs256", "`alg` is HS256", "InvalidSignature", _header({"typ": "JWT", "alg": "HS256"})),
    ("rs256", "`alg` is RS256", "InvalidSignature", _header({"typ": "JWT", "alg": "RS256"})),
    ("stripped_signature", "an empty signature", "InvalidSignature", _segments(lambda h, p, s: f"{h}.{p}.")),
    ("short_signature", "half of the signature", "InvalidSignature", _segments(lambda h, p, s: f"{h}.{p}.{s[:40]}")),
    (
        "other_signature",
        "64 zero bytes as the signature",
        "InvalidSignature",
        _segments(lambda h, p, s: f"{h}.{p}.{'A' * 86}"),
    ),
    ("tampered_payload", "a claim added after signing", "InvalidSignature", _segments(_tampered)),
    ("two_segments", "only header and payload", "InvalidToken", _segments(lambda h, p, s: f"{h}.{p}")),
    ("one_segment", "a text without dots", "InvalidToken", lambda emulator: "undefined"),
)
_REFUSED_IN_BASE64: tuple[tuple[str, str, str, str, Make], ...] = (
    (
        "bad_base64_header",
        "a header with a character outside base64url",
        "Invalid symbol 33, offset 0.",
        "InvalidByte(0, 33)",
        _segments(lambda h, p, s: f"!{h[1:]}.{p}.{s}"),
    ),
    (
        "bad_base64_payload",
        "a payload with a character outside base64url",
        "Invalid symbol 43, offset 0.",
        "InvalidByte(0, 43)",
        _segments(lambda h, p, s: f"{h}.+{p[1:]}.{s}"),
    ),
    (
        "padded_payload",
        "a payload with `=` at its end",
        "Invalid padding",
        "InvalidPadding",
        _segments(lambda h, p, s: f"{h}.e30=.{s}"),
    ),
    (
        "bad_base64_signature",
        "a signature with a character outside base64url",
        "Invalid symbol 33, offset 0.",
        "InvalidByte(0, 33)",
        _segments(lambda h, p, s: f"{h}.{p}.!{s[1:]}"),
    ),
)
_REFUSED_IN_JSON: tuple[tuple[str, str, str, int, Make], ...] = (
    (
        "alg_none",
        "`alg` is `none`, with an empty signature",
        "unknown variant `none`, expected one of `HS256`, `HS384`, `HS512`, `ES256`, `ES384`, `RS256`, `RS384`, "
        "`RS512`, `PS256`, `PS384`, `PS512`, `EdDSA`",
        25,
        _with_header(b'{"typ":"JWT","alg":"none"}'),
    ),
    ("header_without_alg", "a header without `alg`", "missing field `alg`", 13, _header({"typ": "JWT"})),
    ("bad_json_payload", "a payload that is not JSON", "expected value", 1, _with_payload(b"hello")),
    ("cut_json_payload", "an incomplete payload", "EOF while parsing a string", 11, _with_payload(b'{"sub": "al')),
    (
        "payload_no_object",
        "a payload that is a list",
        "invalid type: sequence, expected struct IncomingClaims",
        0,
        _with_payload(b"[]"),
    ),
    ("missing_sub", "no `sub`", "missing field `sub`", 140, _with(sub=None)),
    ("missing_iss", "no `iss`", "missing field `iss`", 136, _with(iss=None)),
    ("missing_iat", "no `iat`", "missing field `iat`", 137, _with(iat=None)),
    ("exp_as_text", "`exp` is a string", 'invalid type: string "never", expected i64', 167, _with(exp="never")),
)
_REFUSED_FOR_CLAIMS: tuple[tuple[str, str, str, Make], ...] = (
    (
        "wrong_hex_identity",
        "`hex_identity` is another identity",
        f"Identity mismatch: token identity Identity({_OTHER_IDENTITY}) does not match computed identity "
        f"Identity({IDENTITY})",
        _with(hex_identity=_OTHER_IDENTITY),
    ),
    ("over_long_subject", "129 bytes in `sub`", f'Subject too long: "{_LONG}"', _with(sub=_LONG, hex_identity=None)),
    ("empty_subject", "`sub` is empty", "Subject empty", _with(sub="", hex_identity=None)),
)
