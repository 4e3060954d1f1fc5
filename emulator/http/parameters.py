"""What axum makes of path parameters and query strings."""

from urllib.parse import unquote_to_bytes


def path_text(escaped: str, name: str) -> str:
    """A path parameter, percent-decoded once. Raises ValueError with axum's sentence when that is no UTF-8."""
    if "%" not in escaped and escaped.isascii():
        return escaped
    try:
        return unquote_to_bytes(escaped).decode()
    except UnicodeDecodeError:
        raise ValueError(f"Invalid UTF-8 in `{name}`") from None


def query_pairs(query: str) -> list[tuple[str, str]]:
    """form_urlencoded: `+` is a blank, escapes that are no UTF-8 are replaced, a key without `=` has an empty value."""
    raw = query.encode("utf-8", "surrogateescape").replace(b"+", b" ")
    pairs = (pair.partition(b"=") for pair in raw.split(b"&") if pair)
    return [(_form_text(key), _form_text(value)) for key, _, value in pairs]


def _form_text(escaped: bytes) -> str:
    return unquote_to_bytes(escaped).decode("utf-8", "replace")


def query_field(query: str, name: str) -> str | None:
    """The only value of `name`; None when it is missing or there twice, as for a failed `Query` extractor."""
    if name not in query and "%" not in query:
        return None
    values = [value for key, value in query_pairs(query) if key == name]
    return values[0] if len(values) == 1 else None
