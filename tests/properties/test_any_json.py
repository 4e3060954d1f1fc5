"""Any bytes and any value, read as serde_json reads them; Python's own parser says what JSON is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.services.rust.fast_json import plain_object
from emulator.services.rust.serde import anything, ignored, parse
from emulator.services.rust.serde_json import JsonError

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
nearly_json = st.text(alphabet='{}[]",:\\u0019 \n.eE+-truefalsn', max_size=24)


@given(values, st.booleans(), st.booleans())
def test_valid_json_comes_out_as_it_went_in(value: Any, ascii_only: bool, indented: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=1 if indented else None)

    assert parse(text.encode(), anything) == value


@given(st.binary(max_size=40) | nearly_json.map(str.encode))
def test_any_bytes_are_read_or_refused_at_a_place_inside_them(data: bytes) -> None:
    try:
        parse(data, anything)
    except JsonError as error:
        lines = data.split(b"\n")
        assert 1 <= error.line <= len(lines)
        assert 0 <= error.column <= len(lines[error.line - 1]) + 1


@given(nearly_json)
def test_it_agrees_with_pythons_parser_on_what_json_is(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=pytest.fail)
    except ValueError:
        with pytest.raises(JsonError):
            parse(text.encode(), anything)
        return
    if "\\u" in text and any(0xD800 <= ord(char) <= 0xDFFF for char in json.dumps(expected, ensure_ascii=False)):
        return  # Python lets lone surrogates through
    try:
        found = parse(text.encode(), anything)
    except JsonError as error:
        assert error.message == "number out of range"
    else:
        assert found == expected or _far_from_zero(expected)


def _far_from_zero(value: Any) -> bool:
    """Integers beyond 64 bits are floats in serde_json, also inside lists and objects."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return any(
        _far_from_zero(item) if isinstance(item, dict | list) else isinstance(item, int) and abs(item) >= 2**63
        for item in items
    )


@given(st.binary(max_size=40) | nearly_json.map(str.encode) | values.map(lambda value: json.dumps(value).encode()))
def test_an_ignored_value_is_refused_like_a_used_one_or_not_at_all(data: bytes) -> None:
    try:
        parse(data, ignored)
    except JsonError:
        with pytest.raises(JsonError):
            parse(data, anything)


@given(values.map(json.dumps).map(str.encode) | nearly_json.map(str.encode))
def test_the_quick_way_reads_what_the_careful_way_reads(data: bytes) -> None:
    quick = plain_object(data)

    if quick is not None:
        assert parse(data, anything) == quick
