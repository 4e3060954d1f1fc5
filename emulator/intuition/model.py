"""The nouns of Intuition's REST API, and everything it can say no with."""

from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256

import msgspec

from emulator.errors import Refused

DID_PREFIX = "did:intuition:ipfs:"
STATUSES = ("pending", "complete", "removed", "error")
NO_VAULT = "0"
"""Of a row that is not on the chain yet."""


class User(msgspec.Struct, frozen=True, gc=False):
    """The creator of an identity, with the seven keys of the documentation page in its order."""

    id: str
    created_at: str
    updated_at: str
    last_login: str
    api_key: str
    wallet: str
    role: str


class Identity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One row, its keys in the order of the documentation page; keys without a value are left out, never null.

    Times are RFC 3339 with six digits; sums and the price are decimal strings of wei.
    """

    id: str
    identity_id: str
    identity_hash: str
    display_name: str
    description: str | None = None
    image: str | None = None
    external_reference: str | None = None
    creator: User
    status: str
    created_at: str
    num_positions: int
    updated_at: str
    vault_id: str
    assets_sum: str
    conviction_sum: str
    conviction_price: str


class Staker(msgspec.Struct, frozen=True, gc=False):
    wallet: str


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stake in an identity, its keys in the order of the documentation page; amounts are decimal strings of wei."""

    id: str
    user: Staker
    direction: str = "for"
    vault_id: str
    amount_staked: str
    conviction: str
    assets: str
    fee: str = "0"
    delta_assets: str = "0"
    total: int = 1


class Draft(msgspec.Struct, frozen=True):
    """What a client asks to create."""

    display_name: str
    creator: str
    description: str | None = None
    image: str | None = None
    external_reference: str | None = None

    def document(self) -> bytes:
        """What would be pinned to IPFS: equal drafts give equal bytes. The real document is unknown."""
        return msgspec.json.encode(self)


class Lifecycle(msgspec.Struct, frozen=True):
    """What becomes of new rows: complete at once, or pending until told otherwise, or for some seconds."""

    pending: bool = False
    complete_after: float | None = None


class Profile(msgspec.Struct, frozen=True):
    name: str


PROFILES: Mapping[str, Profile] = {"documented": Profile("documented")}


def cid_v0(data: bytes) -> str:
    """The CIDv0 of a file that fits one block: UnixFS in a dag-pb node, sha2-256, base58btc. `Qm…`, 46 characters."""
    file = b"\x08\x02\x12" + _varint(len(data)) + data + b"\x18" + _varint(len(data))
    node = b"\x0a" + _varint(len(file)) + file
    return base58(b"\x12\x20" + sha256(node).digest())


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_TWO, _FOUR = 58**2, 58**4
_PAIRS = tuple(first + second for first in _BASE58 for second in _BASE58)


def base58(data: bytes) -> str:
    """base58btc of bytes that do not begin with a zero. Four digits at a time: Python's integers have one for 58⁴."""
    parts: list[str] = []
    number = int.from_bytes(data)
    while number:
        number, four = divmod(number, _FOUR)
        parts.append(_PAIRS[four % _TWO])
        parts.append(_PAIRS[four // _TWO])
    return "".join(reversed(parts)).lstrip("1")


def _varint(number: int) -> bytes:
    """LEB128, as protobuf has it."""
    if number <= 0x7F:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def keccak256(data: bytes) -> str:
    """64 hex digits. Ethereum's Keccak-256, which is not SHA3-256."""
    return _keccak()(data).hex()


@cache
def _keccak() -> Callable[[bytes], bytes]:
    """Imported when first needed: most worlds never need it."""
    try:
        from tiny_keccak import keccak256
    except ImportError:  # Windows on ARM, for which it has no wheels
        return _keccak_of_pycryptodome
    return keccak256


def _keccak_of_pycryptodome(data: bytes) -> bytes:
    from Crypto.Hash import keccak

    digest: bytes = keccak.new(digest_bits=256, data=data).digest()
    return digest


def hashed(row: Identity) -> Identity:
    """The row with its hash."""
    return row if row.identity_hash else msgspec.structs.replace(row, identity_hash=hash_of(row.identity_id))


def hash_of(identity_id: str) -> str:
    return "0x" + keccak256(identity_id.encode())


# --- refusals ---------------------------------------------------------------------------------------------------------


class Unauthorized(Refused):
    def __init__(self, text: str, why: str) -> None:
        super().__init__(401, text, why)


class KeyMissing(Unauthorized):
    def __init__(self) -> None:
        # Two spaces: the page has them.
        super().__init__(
            "`Authorization` header  or Api Key is missing", "neither `x-api-key` nor `Authorization` was sent"
        )


class KeyInvalid(Unauthorized):
    def __init__(self, why: str) -> None:
        super().__init__("`x-api-key` is invalid", why)


class BodyRefused(Refused):
    """A body that is not the JSON wanted."""

    def __init__(self, text: str, why: str, status: int = 400) -> None:
        super().__init__(status, text, why)


class BodyTooLarge(BodyRefused):
    def __init__(self, why: str) -> None:
        super().__init__("Failed to buffer the request body: length limit exceeded", why, 413)


class NotJsonContent(BodyRefused):
    def __init__(self, why: str) -> None:
        super().__init__("Expected request with `Content-Type: application/json`", why, 415)


class InvalidPath(Refused):
    def __init__(self, text: str, why: str) -> None:
        super().__init__(400, f"Invalid URL: {text}", why)


class InvalidQuery(Refused):
    def __init__(self, text: str, why: str) -> None:
        super().__init__(400, f"Failed to deserialize query string: {text}", why)


class NotFound(Refused):
    def __init__(self, why: str) -> None:
        super().__init__(404, "Record not found", why)
