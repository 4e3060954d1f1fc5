"""SpacetimeDB's JSON of its types (crates/sats/src/de/serde.rs and ser/serde.rs of v2.8.3), with its error texts.

The types are read through serde: a product may be a list of its fields, a sum a list of variant and content, and a
variant the number of its tag.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from emulator.services.rust import serde, serde_json
from emulator.services.rust.debug_format import debug
from emulator.services.rust.serde import Shape, Unplaced
from emulator.services.rust.serde_json import Reader
from emulator.services.spacetimedb.websocket import sats
from emulator.services.spacetimedb.websocket.sats import Type

# --- reading ----------------------------------------------------------------------------------------------------------

_ONE_FIELD = "expected map representing sum type to have exactly one field"
_TWO_FIELDS = "expected seq representing sum type to have exactly two fields"
_BYTES = "a byte array or hex string"
_VARIANT = "variant identifier (string or int)"
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_TAG = re.compile(r"\+?0*[0-9]{1,3}")
_LONG, _MOST_ESCAPES = 4 * 1024 * 1024, 200_000
"""A longer text with more of what is read character by character is not read. The real server reads it."""

_NUMBER = "$serde_json::private::Number"
"""The only key of a number that keeps its text, where a value of any type is due (`arbitrary_precision`)."""


def decode(shape: Shape, text: str, *, arbitrary_precision: bool = False) -> Any:
    """A value of a shape. Raises JsonError with the real server's text, or TooMany."""
    if len(text) > _LONG and (not text.isascii() or text.count("\\") > _MOST_ESCAPES):
        raise sats.TooMany
    data = text.encode("utf-8", "surrogatepass")
    return serde.parse(data, shape, arbitrary_precision=arbitrary_precision)


def shape(of: Type) -> Shape:
    """How a type is read."""
    match of:
        case sats.Int():
            return serde.integer(of.name, of.lowest, of.highest)
        case sats.Flag():
            return _flag(of)
        case sats.String():
            return serde.string
        case sats.Bytes():
            return _bytes
        case sats.Array(item):
            return _array(shape(item))
        case sats.Option(item):
            return _sum(sats.Sum("", {"some": item, "none": sats.UNIT}))
        case sats.Product():
            return _product(of)
        case sats.Sum():
            return _sum(of)


def _flag(of: sats.Flag) -> Shape:
    def read(reader: Reader) -> int:
        value: int = serde.u8(reader)
        if value >= of.count:
            raise Unplaced(of.unknown(value))
        return value

    return read


def _array(item: Shape) -> Shape:
    def read(reader: Reader) -> list[Any]:
        found: list[Any] = serde.list_of(_counted(item), "a vec")(reader)
        return found

    return read


def _counted(item: Shape) -> Shape:
    """The items of one list, which raise TooMany when they are more than MOST_ITEMS."""
    numbers = iter(range(sats.MOST_ITEMS))

    def read(reader: Reader) -> Any:
        if next(numbers, None) is None:
            raise sats.TooMany
        return item(reader)

    return read


class _Visitor:
    """What becomes of a value of any type. By default it is an error."""

    expected = ""

    def wrong(self, found: str) -> Unplaced:
        return Unplaced(f"invalid type: {found}, expected {self.expected}")

    def list(self, reader: Reader) -> Any:
        raise self.wrong("sequence")

    def map(self, reader: Reader) -> Any:
        raise self.wrong("map")

    def number_as_map(self) -> Any:
        raise self.wrong("map")

    def scalar(self, value: Any) -> Any:
        raise self.wrong(serde.unexpected(value))


def _visit(reader: Reader, visitor: _Visitor) -> Any:
    """serde_json's `deserialize_any`."""
    byte = reader.value_start()
    if byte == serde_json.OPEN_LIST:
        return serde.placed(reader, lambda: visitor.list(reader), reader.end_list)
    if byte == serde_json.OPEN_MAP:
        return serde.placed(reader, lambda: visitor.map(reader), reader.end_map)
    value = serde.anything(reader)
    try:
        return visitor.number_as_map() if isinstance(value, msgspec.Raw) else visitor.scalar(value)
    except Unplaced as wrong:
        raise reader.error(str(wrong), data=True) from None


class _Bytes(_Visitor):
    expected = _BYTES

    def list(self, reader: Reader) -> bytes:
        found, byte = bytearray(), _counted(serde.u8)
        while reader.has_element(first=not found):
            found.append(byte(reader))
        return bytes(found)

    def scalar(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise self.wrong(serde.unexpected(value))
        if not _HEX.fullmatch(value):
            raise Unplaced(f"invalid value: string {debug(value)}, expected {_BYTES}")
        return bytes.fromhex(value)


def _bytes(reader: Reader) -> bytes:
    found: bytes = _visit(reader, _Bytes())
    return found


def _product(of: sats.Product) -> Shape:
    visitor = _Product(of)
    return lambda reader: _visit(reader, visitor)


class _Product(_Visitor):
    def __init__(self, of: sats.Product) -> None:
        self.expected = f"a {of.name} tuple"
        self._name = of.name
        self._shapes = {name: shape(field) for name, field in of.fields.items()}

    def list(self, reader: Reader) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, read in self._shapes.items():
            if not reader.has_element(first=not found):
                count = len(self._shapes)
                raise Unplaced(f"invalid length {len(found)}, expected product type {self._name} with {count} elements")
            found[name] = read(reader)
        return found

    def map(self, reader: Reader) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while (key := reader.key(first=not found)) is not None:
            read = self._field(key)
            if key in found:
                raise Unplaced(f"duplicate field `{key}`")
            reader.colon()
            found[key] = read(reader)
        for name in self._shapes:
            if name not in found:
                raise Unplaced(f"missing field `{name}`")
        return found

    def number_as_map(self) -> Any:
        return self._field(_NUMBER)

    def _field(self, key: str) -> Shape:
        if key not in self._shapes:
            raise Unplaced(f"unknown field `{key}`, expected {_one_of(self._shapes)}")
        return self._shapes[key]


def _sum(of: sats.Sum) -> Shape:
    visitor = _Sum(of)
    return lambda reader: _visit(reader, visitor)


class _Sum(_Visitor):
    def __init__(self, of: sats.Sum) -> None:
        self.expected = f"sum type {of.name}"
        self._name = of.name
        self._shapes = {name: shape(content) for name, content in of.variants.items()}
        self._names = tuple(self._shapes)

    def list(self, reader: Reader) -> sats.Variant:
        variant = _Variant(self.tagged, self.named)
        if not reader.has_element(first=True):
            raise Unplaced(_TWO_FIELDS)
        name: str = _visit(reader, variant)
        if not reader.has_element(first=False):
            raise Unplaced(_TWO_FIELDS)
        return name, self._shapes[name](reader)

    def map(self, reader: Reader) -> sats.Variant:
        key = reader.key(first=True)
        if key is None:
            raise Unplaced(_ONE_FIELD)
        name = self.named(key)
        reader.colon()
        return name, self._shapes[name](reader)

    def number_as_map(self) -> Any:
        return self.named(_NUMBER)

    def named(self, name: str) -> str:
        """The variant with a name, or with the tag that the name says."""
        if _TAG.fullmatch(name) and int(name) <= sats.U8.highest:
            return self.tagged(int(name))
        if name not in self._shapes:
            raise Unplaced(f"unknown variant `{name}`, expected {_one_of(self._names)}")
        return name

    def tagged(self, tag: int) -> str:
        if tag >= len(self._names):
            raise Unplaced(f"unknown tag {tag:#x} for sum type {self._name}")
        return self._names[tag]


class _Variant(_Visitor):
    expected = _VARIANT

    def __init__(self, tagged: Callable[[int], str], named: Callable[[str], str]) -> None:
        self._tagged, self._named = tagged, named

    def scalar(self, value: Any) -> str:
        if isinstance(value, str):
            return self._named(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.wrong(serde.unexpected(value))
        if value > sats.U8.highest:
            raise Unplaced(f"invalid value: {serde.unexpected(value)}, expected a u8 tag")
        return self._tagged(value)


def _one_of(names: Iterable[str]) -> str:
    """As the server joins names, commas first (`one_of_names` in crates/sats/src/de.rs)."""
    first, *rest = (f"`{name}`" for name in names)
    if not rest:
        return first
    return f", {first}{'one of ' if len(rest) > 1 else ''}{', '.join(rest)}"


# --- writing ----------------------------------------------------------------------------------------------------------


def encode(of: Type, value: Any) -> str:
    return msgspec.json.encode(_plain(of, value)).decode()


def _plain(of: Type, value: Any) -> Any:
    match of:
        case sats.Int():
            return _number(of, value)
        case sats.Bytes():
            return value.hex()
        case sats.Array(item):
            return [_plain(item, each) for each in value]
        case sats.Option(item):
            return {"none": []} if value is None else {"some": _plain(item, value)}
        case sats.Product():
            return {name: _plain(field, value[name]) for name, field in of.fields.items()} if of.fields else []
        case sats.Sum():
            name, content = value
            return {name: _plain(of.variants[name], content)}
        case _:
            return value


def _number(of: sats.Int, value: int) -> Any:
    if of.size <= sats.U64.size:
        return value
    return f"{value:#066x}" if of.size == sats.U256.size else msgspec.Raw(b"%d" % value)
