"""The public keys of foreign issuers, as the server's JWT library makes them from a JWK and verifies with them.

Up to 2.9.0 a fork of jsonwebtoken 9.3.0 on ring, since 2.10.0 jsonwebtoken 11 on RustCrypto (src/decoding.rs in both).
"""

import hmac
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

_LARGEST_EXPONENT = 2**33 - 1
"""Of RSA, in ring and in the crate rsa."""


class EcKey:
    """For ES256. Both libraries put x behind y and read a point of P-256, whatever `crv` says."""

    family = "EC"

    def __init__(self, x: bytes, y: bytes) -> None:
        self._point = x + y

    @cached_property
    def _key(self) -> ec.EllipticCurvePublicKey | None:
        if len(self._point) != 64:
            return None
        x, y = int.from_bytes(self._point[:32]), int.from_bytes(self._point[32:])
        try:
            return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        except ValueError:  # not on the curve
            return None

    @property
    def is_usable(self) -> bool:
        return self._key is not None

    def verifies(self, message: bytes, signature: bytes) -> bool:
        if self._key is None or len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        try:
            self._key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


class RsaKey:
    """For RS256, of a modulus with so many bits as the release takes; those of ring count in whole bytes."""

    family = "RSA"

    def __init__(self, modulus: bytes, exponent: bytes, bits: tuple[int, int]) -> None:
        self._modulus, self._exponent, self._bits = int.from_bytes(modulus), int.from_bytes(exponent), bits

    @cached_property
    def _key(self) -> rsa.RSAPublicKey | None:
        smallest, largest = self._bits
        bits = self._modulus.bit_length()
        if -(-bits // 8) * 8 < smallest or bits > largest or not 3 <= self._exponent <= _LARGEST_EXPONENT:
            return None
        try:
            return rsa.RSAPublicNumbers(self._exponent, self._modulus).public_key()
        except ValueError:  # an even number, for one
            return None

    @property
    def is_usable(self) -> bool:
        return self._key is not None

    def verifies(self, message: bytes, signature: bytes) -> bool:
        if self._key is None:
            return False
        try:
            self._key.verify(signature, message, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True


class OctKey:
    """A shared secret, for HS256."""

    family = "oct"
    is_usable = True

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def verifies(self, message: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(hmac.digest(self._secret, message, "sha256"), signature)


class OkpKey:
    """A key on an Edwards curve. The server takes no algorithm that it is for."""

    family = "OKP"
    is_usable = True

    def verifies(self, message: bytes, signature: bytes) -> bool:
        return False
