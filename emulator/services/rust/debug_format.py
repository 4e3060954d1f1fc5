"""Rust's Debug format of strings."""

import unicodedata

_SHORT = {"\0": "\\0", "\t": "\\t", "\r": "\\r", "\n": "\\n", '"': '\\"', "\\": "\\\\"}

# Other_Grapheme_Extend of PropList.txt: with the categories Mn and Me it is Grapheme_Extend, which Rust escapes
# (core::char::methods, escape_debug_ext).
_OTHER_EXTEND = frozenset(
    {0x9BE, 0x9D7, 0xB3E, 0xB57, 0xBBE, 0xBD7, 0xCC2, 0xCD5, 0xCD6, 0xD3E, 0xD57, 0xDCF, 0xDDF, 0x1B35, 0x302E, 0x302F}
    | {0xFF9E, 0xFF9F, 0x1133E, 0x11357, 0x114B0, 0x114BD, 0x115AF, 0x11930, 0x1D165, *range(0x1D16E, 0x1D173)}
)


def debug(text: str) -> str:
    """`text` in double quotes, as `format!("{text:?}")` prints it."""
    if text.isascii():
        return f'"{text.translate(_ASCII)}"'
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable() and not _extends(char):
        return char
    return f"\\u{{{ord(char):x}}}"


def _extends(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Me"} or ord(char) in _OTHER_EXTEND


_ASCII = {
    number: _escaped(chr(number)) for number in range(128) if not chr(number).isprintable() or chr(number) in _SHORT
}
