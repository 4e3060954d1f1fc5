"""The tokens in recorded requests, signed anew with the target's key and with their times moved to now.

What makes a token bad is kept: its text is changed only where it says a time near the moment of its recording, and only
a signature that was good is made anew.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

RECORDED_KEY = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEgbF3F1yntQWd83HoMk+hamq5ML8V
yLZPgFfqq4HudYGFeU5qodAU6tqtJFp6bsceDWx6Hl09eNHdpQ0WNoFBsg==
-----END PUBLIC KEY-----
"""
"""The public half of the throw-away key that signed the recorded tokens."""

NEAR = 86_400
"""Seconds from the moment of the recording within which a time in a token is moved; others mean always or never."""

_TOKEN = re.compile(rb"(?<![\w-])([\w-]{1,8000})\.([\w-]{1,8000})\.([\w-]{0,200})(?![\w-])")
_TIME = re.compile(rb'("(?:exp|iat)"\s*:\s*)(\d{10})(?![\d.eE])')


class BadKey(ValueError):
    """What is wrong with the target's keys, for whoever gave them."""


@dataclass(frozen=True)
class Keys:
    """The key pair of the target."""

    private: "EllipticCurvePrivateKey"
    public_pem: bytes

    @classmethod
    def of(cls, private_pem: bytes, public_pem: bytes) -> "Keys":
        """Raises BadKey."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            private = load_pem_private_key(private_pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise BadKey("the first is no private key in PEM without a password") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise BadKey("the first is no private key of P-256")
        public = _public_key(public_pem)
        if public is None:
            raise BadKey("the second is no public key of P-256 in PEM")
        if public.public_numbers() != private.public_key().public_numbers():
            raise BadKey("the two keys are no pair")
        return cls(private, public_pem)

    def sign(self, text: bytes) -> bytes:
        """The signature of a token: r and s, in base64url."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        r, s = decode_dss_signature(self.private.sign(text, ECDSA(SHA256())))
        return _encoded(r.to_bytes(32) + s.to_bytes(32))


def _public_key(pem: bytes) -> "EllipticCurvePublicKey | None":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1) else None


# --- finding ----------------------------------------------------------------------------------------------------------


def payloads(request: bytes) -> Iterator[bytes]:
    """Of all tokens in a request, decoded; those that are no base64url are left out."""
    for token in _TOKEN.finditer(request):
        if (payload := _decoded(token[2])) is not None:
            yield payload


def signed_tokens(request: bytes) -> list[bytes]:
    """The tokens in a request that the key of the recordings signed."""
    return [token[0] for token in _TOKEN.finditer(request) if _is_signed(token[0])]


@cache
def _recorded_key() -> "EllipticCurvePublicKey":
    key = _public_key(RECORDED_KEY)
    assert key is not None
    return key


def _is_signed(token: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    text, _, last = token.rpartition(b".")
    signature = _decoded(last)
    if signature is None or len(signature) != 64:
        return False
    pair = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    try:
        _recorded_key().verify(pair, text, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


# --- making anew ------------------------------------------------------------------------------------------------------


class Signers(NamedTuple):
    """What the target's tokens are signed with."""

    keys: Keys | None = None
    public_pem: bytes = RECORDED_KEY
    """As the target tells everybody."""

    def signature(self, token: bytes, text: bytes) -> bytes:
        """For a text in the place of the token's; of a token that was badly signed, its own."""
        old, _, signature = token.rpartition(b".")
        for secret, other in _secrets(self.public_pem):
            if signature == _hs256(secret, old):
                return _hs256(other, text)
        return self.keys.sign(text) if self.keys and _is_signed(token) else signature


def renewed(request: bytes, moment: datetime, now: int, signers: Signers) -> Mapping[bytes, bytes]:
    """For each token in a request that changes, the one to send in its place at `now`, in seconds."""
    found: dict[bytes, bytes] = {}
    for token in _TOKEN.finditer(request):
        text = b".".join((token[1], _moved(token[2], int(moment.timestamp()), now)))
        found[token[0]] = b"%b.%b" % (text, signers.signature(token[0], text))
    return {old: new for old, new in found.items() if old != new}


def _secrets(public_pem: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Of tokens that are forged with the public key as a secret: that of the recordings, and the target's."""
    yield RECORDED_KEY, public_pem
    yield RECORDED_KEY.strip(), public_pem.strip()


def _hs256(secret: bytes, text: bytes) -> bytes:
    return _encoded(hmac.digest(secret, text, "sha256"))


def _moved(segment: bytes, moment: int, now: int) -> bytes:
    """A payload with its times moved from the moment to now; as it is if it says none."""
    payload = _decoded(segment)
    if payload is None:
        return segment
    moved = _TIME.sub(lambda found: found[1] + _near(int(found[2]), moment, now), payload)
    return segment if moved == payload else _encoded(moved)


def _near(time: int, moment: int, now: int) -> bytes:
    return b"%d" % (now + time - moment if abs(time - moment) <= NEAR else time)


def _decoded(segment: bytes) -> bytes | None:
    """None for what is not the base64url of any bytes."""
    try:
        data = urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    except ValueError:
        return None
    return data if _encoded(data) == segment else None


def _encoded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
