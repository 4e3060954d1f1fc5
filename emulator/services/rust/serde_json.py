"""The parser of serde_json 1.0.145, with its error texts and positions (src/de.rs and src/read.rs)."""

import re
from math import isinf

import msgspec

EOF_LIST = "EOF while parsing a list"
EOF_OBJECT = "EOF while parsing an object"
EOF_STRING = "EOF while parsing a string"
EOF_VALUE = "EOF while parsing a value"
EXPECTED_COLON = "expected `:`"
EXPECTED_LIST_COMMA_OR_END = "expected `,` or `]`"
EXPECTED_OBJECT_COMMA_OR_END = "expected `,` or `}`"
EXPECTED_IDENT = "expected ident"
EXPECTED_VALUE = "expected value"
INVALID_ESCAPE = "invalid escape"
INVALID_NUMBER = "invalid number"
NUMBER_OUT_OF_RANGE = "number out of range"
INVALID_UNICODE = "invalid unicode code point"
CONTROL_CHARACTER = "control character (\\u0000-\\u001F) found while parsing a string"
KEY_MUST_BE_A_STRING = "key must be a string"
LONE_SURROGATE = "lone leading surrogate in hex escape"
TRAILING_COMMA = "trailing comma"
TRAILING_CHARACTERS = "trailing characters"
UNEXPECTED_END_OF_ESCAPE = "unexpected end of hex escape"
RECURSION_LIMIT = "recursion limit exceeded"

_MAX_DEPTH = 128
_LONGEST_INTEGER = len("18446744073709551615")
_SPACE = re.compile(rb"[ \n\t\r]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_DIGITS = re.compile(rb"[0-9]*")
_HEX4 = re.compile(rb"[0-9a-fA-F]{4}")
_SIMPLE_ESCAPES = dict(zip(b'"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))
IDENTS = {ord("n"): (b"ull", None), ord("t"): (b"rue", True), ord("f"): (b"alse", False)}

QUOTE, _BACKSLASH, COMMA, _COLON = b'"\\,:'
OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP, _MINUS, _DOT, _ZERO = b"[]{}-.0"
_DIGIT, _EXPONENT, _SIGNS = frozenset(b"0123456789"), frozenset(b"eE"), frozenset(b"+-")
NUMBER_START = _DIGIT | {_MINUS}


class JsonError(Exception):
    """`message` at `line` and `column` (bytes, from 1); `data` is true for a wrong type, false for wrong syntax.

    `path` holds the keys and indices of the value in which it happened, as serde_path_to_error collects them.
    """

    def __init__(self, message: str, line: int, column: int, *, data: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.data = data
        self.path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return f"{self.message} at line {self.line} column {self.column}"

    @property
    def dotted_path(self) -> str:
        """`creator.name[0]`, empty at the top."""
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return steps.removeprefix(".")


class Reader:
    """Bytes and the position in them; a byte of None is the end of input.

    With `arbitrary_precision`, serde_json's feature, numbers of unknown type keep their text.
    """

    __slots__ = ("arbitrary_precision", "data", "depth", "index")

    def __init__(self, data: bytes, *, arbitrary_precision: bool = False) -> None:
        self.data = data
        self.arbitrary_precision = arbitrary_precision
        self.index = 0
        self.depth = _MAX_DEPTH

    def error(self, message: str, *, data: bool = False) -> JsonError:
        """At the last byte read."""
        return self._error_at(self.index, message, data=data)

    def peek_error(self, message: str) -> JsonError:
        """At the byte that comes next."""
        return self._error_at(min(len(self.data), self.index + 1), message, data=False)

    def _error_at(self, index: int, message: str, *, data: bool) -> JsonError:
        line_start = self.data.rfind(b"\n", 0, index) + 1
        return JsonError(message, self.data.count(b"\n", 0, index) + 1, index - line_start, data=data)

    def peek(self) -> int | None:
        return self.data[self.index] if self.index < len(self.data) else None

    def next(self) -> int | None:
        byte = self.peek()
        if byte is not None:
            self.index += 1
        return byte

    def skip_space(self) -> int | None:
        """Skip whitespace; the next byte, which is not read."""
        self._take(_SPACE)
        return self.peek()

    def value_start(self) -> int:
        byte = self.skip_space()
        if byte is None:
            raise self.peek_error(EOF_VALUE)
        return byte

    def ident(self) -> bool | None:
        """`null`, `true` or `false`, by its first letter."""
        rest, value = IDENTS[self.data[self.index]]
        self.index += 1
        for expected in rest:
            byte = self.next()
            if byte is None:
                raise self.error(EOF_VALUE)
            if byte != expected:
                raise self.error(EXPECTED_IDENT)
        return value

    def string(self) -> str:
        """The rest of a string whose opening quote was read."""
        parts = [self._take(_PLAIN)]
        while self._at_escape():
            parts += [self._escape().encode(), self._take(_PLAIN)]
        return self._utf8(b"".join(parts))

    def skip_string(self) -> None:
        """As `string`, but UTF-8 and surrogate pairs are not checked, and a control character is not read."""
        self._take(_PLAIN)
        while self._at_escape(skipped=True):
            self._escape_letter()
            self._take(_PLAIN)

    def _at_escape(self, *, skipped: bool = False) -> bool:
        """Read the byte that ends a run of plain ones: true for a backslash, false for the closing quote.

        A control character is read too, but not in a string that is skipped (ignore_str in src/read.rs).
        """
        byte = self.peek() if skipped else self.next()
        if byte not in (QUOTE, _BACKSLASH):
            raise self.error(EOF_STRING if byte is None else CONTROL_CHARACTER)
        self.index += skipped
        return byte == _BACKSLASH

    def _take(self, run: re.Pattern[bytes]) -> bytes:
        """Read the bytes that a pattern matches, possibly none."""
        match = run.match(self.data, self.index)
        assert match
        self.index = match.end()
        return match.group()

    def _utf8(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise self.error(INVALID_UNICODE) from None

    def _escape(self) -> str:
        unit = self._escape_letter()
        if isinstance(unit, str):
            return unit
        if 0xDC00 <= unit <= 0xDFFF:
            raise self.error(LONE_SURROGATE)
        if not 0xD800 <= unit <= 0xDBFF:
            return chr(unit)
        for expected in b"\\u":
            byte = self.next()
            if byte != expected:
                raise self.error(EOF_STRING if byte is None else UNEXPECTED_END_OF_ESCAPE)
        low = self._hex4()
        if not 0xDC00 <= low <= 0xDFFF:
            raise self.error(LONE_SURROGATE)
        return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))

    def _escape_letter(self) -> str | int:
        """Read what follows a backslash: a character, or the UTF-16 unit of a `\\u` escape."""
        byte = self.next()
        if byte is None:
            raise self.error(EOF_STRING)
        if byte == ord("u"):
            return self._hex4()
        if byte not in _SIMPLE_ESCAPES:
            raise self.error(INVALID_ESCAPE)
        return _SIMPLE_ESCAPES[byte]

    def _hex4(self) -> int:
        digits = self.data[self.index : self.index + 4]
        self.index += len(digits)
        if len(digits) < 4:
            raise self.error(EOF_STRING)
        if not _HEX4.fullmatch(digits):
            raise self.error(INVALID_ESCAPE)
        return int(digits, 16)

    def number(self) -> int | float:
        """An integer, or a float when it has a fraction or an exponent, is -0, or does not fit 64 bits."""
        text, integer = self._number()
        if integer is not None and text != b"-0":
            return integer
        value = float(text)
        if isinf(value):
            raise self.error(NUMBER_OUT_OF_RANGE)
        return value

    def any_number(self) -> int | float | msgspec.Raw:
        """A number where any type is due: its text when there is `arbitrary_precision` and it is no integer."""
        if not self.arbitrary_precision:
            return self.number()
        text, integer = self._number()
        return msgspec.Raw(text) if integer is None else integer

    def _number(self) -> tuple[bytes, int | None]:
        """The text, and its value when it is an integer of 64 bits."""
        start = self.index
        exact = self._read_number(EOF_VALUE)
        text = self.data[start : self.index]
        if not exact or len(text) > _LONGEST_INTEGER:
            return text, None
        integer = int(text)
        return text, integer if -(2**63) <= integer < 2**64 else None

    def skip_number(self) -> None:
        self._read_number(INVALID_NUMBER)

    def _read_number(self, at_end: str) -> bool:
        """Read a number; true if it has neither fraction nor exponent."""
        self._integer_part(at_end)
        fraction = self._fraction(at_end)
        return not self._exponent(at_end) and not fraction

    def _integer_part(self, at_end: str) -> None:
        if self.peek() == _MINUS:
            self.index += 1
        byte = self.next()
        if byte is None:
            raise self.error(at_end)
        if byte not in _DIGIT:
            raise self.error(INVALID_NUMBER)
        if byte == _ZERO and self.peek() in _DIGIT:
            raise self.peek_error(INVALID_NUMBER)
        if byte != _ZERO:
            self._take(_DIGITS)

    def _fraction(self, at_end: str) -> bool:
        """True if there is one, which is read."""
        if self.peek() != _DOT:
            return False
        self.index += 1
        if self.peek() not in _DIGIT:
            raise self.peek_error(at_end if self.peek() is None else INVALID_NUMBER)
        self._take(_DIGITS)
        return True

    def _exponent(self, at_end: str) -> bool:
        """True if there is one, which is read."""
        if self.peek() not in _EXPONENT:
            return False
        self.index += 1
        if self.peek() in _SIGNS:
            self.index += 1
        if self.peek() not in _DIGIT:
            raise self.error(at_end if self.next() is None else INVALID_NUMBER)
        self._take(_DIGITS)
        return True

    def enter(self) -> None:
        """Read the opening bracket of a list or an object."""
        self.depth -= 1
        if self.depth == 0:
            raise self.peek_error(RECURSION_LIMIT)
        self.index += 1

    def has_element(self, *, first: bool) -> bool:
        byte = self.skip_space()
        if byte is None:
            raise self.peek_error(EOF_LIST)
        if byte == CLOSE_LIST or first:
            return byte != CLOSE_LIST
        if byte != COMMA:
            raise self.peek_error(EXPECTED_LIST_COMMA_OR_END)
        self.index += 1
        byte = self.value_start()
        if byte == CLOSE_LIST:
            raise self.peek_error(TRAILING_COMMA)
        return True

    def key(self, *, first: bool) -> str | None:
        """The next key of an object, None at its end."""
        byte = self.skip_space()
        if byte is None:
            raise self.peek_error(EOF_OBJECT)
        if byte == CLOSE_MAP:
            return None
        if byte == COMMA and not first:
            self.index += 1
            if self.value_start() == CLOSE_MAP:
                raise self.peek_error(TRAILING_COMMA)
        elif not first:
            raise self.peek_error(EXPECTED_OBJECT_COMMA_OR_END)
        if self.peek() != QUOTE:
            raise self.peek_error(KEY_MUST_BE_A_STRING)
        self.index += 1
        return self.string()

    def colon(self) -> None:
        byte = self.skip_space()
        if byte != _COLON:
            raise self.peek_error(EOF_OBJECT if byte is None else EXPECTED_COLON)
        self.index += 1

    def end_list(self) -> None:
        self.depth += 1
        byte = self.skip_space()
        if byte == COMMA:
            self.index += 1
            raise self.peek_error(TRAILING_COMMA if self.skip_space() == CLOSE_LIST else TRAILING_CHARACTERS)
        if byte != CLOSE_LIST:
            raise self.peek_error(EOF_LIST if byte is None else TRAILING_CHARACTERS)
        self.index += 1

    def end_map(self) -> None:
        self.depth += 1
        byte = self.skip_space()
        if byte == COMMA:
            raise self.peek_error(TRAILING_COMMA)
        if byte != CLOSE_MAP:
            raise self.peek_error(EOF_OBJECT if byte is None else TRAILING_CHARACTERS)
        self.index += 1
