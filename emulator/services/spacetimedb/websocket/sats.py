"""SpacetimeDB's types of messages, as data: described once, read and written as BSATN (`bsatn`) or JSON (`sats_json`).

A value of a product is a mapping of its fields, of a sum a pair of variant and content, of an option None or the value,
of an array a sequence. crates/sats of v2.8.3.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

MOST_ITEMS = 20_000
"""Of the lists and messages in a frame. The real server takes any number; reading them would stop the emulator."""


class TooMany(Exception):
    """A client sends or keeps more than the emulator takes."""


class Int(msgspec.Struct, frozen=True):
    """A number of so many bytes, little-endian in BSATN."""

    name: str
    size: int
    signed: bool = False

    @property
    def lowest(self) -> int:
        return -(1 << 8 * self.size - 1) if self.signed else 0

    @property
    def highest(self) -> int:
        return (1 << 8 * self.size - self.signed) - 1


class Flag(msgspec.Struct, frozen=True):
    """A u8 of which only the values below `count` are known."""

    name: str
    count: int

    def unknown(self, value: int) -> str:
        return f"invalid {self.name} flag {value}"


class String(msgspec.Struct, frozen=True):
    """UTF-8 after its length."""


class Bytes(msgspec.Struct, frozen=True):
    """Bytes after their number; hex digits in JSON."""


class Array(msgspec.Struct, frozen=True):
    item: "Type"


class Option(msgspec.Struct, frozen=True):
    """The sum of `some` and `none`."""

    item: "Type"


class Product(msgspec.Struct, frozen=True):
    name: str
    fields: Mapping[str, "Type"]


class Sum(msgspec.Struct, frozen=True):
    """The variants have the tags 0, 1, … in this order."""

    name: str
    variants: Mapping[str, "Type"]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.variants)


Scalar = Int | Flag | String | Bytes
Type = Scalar | Array | Option | Product | Sum

Fields = Mapping[str, Any]
Variant = tuple[str, Any]

U8 = Int("u8", 1)
U16 = Int("u16", 2)
U32 = Int("u32", 4)
U64 = Int("u64", 8)
U128 = Int("u128", 16)
U256 = Int("u256", 32)
I64 = Int("i64", 8, signed=True)
STRING = String()
BYTES = Bytes()
UNIT = Product("()", {})

IDENTITY = Product("Identity", {"__identity__": U256})
CONNECTION_ID = Product("ConnectionId", {"__connection_id__": U128})
TIMESTAMP = Product("Timestamp", {"__timestamp_micros_since_unix_epoch__": I64})
DURATION = Product("TimeDuration", {"__time_duration_micros__": I64})
