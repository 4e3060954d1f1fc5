"""BSATN, SpacetimeDB's binary format (crates/sats/src/bsatn and buffer.rs of v2.8.3)."""

from collections.abc import Iterator, Sized
from typing import Any

from emulator.services.spacetimedb.websocket import sats
from emulator.services.spacetimedb.websocket.sats import Scalar, Type


class DecodeError(Exception):
    """Bytes that are no value of the type; the message is the real server's."""


class Reader:
    """Bytes and the position in them. Raises TooMany when more than MOST_ITEMS items are read."""

    __slots__ = ("_items", "data", "index")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.index = 0
        self._items = 0

    @property
    def at_end(self) -> bool:
        return self.index == len(self.data)

    def count(self) -> None:
        """An item of a list, or a message."""
        self._items += 1
        if self._items > sats.MOST_ITEMS:
            raise sats.TooMany

    def take(self, size: int, what: str) -> bytes:
        left = len(self.data) - self.index
        if size > left:
            raise DecodeError(f"data too short for {what}: Expected {size}, given {left}")
        self.index += size
        return self.data[self.index - size : self.index]

    def number(self, of: sats.Int) -> int:
        return int.from_bytes(self.take(of.size, of.name), "little", signed=of.signed)

    def slice(self) -> bytes:
        """Bytes after their number."""
        return self.take(self.number(sats.U32), "[u8]")


def decode(of: Type, reader: Reader) -> Any:
    """The next value of a type. Raises DecodeError or TooMany."""
    match of:
        case sats.Array(item):
            return list(_decode_items(item, reader))
        case sats.Option(item):
            return decode(item, reader) if _tag(reader, 2, "<unknown>") == 0 else None
        case sats.Product():
            return {name: decode(field, reader) for name, field in of.fields.items()}
        case sats.Sum():
            name = of.names[_tag(reader, len(of.names), of.name)]
            return name, decode(of.variants[name], reader)
        case _:
            return _decode_scalar(of, reader)


def _decode_items(item: Type, reader: Reader) -> Iterator[Any]:
    for _ in range(reader.number(sats.U32)):
        reader.count()
        yield decode(item, reader)


def _decode_scalar(of: Scalar, reader: Reader) -> Any:
    match of:
        case sats.Int():
            return reader.number(of)
        case sats.Flag():
            value = reader.number(sats.U8)
            if value >= of.count:
                raise DecodeError(of.unknown(value))
            return value
        case sats.String():
            try:
                return reader.slice().decode()
            except UnicodeDecodeError:
                raise DecodeError("invalid utf8") from None
        case sats.Bytes():
            return reader.slice()


def _tag(reader: Reader, count: int, sum_name: str) -> int:
    tag = reader.number(sats.U8)
    if tag >= count:
        raise DecodeError(f"unknown tag {tag:#x} for sum type {sum_name}")
    return tag


def encode(of: Type, value: Any) -> bytes:
    """A value of a type."""
    match of:
        case sats.Array(item):
            return _length(value) + b"".join(encode(item, each) for each in value)
        case sats.Option(item):
            return b"\x01" if value is None else b"\x00" + encode(item, value)
        case sats.Product():
            return b"".join(encode(field, value[name]) for name, field in of.fields.items())
        case sats.Sum():
            name, content = value
            return bytes([of.names.index(name)]) + encode(of.variants[name], content)
        case _:
            return _encode_scalar(of, value)


def _encode_scalar(of: Scalar, value: Any) -> bytes:
    match of:
        case sats.Int():
            number: bytes = value.to_bytes(of.size, "little", signed=of.signed)
            return number
        case sats.Flag():
            return bytes([value])
        case sats.String():
            text: bytes = value.encode()
            return _length(text) + text
        case sats.Bytes():
            return _length(value) + bytes(value)


def _length(of: Sized) -> bytes:
    return len(of).to_bytes(sats.U32.size, "little")
