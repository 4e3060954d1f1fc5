"""The crate base64 0.22.1, engine URL_SAFE_NO_PAD, with its errors (src/engine/general_purpose)."""

import binascii
from base64 import urlsafe_b64decode

_ALPHABET = {
    char: value for value, char in enumerate(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
}
_PAD = ord("=")
_TO_URL = bytes.maketrans(b"+/", b"-_")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


class Base64Error(Exception):
    """`display` is the error as `{}` prints it, `debug` as `{:?}` prints it."""

    def __init__(self, display: str, debug: str) -> None:
        super().__init__(display)
        self.display = display
        self.debug = debug


def encode(data: bytes) -> str:
    return _encoded(data).decode()


def _encoded(data: bytes) -> bytes:
    """Without the functions of the module base64, which are slower than the encoding itself."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL)


def decode(text: str) -> bytes:
    """The bytes of unpadded base64url `text`; raises Base64Error with the crate's texts."""
    data = text.encode("utf-8", "surrogateescape")
    error = _error(data)
    if error is not None:
        raise error
    return urlsafe_b64decode(data + b"=" * (-len(data) % 4))


def decode_valid(text: str) -> bytes | None:
    """A fast `decode`: the bytes of a valid `text`, None for any other."""
    try:
        raw = text.encode("ascii")
        data = binascii.a2b_base64(raw.translate(_TO_STANDARD) + b"=" * (-len(raw) % 4))
    except ValueError:
        return None
    return data if _encoded(data) == raw else None


def _error(data: bytes) -> Base64Error | None:
    odd = len(data) % 4
    if odd == 1 and data[-1] != _PAD and data[-1] not in _ALPHABET:
        return _invalid_byte(len(data) - 1, data)
    tail = len(data) - (odd or min(4, len(data)))
    for offset in range(tail):
        if data[offset] not in _ALPHABET:
            return _invalid_byte(offset, data)
    return _error_in_tail(tail, data)


def _error_in_tail(tail: int, data: bytes) -> Base64Error | None:
    symbols, first_pad = 0, None
    for offset in range(tail, len(data)):
        char = data[offset]
        if char == _PAD:
            if offset - tail < 2:
                return _invalid_byte(offset, data)
            first_pad = offset if first_pad is None else first_pad
        elif first_pad is not None:
            return _invalid_byte(first_pad, data)
        elif char not in _ALPHABET:
            return _invalid_byte(offset, data)
        else:
            symbols += 1
    if len(data) > tail and symbols < 2:
        return Base64Error(f"Invalid input length: {tail + symbols}", f"InvalidLength({tail + symbols})")
    if first_pad is not None:
        return Base64Error("Invalid padding", "InvalidPadding")
    last, unused = tail + symbols - 1, {2: 0b1111, 3: 0b11}.get(symbols, 0)
    if unused and _ALPHABET[data[last]] & unused:
        char = data[last]
        return Base64Error(f"Invalid last symbol {char}, offset {last}.", f"InvalidLastSymbol({last}, {char})")
    return None


def _invalid_byte(offset: int, data: bytes) -> Base64Error:
    char = data[offset]
    return Base64Error(f"Invalid symbol {char}, offset {offset}.", f"InvalidByte({offset}, {char})")
