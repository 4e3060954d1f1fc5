import pytest

from emulator.services.rust.debug_format import debug


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", '"plain"'),
        ("it's", '"it\'s"'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("\0\t\r\n", r'"\0\t\r\n"'),
        ("\x7f\x85\u200b", r'"\u{7f}\u{85}\u{200b}"'),
        ("e\u0301\u0e34", r'"e\u{301}\u{e34}"'),
        ("é😀", '"é😀"'),
        ("\u2028\ue000", r'"\u{2028}\u{e000}"'),
    ],
)
def test_a_string_is_shown_as_rust_shows_it(text: str, shown: str) -> None:
    assert debug(text) == shown
