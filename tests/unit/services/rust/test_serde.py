"""serde_json's reader and serde's types, against sentences that were recorded."""

import math
from typing import Any

import pytest

from emulator.services.rust.fast_json import plain_object
from emulator.services.rust.serde import Field, Shape, anything, list_of, optional, parse, string, struct, unit_enum
from emulator.services.rust.serde_json import JsonError


def test_a_negative_zero_is_not_read_quickly() -> None:
    assert plain_object(b'{"a":-0}') is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("nope", "expected ident at line 1 column 2"),
        ("tru", "EOF while parsing a value at line 1 column 3"),
        ("[1", "EOF while parsing a list at line 1 column 2"),
        ("[1,]", "trailing comma at line 1 column 4"),
        ("[1 2]", "expected `,` or `]` at line 1 column 4"),
        ('{"a"', "EOF while parsing an object at line 1 column 4"),
        ('{"a":1,}', "trailing comma at line 1 column 8"),
        ('{"a":1 "b"', "expected `,` or `}` at line 1 column 8"),
        ('{"a" 1}', "expected `:` at line 1 column 6"),
        ("{a:1}", "key must be a string at line 1 column 2"),
        ('"a', "EOF while parsing a string at line 1 column 2"),
        ('"\n"', "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0"),
        ('"\\x"', "invalid escape at line 1 column 3"),
        ('"\\ud800"', "unexpected end of hex escape at line 1 column 8"),
        ('"\\udc00"', "lone leading surrogate in hex escape at line 1 column 7"),
        ("01", "invalid number at line 1 column 2"),
        ("1.", "EOF while parsing a value at line 1 column 2"),
        ("1.x", "invalid number at line 1 column 3"),
        ("1e", "EOF while parsing a value at line 1 column 2"),
        ("-", "EOF while parsing a value at line 1 column 1"),
        ("1e999", "number out of range at line 1 column 5"),
        ("1" * 5000, "number out of range at line 1 column 5000"),
        ("1 1", "trailing characters at line 1 column 3"),
        ("[" * 128, "recursion limit exceeded at line 1 column 128"),
        ("\n\n x", "expected value at line 3 column 2"),
    ],
)
def test_each_fault_of_the_text_has_serde_jsons_words(text: str, sentence: str) -> None:
    with pytest.raises(JsonError) as caught:
        parse(text.encode(), anything)

    assert str(caught.value) == sentence


PERSON = struct(
    "Person",
    {
        "name": Field(string, required=True),
        "role": Field(optional(unit_enum("Admin", "User"))),
        "tags": Field(optional(list_of(string))),
    },
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{}", "missing field `name` at line 1 column 2"),
        ('{ "name" :5}', "invalid type: integer `5`, expected a string at line 1 column 11"),
        ('{"name":[]}', "invalid type: sequence, expected a string at line 1 column 8"),
        ('{"name":{}}', "invalid type: map, expected a string at line 1 column 8"),
        ('{"name":1.5}', "invalid type: floating point `1.5`, expected a string at line 1 column 11"),
        ('{"name":1e25}', "invalid type: floating point `1e25`, expected a string at line 1 column 12"),
        ('{"name":0.00001}', "invalid type: floating point `0.00001`, expected a string at line 1 column 15"),
        ('{"name":null}', "invalid type: null, expected a string at line 1 column 12"),
        ('{"name":true}', "invalid type: boolean `true`, expected a string at line 1 column 12"),
        ('{"name":"a","name":"b"}', "duplicate field `name` at line 1 column 18"),
        ('{"name":"a","name" :"b"}', "duplicate field `name` at line 1 column 19"),
        ('{"role":"Boss"}', "unknown variant `Boss`, expected one of `Admin`, `User` at line 1 column 14"),
        ('{"role":5}', "expected value at line 1 column 9"),
        ("[]", "invalid length 0, expected struct Person with 3 elements at line 1 column 2"),
        ("null", "invalid type: null, expected struct Person at line 1 column 4"),
        ('{"other":[1,{"x":}]}', "expected value at line 1 column 18"),
        ('{"other":[1,]}', "expected value at line 1 column 13"),
    ],
)
def test_each_fault_of_a_type_has_serdes_words(text: str, sentence: str) -> None:
    with pytest.raises(JsonError) as caught:
        parse(text.encode(), PERSON)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"name":"a","other":{"deep":[1,"\\ud800"]}}', {"name": "a", "other": None}),
        ('{"name":"a","role":null}', {"name": "a", "role": None}),
        ('{"name":"a","role":{"User":null}}', {"name": "a", "role": "User"}),
        ('["a","User",["x"]]', {"name": "a", "role": "User", "tags": ["x"]}),
    ],
)
def test_a_struct_is_read_from_an_object_or_a_list(text: str, found: dict[str, Any]) -> None:
    assert parse(text.encode(), PERSON) == found


def test_an_ignored_value_may_be_nested_without_end() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000

    assert parse(b'{"name":"a","other":' + deep + b"}", PERSON)["name"] == "a"


def test_a_fault_knows_the_path_to_it() -> None:
    with pytest.raises(JsonError) as caught:
        parse(b'{"tags":["a",5]}', PERSON)

    assert caught.value.dotted_path == "tags[1]"


def test_negative_zero_is_a_float() -> None:
    assert math.copysign(1, parse(b"-0", anything)) == -1


@pytest.mark.parametrize(
    ("text", "read", "skipped"),
    [
        ('{"x":"a\tb"}', 8, 7),
        ('{"x":"\0"}', 7, 6),
        ('{"x":"\\n\x1f"}', 9, 8),
        ('{"x":{"a\tb":1}}', 9, 8),
        ('{"x":["a","b\t"]}', 13, 12),
    ],
)
def test_a_control_character_is_placed_a_column_earlier_in_a_string_that_is_skipped(
    text: str, read: int, skipped: int
) -> None:
    """parse_str_bytes and ignore_str in serde_json's src/read.rs."""
    assert column(text, anything) == read
    assert column(text, struct("Empty", {})) == skipped


def test_a_line_feed_in_a_string_that_is_skipped_is_placed_in_its_own_line() -> None:
    with pytest.raises(JsonError, match=r"control character .* at line 1 column 7"):
        parse(b'{"x":"a\nb"}', struct("Empty", {}))


def column(text: str, shape: Shape) -> int:
    with pytest.raises(JsonError, match="control character") as error:
        parse(text.encode(), shape)
    return error.value.column


LONG = "9" * 5000


@pytest.mark.parametrize("number", [LONG, f"-{LONG}", f"[{LONG}]", f"{LONG}.5", f"1e{LONG}"])
def test_a_number_of_thousands_of_digits_is_out_of_range(number: str) -> None:
    with pytest.raises(JsonError, match="number out of range"):
        parse(number.encode(), anything)


@pytest.mark.parametrize("number", [LONG, f"1.{LONG}", f"-{LONG}e-{LONG}"])
def test_with_arbitrary_precision_it_keeps_its_text(number: str) -> None:
    assert bytes(parse(number.encode(), anything, arbitrary_precision=True)) == number.encode()


@pytest.mark.parametrize(
    ("number", "value"), [("0", 0), ("-0", 0), ("18446744073709551615", 2**64 - 1), ("-9223372036854775808", -(2**63))]
)
def test_with_arbitrary_precision_an_integer_of_64_bits_is_an_integer(number: str, value: int) -> None:
    assert parse(number.encode(), anything, arbitrary_precision=True) == value
