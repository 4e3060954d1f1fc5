"""Invalid tokens by name, each with the exact error response, for tests of a client's error handling."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from emulator.control.emulator import Emulator
from emulator.core.arguments import shown
from emulator.core.errors import WrongArgument
from emulator.core.suggestions import did_you_mean
from emulator.services.rust import base64url
from emulator.services.rust.debug_format import debug
from emulator.services.spacetimedb.model import AUDIENCE, LOCAL_ISSUER, STANDARD_HEADER, identity_of
from emulator.services.spacetimedb.releases import DEFAULT, NAMES, PROFILES, resolved
from emulator.services.spacetimedb.signing_keys import SigningKey, sign_with_p384

SUBJECT = "alice"
IDENTITY = identity_of(LOCAL_ISSUER, SUBJECT)

_OLD, _NEW = "v2.8", "v2.14"
_ANSWERS_AS = {"v1": _OLD, "v2.8": _OLD, "v2.14": _NEW, "documented": _NEW}
"""By profile, the one whose refusals it has, whatever their format."""


class _Answer(msgspec.Struct, frozen=True):
    """The text of a refusal in both formats, and the profiles that have it."""

    display: str
    debug: str
    profiles: tuple[str, ...] = (_OLD, _NEW)

    def only(self, *profiles: str) -> "_Answer":
        return _Answer(self.display, self.debug, profiles)


def _kind(name: str) -> _Answer:
    """An error kind of the JWT library."""
    return _Answer(f"Invalid token: {name}", f"TokenError(Error({name}))")


def _base64(display: str, debug_form: str) -> _Answer:
    return _Answer(f"Invalid token: Base64 error: {display}", f"TokenError(Error(Base64({debug_form})))")


def _json(message: str, column: int) -> _Answer:
    return _Answer(
        f"Invalid token: JSON error: {message} at line 1 column {column}",
        f"TokenError(Error(Json(Error({debug(message)}, line: 1, column: {column}))))",
    )


def _other(text: str) -> _Answer:
    return _Answer(text, f"Other({text})")


class BrokenToken(msgspec.Struct, frozen=True):
    """A token that is invalid in one profile at least.

    Operations that need a token (`POST /v1/identity/websocket-token`, verify, set-email) respond to it with `status`
    and `text()`.
    """

    name: str
    what: str
    _answers: Mapping[str, _Answer]
    _make: Callable[[Emulator], str]
    _profile: str = DEFAULT
    status: int = 401

    @property
    def __name__(self) -> str:
        """pytest uses it as the parameter's id."""
        return self.name

    def text(self, profile: str | None = None) -> str:
        """The body of the response in a profile; without one, in that for which the token was listed.

        Raises ValueError when the profile accepts the token.
        """
        name = _known(profile or self._profile)
        answer = self._answers.get(_ANSWERS_AS[name])
        if answer is None:
            raise ValueError(f"profile {name} accepts the token {self.name!r}")
        return answer.debug if PROFILES[name].error_texts == "debug" else answer.display

    def is_refused_in(self, profile: str) -> bool:
        return _ANSWERS_AS[_known(profile)] in self._answers

    def token(self, emulator: Emulator) -> str:
        """Made for this emulator's key and clock. `rotated_key` rotates the emulator's key. Raises WrongArgument."""
        if Emulator not in type(emulator).__mro__:
            raise WrongArgument(
                f"token: emulator: expected an Emulator, got {shown(emulator)}; for example token(identity_emulator)"
            )
        return self._make(emulator)


def _known(profile: str) -> str:
    """The profile's own name. Raises WrongArgument."""
    name = resolved(profile) if isinstance(profile, str) else ""
    if name not in _ANSWERS_AS:
        meant = did_you_mean(str(profile), NAMES)
        raise WrongArgument(f'tokens.broken: profile: no profile {shown(profile)}; {meant}; for example profile="v2"')
    return name


def broken(profile: str = DEFAULT) -> tuple[BrokenToken, ...]:
    """All tokens that are invalid in a profile, for `@pytest.mark.parametrize("broken", tokens.broken())`."""
    listed = (BrokenToken(*row, _profile=profile) for row in _catalogue())
    return tuple(each for each in listed if each.is_refused_in(profile))


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


def _foreign(ago: float | None = None) -> Make:
    """Signed with another key, and expired so many seconds ago."""

    def make(emulator: Emulator) -> str:
        key = SigningKey.from_entropy(b"a key this emulator never had")
        claims = _claims(emulator)
        expiry = {} if ago is None else {"exp": int(claims["iat"] - ago)}
        return key.sign_token(STANDARD_HEADER, msgspec.json.encode(claims | expiry))

    return make


def _wrong_curve(emulator: Emulator) -> str:
    header, payload = _encoded(b'{"typ":"JWT","alg":"ES384"}'), _encoded(msgspec.json.encode(_claims(emulator)))
    message = f"{header}.{payload}"
    return f"{message}.{base64url.encode(sign_with_p384(message.encode()))}"


def _tampered(header: str, payload: str, signature: str) -> str:
    claims = msgspec.json.decode(base64url.decode(payload)) | {"role": "admin"}
    return f"{header}.{_encoded(msgspec.json.encode(claims))}.{signature}"


_OTHER_IDENTITY = identity_of(LOCAL_ISSUER, "bob")
_LONG = "a" * 129

_EXPIRED, _FORGED = _kind("ExpiredSignature"), _kind("InvalidSignature")
_NOT_ALLOWED, _MALFORMED = _kind("InvalidAlgorithm"), _kind("InvalidToken")
_OTHER_FAMILY = (_FORGED.only(_OLD), _NOT_ALLOWED.only(_NEW))
_VARIANTS = "`HS256`, `HS384`, `HS512`, `ES256`, `ES384`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `EdDSA`"

_CATALOGUE: tuple[tuple[str, str, _Answer | tuple[_Answer, ...], Make], ...] = (
    # the signature
    ("expired", "expired an hour ago", _EXPIRED, _expired(3600)),
    ("just_expired", "expired 62 s ago, after the leeway of 60 s", _EXPIRED, _expired(62)),
    ("foreign_key", "signed with another server's key", _FORGED, _foreign()),
    ("rotated_key", "signed with the key before a rotation", _FORGED, _rotated),
    ("wrong_curve", "ES384, signed with a P-384 key", _NOT_ALLOWED, _wrong_curve),
    ("hs256", "`alg` is HS256", _OTHER_FAMILY, _header({"typ": "JWT", "alg": "HS256"})),
    ("rs256", "`alg` is RS256", _OTHER_FAMILY, _header({"typ": "JWT", "alg": "RS256"})),
    ("stripped_signature", "an empty signature", _FORGED, _segments(lambda h, p, s: f"{h}.{p}.")),
    ("short_signature", "half of the signature", _FORGED, _segments(lambda h, p, s: f"{h}.{p}.{s[:40]}")),
    ("other_signature", "64 zero bytes as the signature", _FORGED, _segments(lambda h, p, s: f"{h}.{p}.{'A' * 86}")),
    ("tampered_payload", "a claim added after signing", _FORGED, _segments(_tampered)),
    (
        "expired_and_forged",
        "expired an hour ago, and signed with another server's key",
        (_EXPIRED.only(_OLD), _FORGED.only(_NEW)),
        _foreign(ago=3600),
    ),
    ("negative_exp", "`exp` is -1", _EXPIRED.only(_NEW), _with(exp=-1)),
    # the segments
    ("two_segments", "only header and payload", _MALFORMED, _segments(lambda h, p, s: f"{h}.{p}")),
    ("one_segment", "a text without dots", _MALFORMED, lambda emulator: "undefined"),
    (
        "bad_base64_header",
        "a header with a character outside base64url",
        _base64("Invalid symbol 33, offset 0.", "InvalidByte(0, 33)"),
        _segments(lambda h, p, s: f"!{h[1:]}.{p}.{s}"),
    ),
    (
        "bad_base64_payload",
        "a payload with a character outside base64url",
        _base64("Invalid symbol 43, offset 0.", "InvalidByte(0, 43)"),
        _segments(lambda h, p, s: f"{h}.+{p[1:]}.{s}"),
    ),
    (
        "padded_payload",
        "a payload with `=` at its end",
        _base64("Invalid padding", "InvalidPadding"),
        _segments(lambda h, p, s: f"{h}.e30=.{s}"),
    ),
    (
        "bad_base64_signature",
        "a signature with a character outside base64url",
        _base64("Invalid symbol 33, offset 0.", "InvalidByte(0, 33)"),
        _segments(lambda h, p, s: f"{h}.{p}.!{s[1:]}"),
    ),
    # the header
    (
        "alg_none",
        "`alg` is `none`, with an empty signature",
        _json(f"unknown variant `none`, expected one of {_VARIANTS}", 25),
        _with_header(b'{"typ":"JWT","alg":"none"}'),
    ),
    ("header_without_alg", "a header without `alg`", _json("missing field `alg`", 13), _header({"typ": "JWT"})),
    (
        "header_list",
        "a header that is a list",
        (
            _json("invalid length 2, expected struct Header with 10 elements", 15).only(_OLD),
            _json("invalid type: sequence, expected struct Header", 0).only(_NEW),
        ),
        _with_header(b'["JWT","ES256"]'),
    ),
    (
        "crit_text",
        "`crit` in the header is a string",
        _json('invalid type: string "exp", expected a sequence', 39).only(_NEW),
        _header({"typ": "JWT", "alg": "ES256", "crit": "exp"}),
    ),
    (
        "unknown_jwk",
        "`jwk` in the header is an unknown kind of key",
        _json("data did not match any variant of untagged enum AlgorithmParameters", 48).only(_OLD),
        _header({"typ": "JWT", "alg": "ES256", "jwk": {"kty": "other"}}),
    ),
    # the claims
    ("bad_json_payload", "a payload that is not JSON", _json("expected value", 1), _with_payload(b"hello")),
    (
        "cut_json_payload",
        "an incomplete payload",
        _json("EOF while parsing a string", 11),
        _with_payload(b'{"sub": "al'),
    ),
    (
        "payload_no_object",
        "a payload that is a list",
        _json("invalid type: sequence, expected struct IncomingClaims", 0),
        _with_payload(b"[]"),
    ),
    ("missing_sub", "no `sub`", _json("missing field `sub`", 140), _with(sub=None)),
    ("missing_iss", "no `iss`", _json("missing field `iss`", 136), _with(iss=None)),
    ("missing_iat", "no `iat`", _json("missing field `iat`", 137), _with(iat=None)),
    ("exp_as_text", "`exp` is a string", _json('invalid type: string "never", expected i64', 167), _with(exp="never")),
    ("nbf_list", "`nbf` is a list", _json("expected `,` or `}`", 162), _with(nbf=[1])),
    (
        "wrong_hex_identity",
        "`hex_identity` is another identity",
        _other(
            f"Identity mismatch: token identity Identity({_OTHER_IDENTITY}) does not match computed identity "
            f"Identity({IDENTITY})"
        ),
        _with(hex_identity=_OTHER_IDENTITY),
    ),
    (
        "over_long_subject",
        "129 bytes in `sub`",
        _other(f'Subject too long: "{_LONG}"'),
        _with(sub=_LONG, hex_identity=None),
    ),
    ("empty_subject", "`sub` is empty", _other("Subject empty"), _with(sub="", hex_identity=None)),
)


def _catalogue() -> Iterator[tuple[str, str, Mapping[str, _Answer], Make]]:
    for name, what, answers, make in _CATALOGUE:
        each = answers if isinstance(answers, tuple) else (answers,)
        yield name, what, {profile: answer for answer in each for profile in answer.profiles}, make
