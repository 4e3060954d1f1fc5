"""Providers that the emulator plays: keys from the world's seed, tokens signed and JWKs written by PyJWT.

PyJWT takes a while to import (docs/decisions/0002): this module is imported when a first provider is played.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b, shake_256
from math import gcd, lcm
from types import EllipsisType
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm
from jwt.utils import der_to_raw_signature

from emulator.core.entropy import Entropy
from emulator.services.rust import base64url
from emulator.services.spacetimedb.issuers.providers import Keys, Provider, written
from emulator.services.spacetimedb.issuers.state import ProviderState
from emulator.services.spacetimedb.model import AUDIENCE

_CURVES: Mapping[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551),
    "P-384": (ec.SECP384R1(), 2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D),
    "P-521": (ec.SECP521R1(), 2**521 - 2**260),
    "secp256k1": (ec.SECP256K1(), 2**256 - 2**130),
}
"""The curves, and a bound that is not above the order of each (SEC 2)."""


class _Ec(ECAlgorithm):
    """ECDSA with deterministic signatures (RFC 6979), as elsewhere in the emulator."""

    def sign(self, msg: bytes, key: Any) -> bytes:
        der = key.sign(msg, ec.ECDSA(self.hash_alg(), deterministic_signing=True))
        return der_to_raw_signature(der, key.curve)


class _Algorithm(NamedTuple):
    family: str
    """Of the key: keys of the same family and generation are the same."""
    signer: Any
    """An algorithm of PyJWT."""


_ALGORITHMS: Mapping[str, _Algorithm] = {
    "ES256": _Algorithm("P-256", _Ec(_Ec.SHA256)),
    "ES384": _Algorithm("P-384", _Ec(_Ec.SHA384)),
    "ES512": _Algorithm("P-521", _Ec(_Ec.SHA512)),
    "ES256K": _Algorithm("secp256k1", _Ec(_Ec.SHA256)),
    "RS256": _Algorithm("RSA", RSAAlgorithm(RSAAlgorithm.SHA256)),
    "RS384": _Algorithm("RSA", RSAAlgorithm(RSAAlgorithm.SHA384)),
    "RS512": _Algorithm("RSA", RSAAlgorithm(RSAAlgorithm.SHA512)),
    "PS256": _Algorithm("RSA", RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256)),
    "PS384": _Algorithm("RSA", RSAPSSAlgorithm(RSAPSSAlgorithm.SHA384)),
    "PS512": _Algorithm("RSA", RSAPSSAlgorithm(RSAPSSAlgorithm.SHA512)),
    "HS256": _Algorithm("oct", HMACAlgorithm(HMACAlgorithm.SHA256)),
    "HS384": _Algorithm("oct", HMACAlgorithm(HMACAlgorithm.SHA384)),
    "HS512": _Algorithm("oct", HMACAlgorithm(HMACAlgorithm.SHA512)),
    "EdDSA": _Algorithm("Ed25519", OKPAlgorithm()),
}


ALGORITHMS = tuple(_ALGORITHMS)
DEFAULT_ALGORITHM = "ES256"


def known_algorithm(name: object) -> str:
    """Raises ValueError for what PyJWT does not sign with."""
    if isinstance(name, str) and name in _ALGORITHMS:
        return name
    raise ValueError(f"algorithm is {name!r}; it must be one of {', '.join(ALGORITHMS)}")


class PlayedKey(NamedTuple):
    """A key of a provider: the nth that it has for an algorithm."""

    algorithm: str
    generation: int

    @property
    def kid(self) -> str:
        return f"{self.algorithm.lower()}-{self.generation}"


class PlayedProvider(Provider):
    """A provider with keys of its own. Each algorithm that a token is asked for has a key, made when first used."""

    kind = "played"

    def __init__(self, url: str, seed: int, algorithm: str = DEFAULT_ALGORITHM) -> None:
        super().__init__(url)
        self._seed = seed
        self.algorithm = known_algorithm(algorithm)
        self.algorithms = (self.algorithm,)  # those that it has keys for, in the order in which they were asked for
        self.generation = 1
        """Which of its keys are the current ones."""
        self.kept: tuple[PlayedKey, ...] = ()
        """Earlier keys that are still published."""
        self.unpublished: frozenset[str] = frozenset()
        """Algorithms whose keys the server would refuse the whole set for."""

    # --- keys ---------------------------------------------------------------------------------------------------------

    @property
    def keys(self) -> tuple[PlayedKey, ...]:
        """Those that it publishes by itself: the current ones, then earlier ones that are kept."""
        return (*self.current, *self.kept)

    @property
    def current(self) -> tuple[PlayedKey, ...]:
        """Those that new tokens are signed with."""
        return tuple(PlayedKey(each, self.generation) for each in self.algorithms if each not in self.unpublished)

    def key(self, kid: str) -> PlayedKey | None:
        """The key with an id that this provider has or had."""
        for algorithm in self.algorithms:
            name, _, number = kid.rpartition("-")
            if name == algorithm.lower() and number.isdecimal() and 1 <= int(number[:9]) <= self.generation:
                found = PlayedKey(algorithm, int(number[:9]))
                return found if found.kid == kid else None
        return None

    @property
    def document(self) -> bytes:
        return written([self.jwk(each) for each in self.keys]) if self.published is None else self.published

    @property
    def outline(self) -> bytes:
        return written([self.jwk(each) if _family(each) != "RSA" else _outline(each) for each in self.keys])

    def jwk(self, key: PlayedKey) -> dict[str, Any]:
        """The public half of a key, as it is published; the whole of a shared secret."""
        private, signer = self._private(key), _ALGORITHMS[key.algorithm].signer
        public = private if isinstance(private, bytes) else private.public_key()
        numbers = {name: value for name, value in signer.to_jwk(public, as_dict=True).items() if name != "key_ops"}
        return {**numbers, "kid": key.kid, "use": "sig", "alg": key.algorithm}

    def _private(self, key: PlayedKey) -> Any:
        return _private_key(self._seed, self.url, _family(key), key.generation)

    def rotate_key(self, *, keep: bool = False) -> None:
        """Sign with new keys. The old ones are no longer published, or with `keep` still are, after the new ones."""

        def rotate() -> None:
            self.kept = self.keys if keep else ()
            self.generation += 1
            self.published = None

        self._change(rotate)

    def publish(self, keys: Keys) -> None:
        """As `Provider.publish`; in a list, a key of its own can be given by its `kid`."""
        if isinstance(keys, Sequence) and not isinstance(keys, bytes):
            keys = [self._own_jwk(each) if isinstance(each, str) else each for each in keys]
        super().publish(keys)

    def _own_jwk(self, kid: str) -> dict[str, Any]:
        key = self.key(kid)
        if key is None:
            raise ValueError(f"{self.url} has no key {kid[:80]!r}; it has {', '.join(each.kid for each in self.keys)}")
        return self.jwk(key)

    # --- tokens -------------------------------------------------------------------------------------------------------

    def issue_token(
        self,
        more: Mapping[str, Any] | None = None,
        /,
        *,
        subject: str,
        audience: str | Sequence[str] | None = AUDIENCE,
        algorithm: str | None = None,
        kid: str | EllipsisType | None = ...,
        expires_in: float | None = None,
        headers: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A token of this provider, issued now. Raises ValueError.

        It is signed with the current key of `algorithm`, by default the provider's own, or with the earlier one that
        `kid` names. The header has that key's id, or `kid` itself if it is no key's; with None it has none. `headers`
        are put over the header: a token can so say another `alg` than it is signed with. None removes a member. Claims,
        those of `more` with any name, are put over the standard ones.
        """
        named = self.key(kid) if isinstance(kid, str) else None
        if named is None or algorithm not in (None, named.algorithm):
            named = self._current(self.algorithm if algorithm is None else known_algorithm(algorithm))
        header = {"typ": "JWT", "alg": named.algorithm, "kid": named.kid if kid is ... else kid, **(headers or {})}
        said = self.claims(self.url, subject, audience, self._registry.micros() // 1_000_000, expires_in)
        given = {name: value for name, value in header.items() if value is not None}
        return self.sign(given, {**said, **(more or {}), **claims}, named)

    def _current(self, algorithm: str) -> PlayedKey:
        """The current key of an algorithm. One that was never asked for counts as published from the beginning."""
        key = PlayedKey(algorithm, self.generation)
        if algorithm not in self.algorithms:
            self._registry.settle()
            by_hand = self.published is not None
            beside = frozenset() if by_hand else frozenset(each.kid for each in self.current)
            if not self._registry.takes(self, self.jwk(key), beside):
                self.unpublished |= {algorithm}
            self.algorithms = (*self.algorithms, algorithm)
        return key

    def sign(self, header: Mapping[str, Any], claims: Mapping[str, Any] | bytes, key: PlayedKey) -> str:
        """A token of any header and any claims."""
        payload = claims if isinstance(claims, bytes) else _compact(claims)
        message = f"{base64url.encode(_compact(header))}.{base64url.encode(payload)}"
        signature = _ALGORITHMS[key.algorithm].signer.sign(message.encode(), self._private(key))
        return f"{message}.{base64url.encode(signature)}"

    def token(self, claims: Mapping[str, Any], *, first: bool = False) -> str:
        key = PlayedKey(self.algorithm, 1 if first else self.generation)
        return self.sign({"typ": "JWT", "alg": key.algorithm, "kid": key.kid}, claims, key)

    # --- snapshots ----------------------------------------------------------------------------------------------------

    def state(self) -> ProviderState:
        played = {
            "algorithms": list(self.algorithms),
            "unpublished": sorted(self.unpublished),
            "generation": self.generation,
            "kept": [tuple(each) for each in self.kept],
        }
        return msgspec.structs.replace(super().state(), **played)

    def restore(self, state: ProviderState) -> None:
        super().restore(state)
        self.algorithms = tuple(map(known_algorithm, state.algorithms)) or self.algorithms
        self.algorithm = self.algorithms[0]
        self.unpublished = frozenset(state.unpublished)
        self.generation = state.generation
        self.kept = tuple(PlayedKey(known_algorithm(name), number) for name, number in state.kept)


def _family(key: PlayedKey) -> str:
    return _ALGORITHMS[key.algorithm].family


def _outline(key: PlayedKey) -> dict[str, Any]:
    """An RSA key in form only."""
    return {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": key.kid, "use": "sig", "alg": key.algorithm}


def _compact(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


# --- keys from a seed -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _private_key(seed: int, url: str, family: str, generation: int) -> Any:
    """The nth key of a provider in worlds of this seed, the same on every machine."""
    random = Entropy(seed).named("spacetime.issuer", f"{family} {generation} {url}")
    if family in _CURVES:
        curve, bound = _CURVES[family]
        wide = blake2b(random, person=b"wide").digest() + random
        return ec.derive_private_key(int.from_bytes(wide) % (bound - 1) + 1, curve)
    if family == "RSA":
        return _rsa_key(random)
    return Ed25519PrivateKey.from_private_bytes(random[:32]) if family == "Ed25519" else random


_RSA_BITS, _E = 2048, 65537


def _rsa_key(random: bytes) -> rsa.RSAPrivateKey:
    """OpenSSL takes no seed, so the primes are found here, in 0.3 s or so."""
    p, q = _prime(random + b"p"), _prime(random + b"q")
    d = pow(_E, -1, lcm(p - 1, q - 1))
    public = rsa.RSAPublicNumbers(_E, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _prime(seed: bytes) -> int:
    """The first prime from a place that the seed says, with both upper bits set and e no divisor of it minus one."""
    bits = _RSA_BITS // 2
    candidate = int.from_bytes(shake_256(seed).digest(bits // 8)) | 3 << (bits - 2) | 1
    while not (gcd(candidate, _small_primes()) == 1 and (candidate - 1) % _E and _is_prime(candidate)):
        candidate += 2
    return candidate


@lru_cache(maxsize=1)
def _small_primes() -> int:
    """The product of the odd primes below 2,000."""
    product = 1
    for number in range(3, 2000, 2):
        if gcd(number, product) == 1 and all(number % each for each in range(3, int(number**0.5) + 1, 2)):
            product *= number
    return product


def _is_prime(candidate: int) -> bool:
    """Miller and Rabin's test with the first bases, enough for a number that nobody chose to deceive it."""
    shift = ((candidate - 1) & -(candidate - 1)).bit_length() - 1
    odd = (candidate - 1) >> shift
    for base in (2, 3, 5, 7, 11):
        power = pow(base, odd, candidate)
        if power in (1, candidate - 1):
            continue
        if not any((power := power * power % candidate) == candidate - 1 for _ in range(shift - 1)):
            return False
    return True
