"""Signing keys, signatures and the keyring of a world (ES256: RFC 7518, 3.4)."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from emulator.core.entropy import Entropy
from emulator.core.errors import Misconfigured
from emulator.services.rust import base64url
from emulator.services.spacetimedb.issuers.key_set import KeySet, NoKeys
from emulator.services.spacetimedb.model import STANDARD_HEADER, Claims
from emulator.services.spacetimedb.refusals import TokenRefused
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.token_validation import KeysOf, expired, no_foreign_keys, validate

logger = logging.getLogger("emulator")

_ES256 = ec.ECDSA(SHA256(), deterministic_signing=True)
_ES256_VERIFY = ec.ECDSA(SHA256())
_NO_PAIR = "as on the real server, every token that is issued is then refused (InvalidSignature)"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256 (SEC 2, 2.4.2); private keys are from 1 to this minus one."""


class SigningKey:
    """A P-256 key pair. A public key from a file is served byte for byte (crates/core/src/auth/mod.rs)."""

    FROM_FILES = "files"
    family = "EC"
    is_usable = True

    def __init__(
        self,
        private: ec.EllipticCurvePrivateKey,
        origin: str = FROM_FILES,
        public: ec.EllipticCurvePublicKey | None = None,
        public_pem: bytes | None = None,
    ) -> None:
        self.origin = origin
        """`files`, or the purpose and number of an `Entropy` draw, such as `spacetime.key 0`."""
        self._private = private
        self._public = public or private.public_key()
        self._public_pem = public_pem
        self.is_pair = public is None or public == private.public_key()
        """Whether the halves belong together; if not, no token of this key is valid (docs/fidelity.md, Tokens)."""

    @property
    def public_pem(self) -> bytes:
        if self._public_pem is None:
            self._public_pem = _pem(self._public)
        return self._public_pem

    @classmethod
    def from_seed(cls, seed: int) -> "SigningKey":
        """The first key of a world, the same on every machine."""
        return cls._drawn(Entropy(seed), "spacetime.key")

    @classmethod
    def rotated(cls, entropy: Entropy) -> "SigningKey":
        """The next key of a world."""
        return cls._drawn(entropy, "spacetime.rotated_key")

    @classmethod
    def _drawn(cls, entropy: Entropy, purpose: str) -> "SigningKey":
        origin = f"{purpose} {entropy.drawn.get(purpose, 0)}"
        return cls.from_entropy(entropy.draw(purpose), origin)

    @classmethod
    def from_entropy(cls, random: bytes, origin: str = "nowhere") -> "SigningKey":
        """The key for 64 random bytes."""
        return cls(ec.derive_private_key(int.from_bytes(random) % (_ORDER - 1) + 1, ec.SECP256R1()), origin)

    @classmethod
    def again(cls, seed: int, origin: str) -> "SigningKey":
        """The key of a seed with this `origin`. Raises ValueError when no key can have it."""
        purpose, _, number = origin.partition(" ")
        if purpose not in {"spacetime.key", "spacetime.rotated_key"} or not number.isdecimal():
            raise ValueError(f"no key has the origin {origin!r}")
        return cls._drawn(Entropy(seed, {purpose: int(number)}), purpose)

    @classmethod
    def from_files(cls, private_path: Path, public_path: Path) -> "SigningKey":
        """A user's two PEM files, the private one in PKCS #8. Raises Misconfigured when they are not P-256 keys.

        As the real server, it takes two halves that don't belong together, and then refuses its own tokens.
        """
        from cryptography.hazmat.primitives import serialization

        private = _load(private_path, "private", lambda pem: serialization.load_pem_private_key(pem, password=None))
        public = _load(public_path, "public", serialization.load_pem_public_key)
        for path, key in ((private_path, private), (public_path, public)):
            if not isinstance(getattr(key, "curve", None), ec.SECP256R1):
                raise Misconfigured(f"{path}: not a P-256 key; SpacetimeDB signs with ES256 only")
        if b"-----BEGIN PRIVATE KEY-----" not in private_path.read_bytes():
            raise Misconfigured(
                f"{private_path}: not in PKCS #8, the only form that SpacetimeDB reads; convert it with "
                f"`openssl pkcs8 -topk8 -nocrypt -in {private_path}`"
            )
        found = cls(private, public=public, public_pem=public_path.read_bytes())
        if not found.is_pair:
            logger.warning("%s is not the public key of %s: %s", public_path, private_path, _NO_PAIR)
        return found

    def sign(self, message: bytes) -> bytes:
        """r and s, 32 bytes each (RFC 7518, 3.4); the same message gives the same signature (RFC 6979)."""
        return r_and_s(self._private.sign(message, _ES256))

    def verifies(self, message: bytes, signature: bytes) -> bool:
        if len(signature) != 64:
            return False
        if self.is_pair and self.sign(message) == signature:  # deterministic, and twice as fast as verifying
            return True
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        try:
            self._public.verify(encode_dss_signature(r, s), message, _ES256_VERIFY)
        except InvalidSignature:
            return False
        return True

    def mint(self, claims: Claims) -> str:
        """The token for `claims`, with the real server's header and order of claims."""
        return self.sign_token(STANDARD_HEADER, msgspec.json.encode(claims.payload()))

    def sign_token(self, header: str, payload: bytes) -> str:
        """A token of an encoded header and any payload."""
        message = f"{header}.{base64url.encode(payload)}"
        return f"{message}.{base64url.encode(self.sign(message.encode()))}"


def _pem(public: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization  # slow to import, and rarely used

    pem: bytes = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem


def _load(path: Path, half: str, load: Callable[[bytes], Any]) -> Any:
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise Misconfigured(f"can't read the {half} key: {error}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Misconfigured(f"{path}: not an unencrypted {half} key in PEM form ({error})") from error


def r_and_s(der: bytes, size: int = 32) -> bytes:
    """The two integers of a valid DER signature, `size` bytes each: `30 length 02 length r 02 length s`.

    Sliced, as this runs for every token: decoding with the library takes three times as long.
    """
    end = 4 + der[3]
    return der[4:end][-size:].rjust(size, b"\0") + der[end + 2 :][-size:].rjust(size, b"\0")


class Keyring:
    """The current signing key, the retired ones, and a cache of tokens that were valid."""

    _CACHED = 2048
    _LONGEST_CACHED = 1024
    """Characters. Ours have 400 or so; of the claims of a longer one, a cache would take ten times its size."""
    _RETIRED = 8

    def __init__(self, key: SigningKey) -> None:
        self.key = self.first = key
        self.retired: list[tuple[SigningKey, int]] = []
        """Retired keys and when they were rotated (seconds), the latest first. Forks share the list: it is replaced."""
        self._valid: dict[str, tuple[Claims, int | None]] = {}
        """By token, its claims and the moment from which it is refused (microseconds), None for never."""

    def fork(self) -> "Keyring":
        """A copy with the same keys. Both share the cache until one of them rotates its key."""
        copy = Keyring(self.first)
        copy.key, copy.retired, copy._valid = self.key, self.retired, self._valid
        return copy

    def rotate(self, key: SigningKey, now: int) -> None:
        """Sign with `key` from `now` (seconds) on; tokens of the old key become invalid."""
        self.retired = [(self.key, now), *self.retired][: self._RETIRED]
        self.key, self._valid = key, {}

    def read(self, token: str, now: int, rules: Release, keys_of: KeysOf = no_foreign_keys) -> Claims:
        """The claims of a token that is valid at `now` (microseconds). Raises TokenRefused, and what `keys_of` raises.

        The cache is of one release, as a world is. Tokens that a key of a foreign issuer signed are not in it.
        """
        found = self._valid.get(token)
        if found is None:
            return self._validate(token, now, rules, keys_of)
        claims, end = found
        if end is not None and now >= end:
            assert claims.expires_at is not None
            raise expired(claims.expires_at, now)
        return claims

    def _remembered(self, token: str, claims: Claims, rules: Release) -> Claims:
        if len(token) <= self._LONGEST_CACHED:
            if len(self._valid) >= self._CACHED:
                self._valid.clear()
            exp = claims.expires_at
            self._valid[token] = claims, None if exp is None else rules.expiry.refused_from(exp)
        return claims

    def judge(self, token: str, now: int, rules: Release, keys_of: KeysOf = no_foreign_keys) -> Claims:
        """As `read`, by the rules of any release: the cache is neither asked nor changed."""
        return self._judged(token, now, rules, keys_of)[0]

    def _validate(self, token: str, now: int, rules: Release, keys_of: KeysOf) -> Claims:
        claims, asked = self._judged(token, now, rules, keys_of)
        return claims if asked else self._remembered(token, claims, rules)

    def _judged(self, token: str, now: int, rules: Release, keys_of: KeysOf) -> tuple[Claims, bool]:
        """The claims, and whether its issuer was asked for keys."""
        asked = False

        def asked_for(issuer: str) -> KeySet | NoKeys:
            nonlocal asked
            asked = True
            return keys_of(issuer)

        try:
            claims = validate(token, self.key, now, rules, asked_for)
            return claims, asked
        except TokenRefused as refused:
            if (seconds := self._seconds_since_rotation(token, now, rules)) is not None:
                refused.why = f"signed by a key that was rotated {seconds} s ago"
            elif not asked and refused.check == "signature" and not self.key.is_pair:
                refused.why += "; the public key from the file is not that of the private one"
            raise

    def _seconds_since_rotation(self, token: str, now: int, rules: Release) -> int | None:
        for key, at in self.retired:
            try:
                validate(token, key, now, rules)
            except TokenRefused:
                continue
            return now // 1_000_000 - at
        return None


def sign_with_p384(message: bytes) -> bytes:
    """An ES384 signature by an unknown key, on a curve that the server does not accept."""
    from cryptography.hazmat.primitives.hashes import SHA384

    key = ec.derive_private_key(1, ec.SECP384R1())
    return r_and_s(key.sign(message, ec.ECDSA(SHA384(), deterministic_signing=True)), 48)
