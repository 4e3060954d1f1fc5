from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.services.rust.base64url import Base64Error, decode, decode_valid, encode


@given(st.binary())
def test_what_was_encoded_is_decoded(data: bytes) -> None:
    assert decode(encode(data)) == decode_valid(encode(data)) == data


@given(st.text(alphabet="AZaz09-_=+/. é", max_size=12))
def test_the_quick_way_takes_nothing_the_careful_way_refuses(text: str) -> None:
    quick = decode_valid(text)

    if quick is not None:
        assert decode(text) == quick
    else:
        with pytest.raises(Base64Error):
            decode(text)


@given(st.binary(min_size=1), st.integers(0))
def test_a_strange_byte_before_the_last_group_is_named_with_its_place(data: bytes, place: int) -> None:
    text = urlsafe_b64encode(data).decode().rstrip("=")
    last_group = len(text) - (len(text) % 4 or 4)
    if last_group == 0:
        return
    place %= last_group
    spoiled = f"{text[:place]}*{text[place + 1 :]}"

    with pytest.raises(Base64Error) as caught:
        decode(spoiled)

    assert str(caught.value) == f"Invalid symbol 42, offset {place}."


@pytest.mark.parametrize(
    ("text", "display", "debug"),
    [
        ("a", "Invalid input length: 1", "InvalidLength(1)"),
        ("ab=", "Invalid padding", "InvalidPadding"),
        ("a=b", "Invalid symbol 61, offset 1.", "InvalidByte(1, 61)"),
        ("ab=c", "Invalid symbol 61, offset 2.", "InvalidByte(2, 61)"),
        ("ab", "Invalid last symbol 98, offset 1.", "InvalidLastSymbol(1, 98)"),
        ("****", "Invalid symbol 42, offset 0.", "InvalidByte(0, 42)"),
        ("AAAA!", "Invalid symbol 33, offset 4.", "InvalidByte(4, 33)"),
        ("AAAA=", "Invalid symbol 61, offset 4.", "InvalidByte(4, 61)"),
        ("é", "Invalid symbol 195, offset 0.", "InvalidByte(0, 195)"),
    ],
)
def test_each_fault_has_the_words_of_the_rust_crate(text: str, display: str, debug: str) -> None:
    with pytest.raises(Base64Error) as caught:
        decode(text)

    assert (caught.value.display, caught.value.debug) == (display, debug)
