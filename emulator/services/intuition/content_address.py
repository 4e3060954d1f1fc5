"""The content address of an identity: CIDv0 in base58btc, and its Keccak-256 hash."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256


def cid_v0(data: bytes) -> str:
    """The CIDv0 of a file of one block: UnixFS in a dag-pb node, sha2-256, base58btc. `Qm…`, 46 characters."""
    file = b"\x08\x02\x12" + _varint(len(data)) + data + b"\x18" + _varint(len(data))
    node = b"\x0a" + _varint(len(file)) + file
    return base58(b"\x12\x20" + sha256(node).digest())


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_TWO, _FOUR = 58**2, 58**4
_PAIRS = tuple(first + second for first in _BASE58 for second in _BASE58)


def base58(data: bytes) -> str:
    """base58btc of bytes that do not begin with zero. Four digits per division: 58⁴ fits one digit of Python's int."""
    parts: list[str] = []
    number = int.from_bytes(data)
    while number:
        number, four = divmod(number, _FOUR)
        parts.append(_PAIRS[four % _TWO])
        parts.append(_PAIRS[four // _TWO])
    return "".join(reversed(parts)).lstrip("1")


def _varint(number: int) -> bytes:
    """The varint of protobuf (LEB128)."""
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
    """Imported on first use, as many worlds do not need it."""
    try:
        from tiny_keccak import keccak256
    except ImportError:  # Windows on ARM, for which it has no wheels
        return _keccak_of_pycryptodome
    return keccak256


def _keccak_of_pycryptodome(data: bytes) -> bytes:
    from Crypto.Hash import keccak

    digest: bytes = keccak.new(digest_bits=256, data=data).digest()
    return digest


def hash_of(identity_id: str) -> str:
    return "0x" + keccak256(identity_id.encode())
