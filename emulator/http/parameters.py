"""Path parameters and query strings, decoded as axum 0.7 decodes them."""

from urllib.parse import unquote_to_bytes


def path_text(escaped: str, name: str) -> str:
    """A path parameter, percent-decoded once. Raises ValueError with axum's text when it is not UTF-8."""
    if "%" not in escaped and escaped.isascii():
        return escaped
    try:
        return unquote_to_bytes(escaped).decode()
    except UnicodeDecodeError:
        raise ValueError(f"Invalid UTF-8 in `{name}`") from None


def query_pairs(query: str) -> list[tuple[str, str]]:
    """form_urlencoded: `+` is a space, bytes that are not UTF-8 become U+FFFD, a key without `=` has an empty value."""
    raw = query.encode("utf-8", "surrogateescape").replace(b"+", b" ")
    pairs = (pair.partition(b"=") for pair in raw.split(b"&") if pair)
    return [(_form_text(key), _form_text(value)) for key, _, value in pairs]


def _form_text(escaped: bytes) -> str:
    return unquote_to_bytes(escaped).decode("utf-8", "replace")


def query_field(query: str, name: str) -> str | None:
    """The value of `name`; None when it is missing or repeated (axum's `Query` fails on a repeated field)."""
    if name not in query and "%" not in query:
        return None
    values = [value for key, value in query_pairs(query) if key == name]
    return values[0] if len(values) == 1 else None


_MOST_DIGITS = 9


def whole_number(text: str) -> int:
    """A count in a query of a control route. Raises ValueError."""
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"expected a whole number, got {text[:60]!r}")
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"expected a whole number of at most {_MOST_DIGITS} digits, got {text[:60]!r}")
    return int(text)
