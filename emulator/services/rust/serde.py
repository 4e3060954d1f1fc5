"""serde: typed values from a `Reader`, with serde's errors.

A `Shape` reads one value of a type and leaves the reader at the byte where serde_json would be. A syntax error has a
position; a type error without one (`Unplaced`) gets that of the next enclosing value (`fix_position` in serde_json's
src/de.rs).
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn, TypeVar

import msgspec

from emulator.services.rust import serde_json
from emulator.services.rust.debug_format import debug
from emulator.services.rust.serde_json import JsonError, Reader

T = TypeVar("T")

Shape = Callable[[Reader], Any]


class Unplaced(Exception):
    """A type error that has no position yet."""


def wrong_type(reader: Reader, expected: str, number: str = "number") -> NoReturn:
    """Raise serde's error for a value of a wrong type: after a scalar, but before a bracket.

    `number` is what one that kept its text is called; a visitor of any type sees a map.
    """
    byte = reader.peek()
    if byte in (serde_json.OPEN_LIST, serde_json.OPEN_MAP):
        found = "sequence" if byte == serde_json.OPEN_LIST else "map"
    else:
        value = anything(reader)
        found = number if isinstance(value, msgspec.Raw) else unexpected(value)
    raise reader.error(f"invalid type: {found}, expected {expected}", data=True)


def unexpected(value: Any) -> str:
    """serde's `Unexpected` (`serde::de`): the kind of a value and, for scalars, the value."""
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean `{str(value).lower()}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{_float(value)}`"
        case str():
            return f"string {debug(value)}"
        case list():
            return "sequence"
        case _:
            return "map"


def _float(value: float) -> str:
    """As the crate ryu prints it: the digits of Python's repr, but another form of exponents."""
    digits, _, exponent = repr(value).partition("e")
    if not exponent:
        return digits
    if int(exponent) != -5:
        return f"{digits}e{int(exponent)}"
    sign = "-" if value < 0 else ""
    return f"{sign}0.0000{digits.lstrip('-').replace('.', '')}"


def string(reader: Reader) -> str:
    if reader.value_start() != serde_json.QUOTE:
        wrong_type(reader, "a string")
    reader.index += 1
    return reader.string()


def integer(name: str, low: int, high: int) -> Shape:
    """A number type of Rust, from `low` to `high`."""

    def read(reader: Reader) -> int:
        if reader.value_start() not in serde_json.NUMBER_START:
            wrong_type(reader, name)
        value = reader.number()
        if isinstance(value, float):
            raise reader.error(f"invalid type: {unexpected(value)}, expected {name}", data=True)
        if not low <= value <= high:
            raise reader.error(f"invalid value: {unexpected(value)}, expected {name}", data=True)
        return value

    return read


i64 = integer("i64", -(2**63), 2**63 - 1)
u8 = integer("u8", 0, 255)


def anything(reader: Reader) -> Any:
    """`serde_json::Value`."""
    byte = reader.value_start()
    if byte == serde_json.QUOTE:
        reader.index += 1
        return reader.string()
    if byte in serde_json.NUMBER_START:
        return reader.any_number()
    if byte in serde_json.IDENTS:
        return reader.ident()
    if byte == serde_json.OPEN_LIST:
        return list_of(anything)(reader)
    if byte == serde_json.OPEN_MAP:
        return _map_of_anything(reader)
    raise reader.peek_error(serde_json.EXPECTED_VALUE)


def _map_of_anything(reader: Reader) -> dict[str, Any]:
    reader.enter()
    entries: dict[str, Any] = {}
    while (key := reader.key(first=not entries)) is not None:
        reader.colon()
        entries[key] = anything(reader)
    reader.end_map()
    return entries


def ignored(reader: Reader) -> None:
    """`IgnoredAny`, for unknown keys. serde_json has no depth limit here, so this does not recurse."""
    brackets: list[int] = []
    while True:
        byte = reader.value_start()
        if byte in (serde_json.OPEN_LIST, serde_json.OPEN_MAP):
            reader.index += 1
            brackets.append(byte)
            more = _ignored_more(reader, brackets, after_value=False)
        else:
            _ignored_scalar(reader, byte)
            more = _ignored_more(reader, brackets, after_value=True)
        if not more:
            return
        if brackets[-1] == serde_json.OPEN_MAP:
            _ignored_key(reader)


def _ignored_scalar(reader: Reader, byte: int) -> None:
    if byte == serde_json.QUOTE:
        reader.index += 1
        reader.skip_string()
    elif byte in serde_json.NUMBER_START:
        reader.skip_number()
    elif byte in serde_json.IDENTS:
        reader.ident()
    else:
        raise reader.peek_error(serde_json.EXPECTED_VALUE)


def _ignored_more(reader: Reader, brackets: list[int], *, after_value: bool) -> bool:
    """Read closing brackets and a comma; True when another value follows in the innermost bracket."""
    while brackets:
        in_list = brackets[-1] == serde_json.OPEN_LIST
        byte = reader.skip_space()
        if byte is None:
            raise reader.peek_error(serde_json.EOF_LIST if in_list else serde_json.EOF_OBJECT)
        if byte == (serde_json.CLOSE_LIST if in_list else serde_json.CLOSE_MAP):
            reader.index += 1
            brackets.pop()
            after_value = True
        elif not after_value:
            return True
        elif byte == serde_json.COMMA:
            reader.index += 1
            return True
        else:
            raise reader.peek_error(
                serde_json.EXPECTED_LIST_COMMA_OR_END if in_list else serde_json.EXPECTED_OBJECT_COMMA_OR_END
            )
    return False


def _ignored_key(reader: Reader) -> None:
    byte = reader.skip_space()
    if byte != serde_json.QUOTE:
        raise reader.peek_error(serde_json.EOF_OBJECT if byte is None else serde_json.KEY_MUST_BE_A_STRING)
    reader.index += 1
    reader.skip_string()
    reader.colon()


def optional(shape: Shape) -> Shape:
    """`Option<T>`: null is None."""

    def read(reader: Reader) -> Any:
        if reader.skip_space() == b"n"[0]:
            return reader.ident()
        return shape(reader)

    return read


def list_of(shape: Shape, expected: str = "a sequence") -> Shape:
    def read(reader: Reader) -> list[Any]:
        if reader.value_start() != serde_json.OPEN_LIST:
            wrong_type(reader, expected)
        reader.enter()
        items: list[Any] = []
        while reader.has_element(first=not items):
            items.append(_at(len(items), shape, reader))
        reader.end_list()
        return items

    return read


def unit_enum(*variants: str) -> Shape:
    """An enum without data: a string, or `{"Variant": null}`."""

    def variant(reader: Reader) -> str:
        if reader.value_start() != serde_json.QUOTE:
            wrong_type(reader, "variant identifier")
        reader.index += 1
        found = reader.string()
        if found not in variants:
            wanted = ", ".join(f"`{name}`" for name in variants)
            raise reader.error(f"unknown variant `{found}`, expected one of {wanted}", data=True)
        return found

    def read(reader: Reader) -> str:
        byte = reader.value_start()
        if byte == serde_json.QUOTE:
            return variant(reader)
        if byte != serde_json.OPEN_MAP:
            raise reader.peek_error(serde_json.EXPECTED_VALUE)
        reader.enter()
        found = variant(reader)
        reader.colon()
        if reader.value_start() != b"n"[0]:
            wrong_type(reader, "unit")
        reader.ident()
        reader.depth += 1
        end = reader.skip_space()
        if end != serde_json.CLOSE_MAP:
            raise reader.error(serde_json.EOF_OBJECT if end is None else serde_json.EXPECTED_VALUE)
        reader.index += 1
        return found

    return read


class Field(NamedTuple):
    shape: Shape
    required: bool = False


def struct(name: str, fields: Mapping[str, Field], *, rest: Shape = ignored, from_list: bool = True) -> Shape:
    """A struct: its fields by name, `rest` for every other key.

    One with `#[serde(flatten)]` keeps the rest (`rest=anything`) and can't be made from a list (`from_list=False`).
    The result is a dict of the keys in the text, in their order.
    """

    def read(reader: Reader) -> dict[str, Any]:
        byte = reader.value_start()
        if byte == serde_json.OPEN_LIST and from_list:
            return placed(reader, lambda: _struct_from_list(reader, name, fields), reader.end_list)
        if byte != serde_json.OPEN_MAP:
            wrong_type(reader, f"struct {name}")
        return placed(reader, lambda: _struct_from_map(reader, fields, rest), reader.end_map)

    return read


def placed(reader: Reader, visit: Callable[[], T], end: Callable[[], None]) -> T:
    """What `visit` finds in brackets. serde_json reads the closing one before it gives a type error its position."""
    reader.enter()
    try:
        found = visit()
    except Unplaced as wrong:
        with suppress(JsonError):
            end()
        raise reader.error(str(wrong), data=True) from None
    end()
    return found


def _struct_from_map(reader: Reader, fields: Mapping[str, Field], rest: Shape) -> dict[str, Any]:
    found: dict[str, Any] = {}
    first = True
    while (key := reader.key(first=first)) is not None:
        first = False
        if key in fields and key in found:
            raise Unplaced(f"duplicate field `{key}`")
        reader.colon()
        found[key] = _at(key, fields[key].shape if key in fields else rest, reader)
    for key, field in fields.items():
        if field.required and key not in found:
            raise Unplaced(f"missing field `{key}`")
    return found


def _struct_from_list(reader: Reader, name: str, fields: Mapping[str, Field]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, field in fields.items():
        if not reader.has_element(first=not found):
            raise Unplaced(f"invalid length {len(found)}, expected struct {name} with {len(fields)} elements")
        found[key] = _at(len(found), field.shape, reader)
    return found


def _at(step: str | int, shape: Shape, reader: Reader) -> Any:
    try:
        return shape(reader)
    except JsonError as error:
        error.path = (step, *error.path)
        raise


def parse(data: bytes, shape: Shape, *, to_the_end: bool = True, arbitrary_precision: bool = False) -> Any:
    """One value of `shape` from `data`. With `to_the_end=False` anything may follow, as in axum before 0.8."""
    reader = Reader(data, arbitrary_precision=arbitrary_precision)
    value = shape(reader)
    if to_the_end and reader.skip_space() is not None:
        raise reader.peek_error(serde_json.TRAILING_CHARACTERS)
    return value
