"""The data types of SpacetimeDB's identity API: identities, claims, databases.

The evidence for each rule is in docs/fidelity.md.
"""

import re
from collections.abc import Mapping
from typing import Any, NewType

import msgspec
from blake3 import blake3

from emulator.services.rust import base64url
from emulator.services.rust.debug_format import debug

Identity = NewType("Identity", str)
"""64 lower-case hex digits, no `0x`."""

_HEX = re.compile(r"[0-9a-fA-F]*")

STANDARD_HEADER = base64url.encode(b'{"typ":"JWT","alg":"ES256"}')
"""The first part of every token that the server signs; it never has a `kid`."""

LOCAL_ISSUER = "localhost"
"""A constant of the standalone server, whatever its host name is."""

AUDIENCE = ("spacetimedb",)
WEBSOCKET_TOKEN_SECONDS = 60

CLAIM_NAMES = frozenset({"hex_identity", "sub", "iss", "aud", "iat", "exp"})
"""The claims of `IncomingClaims` (crates/auth/src/identity.rs); every other one is an extra claim."""

LONGEST_NAME = 128
"""The most bytes of UTF-8 in an issuer or a subject."""


def identity_of(issuer: str, subject: str) -> Identity:
    """The identity of (`iss`, `sub`): `Identity::from_claims` in crates/lib/src/identity.rs.

    Nothing is escaped, so (`a|b`, `c`) and (`a`, `b|c`) are the same identity, as on the real server.
    """
    return _checksummed(blake3(f"{issuer}|{subject}".encode()).digest()[:26])


def _checksummed(name_hash: bytes) -> Identity:
    checksum = blake3(b"\xc2\x00" + name_hash).digest()[:4]
    return Identity((b"\xc2\x00" + checksum + name_hash).hex())


def parse_identity(text: str) -> Identity:
    """An identity from its hex form, either case (crates/sats/src/de/serde.rs). Raises NotAnIdentity."""
    try:
        raw = bytes.fromhex(text) if _HEX.fullmatch(text) else None
    except ValueError:  # an odd number of digits
        raw = None
    if raw is None:
        raise NotAnIdentity(f"invalid value: string {debug(text)}, expected a byte array or hex string")
    if len(raw) != 32:
        raise NotAnIdentity(f"too {'few' if len(raw) < 32 else 'many'} elements for array")
    return Identity(raw.hex())


class NotAnIdentity(ValueError):
    """A text that is not 32 bytes in hex; the message is the real server's."""


Extra = Mapping[str, Any]
"""Claims with other names than `CLAIM_NAMES`."""


class Claims(msgspec.Struct, frozen=True):
    """The claims of a token. `issued_at` and `expires_at` are seconds since 1970; `extra` holds every other claim.

    Without `expires_at`, `null_exp` tells whether the token has `exp: null` or no `exp`. Both mean the same.
    """

    identity: Identity
    subject: str
    issuer: str
    audience: tuple[str, ...]
    issued_at: int
    expires_at: int | None = None
    extra: Extra = msgspec.field(default_factory=dict)
    null_exp: bool = False

    @classmethod
    def issued(
        cls,
        issuer: str,
        subject: str,
        audience: tuple[str, ...],
        expires_in: float | None,
        extra: Extra,
        *,
        at: int,
        null_exp: bool,
    ) -> "Claims":
        """Of a token issued at a time (microseconds) that expires after so many seconds; None is never."""
        issued_at = (at + 500_000) // 1_000_000  # half up, so up to 0.5 s in the future (serde_with's TimestampSeconds)
        expires_at = None if expires_in is None else issued_at + round(expires_in)
        null = null_exp and expires_at is None
        return cls(identity_of(issuer, subject), subject, issuer, audience, issued_at, expires_at, extra, null)

    @classmethod
    def from_payload(cls, found: Mapping[str, Any]) -> "Claims":
        """Of a parsed payload (`token_json`)."""
        extra = {name: value for name, value in found.items() if name not in CLAIM_NAMES}
        issuer, subject, audience = found["iss"], found["sub"], tuple(found.get("aud", ()))
        exp, identity = found.get("exp"), identity_of(issuer, subject)
        null = exp is None and "exp" in found
        return cls(identity, subject, issuer, audience, found["iat"], exp, extra, null)

    def payload(self) -> dict[str, Any]:
        """In the real server's order (docs/fidelity.md, Tokens)."""
        claims = {
            "hex_identity": self.identity,
            "sub": self.subject,
            "iss": self.issuer,
            "aud": self.audience,
            "iat": self.issued_at,
        }
        if self.expires_at is not None or self.null_exp:
            claims["exp"] = self.expires_at
        return {**claims, **self.extra} if self.extra else claims


class Database(msgspec.Struct, frozen=True, omit_defaults=True):
    """The real server lists databases by `identity`, the documentation page by `address`.

    `owner` is an identity. A database without a name is found by its identity only.
    """

    identity: Identity
    address: str
    owner: Identity
    name: str | None = None

    @property
    def packed(self) -> bytes:
        """All but the owner in few bytes, for the store."""
        return bytes.fromhex(self.identity + self.address) + (self.name or "").encode()

    @classmethod
    def unpacked(cls, packed: bytes, owner: Identity) -> "Database":
        name = packed[_IDENTITY_AND_ADDRESS:].decode() or None
        return cls(Identity(packed[:32].hex()), packed[32:_IDENTITY_AND_ADDRESS].hex(), owner, name)

    @classmethod
    def new(cls, random: bytes, owner: Identity, name: str | None = None) -> "Database":
        """A database from random bytes. How its address is derived from them is invented (docs/fidelity.md)."""
        return cls(_checksummed(blake3(random).digest()[:26]), _address(random), owner, name)

    @classmethod
    def known(cls, identity: Identity, owner: Identity, name: str | None = None) -> "Database":
        """A database of a given identity."""
        return cls(identity, _address(bytes.fromhex(identity)), owner, name)


_IDENTITY_AND_ADDRESS = 32 + 16
"""Bytes."""


def _address(seed: bytes) -> str:
    return blake3(b"address" + seed).digest()[:16].hex()
