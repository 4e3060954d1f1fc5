"""The gate for texts that people read: cut to a length, secrets masked, one printable line.

A text is scanned once, from left to right, and nothing is looked at again: the time grows as its length does.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

MASK = "***"

LONGEST = 500
"""Characters of a text in a line for people."""


def readable(text: str, longest: int = LONGEST, secrets: Iterable[str] = ()) -> str:
    """`text` as one printable line of which no more than `longest` characters are looked at, secrets masked."""
    return printable(mask(without(secrets, text[:longest]))) + ("…" if len(text) > longest else "")


def printable(text: str) -> str:
    """`text` with everything that ends a line, moves a cursor or colours a terminal written as an escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def legible(data: bytes, *, is_cut: bool) -> bool:
    """Whether bytes are text, and so can be masked: UTF-8 without NUL, which UTF-16 and compressed data have.

    What was cut off may end inside a character.
    """
    if b"\0" in data:
        return False
    try:
        getincrementaldecoder("utf-8")().decode(data, final=not is_cut)
    except UnicodeDecodeError:
        return False
    return True


def left_out(size: int) -> str:
    """What stands for so many bytes that are not legible, where secrets are masked."""
    return f"{size} bytes that are no text, left out: they may hold secrets; use secrets=True or --secrets to see them"


# --- names ------------------------------------------------------------------------------------------------------------

_INSIDE = re.compile(
    "token|key|secret|passw|passphrase|auth|cookie|session|credential|mnemonic|signature|jwt|bearer|pincode"
)
"""A name with one of these in it is a secret's: `apiKey`, `X-Auth-Token`, `clientsecret`."""
_AT_AN_END = re.compile("(?:pin|sig|pwd|otp)s?(?![a-z])")
"""So is a name with a word that ends in one of these: `user_pin`, `userpin`, `urlSig`, but not `ping` or `design`."""
_NO_SECRETS = ("error", "exception")
_UNREADABLE = "\ufffd"
"""What `unquote` puts for bytes that are no text: nobody knows what such a name is."""

_HUMP = re.compile("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_LETTERS = re.compile("[^a-z]+")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def is_secret(name: str) -> bool:
    """Whether a header, a field or a member with this name holds a secret, by the look of the name."""
    if "%" in name or "\\" in name:
        name = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), unquote(name))
    lower = name.lower()
    if lower.endswith(_NO_SECRETS):
        return False
    if _UNREADABLE in name or _INSIDE.search(lower):
        return True
    return _AT_AN_END.search(_HUMP.sub(" ", name).lower()) is not None


def _words(name: str) -> list[str]:
    return _NO_LETTERS.split(_HUMP.sub(" ", name).lower())


# --- known secrets ----------------------------------------------------------------------------------------------------

_SHORTEST_SECRET = 12
_MOST_SECRETS = 100
_BETWEEN_WORDS = re.compile(r'[\s;,="]+')


def sent_secrets(headers: Iterable[tuple[str, str]]) -> list[str]:
    """Keys and tokens sent in headers; they may appear again in a path or a body. The longest hundred."""
    values = (value for name, value in headers if is_secret(name))
    words = {word for value in values for word in _BETWEEN_WORDS.split(value) if len(word) >= _SHORTEST_SECRET}
    return sorted(words, key=lambda word: (-len(word), word))[:_MOST_SECRETS]


def without(secrets: Iterable[str], text: str) -> str:
    """`text` without these secrets, also where the text was cut off inside of one."""
    for secret in secrets:
        text = text.replace(secret, MASK)
        last = text.rfind(secret[:_SHORTEST_SECRET])
        if last >= 0 and secret.startswith(text[last:]):
            text = text[:last] + MASK
    return text


# --- forms ------------------------------------------------------------------------------------------------------------


def mask_target(target: str) -> str:
    """A request's target, its query's fields masked by their names."""
    path, mark, query = target.partition("?")
    return mask(path) + mark + mask_fields(query)


def mask_header(name: str, value: str) -> str:
    """A header's value; of credentials the scheme stays."""
    if not is_secret(name):
        return mask(value)
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {MASK}" if space and scheme.lower() in {"bearer", "basic"} else MASK


def mask_fields(text: str) -> str:
    """`a=b&c=d`, masked by the fields' names."""
    return "&".join(map(_masked_field, text.split("&")))


def _masked_field(field: str) -> str:
    name, _, value = field.partition("=")
    return f"{mask(name)}={MASK}" if value and is_secret(name) else mask(field)


def mask_body(text: str) -> str:
    """The body of a request or response: JSON or any text, fields of a form, or the parts of one."""
    if text.startswith("--"):
        boundary = text.partition("\n")[0].rstrip("\r")
        return boundary.join(map(_masked_part, text.split(boundary)))
    return mask_fields(text) if text.lstrip()[:1] not in _BEGINS_JSON else mask(text)


_BEGINS_JSON = ("", "{", "[", '"', "<")
_PART_NAME = re.compile(r"""\bname="?([^";\r\n]++)""")


def _masked_part(part: str) -> str:
    """One part of a multipart/form-data body (RFC 7578)."""
    newline = "\r\n" if "\r\n" in part else "\n"
    head, blank, content = part.partition(newline * 2)
    name = _PART_NAME.search(head)
    if blank and content and name and is_secret(name[1]):
        return f"{head}{blank}{MASK}{newline}"
    return f"{mask(head)}{blank}{mask(content)}"


def without_excerpt(message: str) -> str:
    """What aiohttp's parser says, without the piece of the request that it shows: that may be a header's value."""
    said = _NAMED_HEADER.sub(r"`\1` header", _CODE.sub("", message).strip())
    return _EXCERPT.split(said, maxsplit=1)[0].rstrip(" :([{")


_CODE = re.compile(r"\A[0-9]{3}, message:")
_NAMED_HEADER = re.compile("'([A-Za-z-]+)' header")
_EXCERPT = re.compile(r"""[\r\n"']|\bb(?=["'])""")


# --- any text ---------------------------------------------------------------------------------------------------------


def mask(text: str) -> str:
    """`text` with each token, and each value whose name looks like a secret's, replaced by `***`."""
    if not _SIGNS.search(text.lower()):
        return text
    parts, done = [], 0
    for start, end in _secrets(text):
        parts += [text[done:start], MASK]
        done = end
    return "".join([*parts, text[done:]]) if parts else text


_SIGNS = re.compile(rf"{_INSIDE.pattern}|pin|sig|pwd|otp|basic|{_UNREADABLE}|ey[aj]|ew[o0k]|%|\\u|:[\\/]")
"""One of these is in every text that has a secret: most have none, and are not taken to pieces."""
_PIECE = re.compile(
    r"""(?P<word>[\w.%$@~+*!\[\]-]++)|(?P<blank>\s++)|(?P<quote>\\*+["'`])|\\++|(?P<separator>[=:])"""
    r"""|[^\w\s.%$@~+*!\[\]\\"'`=:-]++"""
)


class _Name(NamedTuple):
    """What a value's name may be: a word, or what is in quotes."""

    text: str = ""
    before: str = ""
    """The character before it; nothing at the beginning of a line."""
    quoted: bool = False


def _secrets(text: str, *, decoded: bool = False) -> Iterator[tuple[int, int]]:
    """Where secrets begin and end, from left to right."""
    name, after_quote, at = _Name(), {"'": 0, '"': 0, "`": 0}, 0
    while piece := _PIECE.match(text, at):
        start, at = piece.span()
        kind = piece.lastgroup
        if kind == "word":
            if found := _credentials(text, start, name):
                yield found
                at = max(at, found[1])
            else:
                word = text[start:at]
                if "%" in word or _MAY_BE_JWT.search(word):
                    yield from _in_word(word, start, decoded=decoded)
            name = _Name(text[start:at], text[start - 1 : start].strip("\r\n"))
        elif kind == "quote":
            quote = text[at - 1]
            name = _Name(text[after_quote[quote] : start], quote, quoted=True)
            after_quote[quote] = at
        elif kind == "separator":
            if found := _userinfo(text, at):
                yield found
                at = found[1]
            elif name.text and is_secret(name.text) and (value := _value(text, at, text[start], name)):
                yield value
                at = value[1]
            name = _Name()
        elif kind != "blank":
            name = _Name()


_USERINFO = re.compile(r"""(?:\\*+/){2}([^\s/?#"`<>\\]+)@""")


def _userinfo(text: str, at: int) -> tuple[int, int] | None:
    """The name and password of a URL whose scheme ends here (RFC 3986, 3.2.1); a URL in JSON may have `\\/`."""
    match = _USERINFO.match(text, at)
    return match.span(1) if match else None


# --- tokens -----------------------------------------------------------------------------------------------------------

_JWT = "eyJ"
"""What `{"` is in base64url; below, what it is with blanks between."""
_JWT_WITH_BLANKS = ("eyA", "ewo", "ew0", "ewk")
_MAY_BE_JWT = re.compile("ey[AJ]|ew[o0k]")
_BASE64URL = re.compile(r"[A-Za-z0-9_.-]*+")
_CREDENTIALS = re.compile(r"[A-Za-z0-9._~+/=-]*+")
_ESCAPED_SEPARATOR = re.compile("%(?:22|27|3[aAdD])")


def _credentials(text: str, start: int, scheme: _Name) -> tuple[int, int] | None:
    """What follows `Bearer` or `Basic`, unless it may be a word of a sentence."""
    if scheme.quoted or scheme.text.lower() not in {"bearer", "basic"}:
        return None
    match = _CREDENTIALS.match(text, start)
    return match.span() if match and match.end() - start >= 16 else None


def _in_word(word: str, offset: int, *, decoded: bool) -> Iterator[tuple[int, int]]:
    if not decoded and _ESCAPED_SEPARATOR.search(word) and any(_secrets(unquote(word), decoded=True)):
        yield offset, offset + len(word)  # such as JSON in a query
        return
    if word.startswith(_JWT_WITH_BLANKS) and min(map(len, [*word.split("."), ""][:2])) >= _SHORTEST_SECRET:
        yield offset, offset + len(word)
        return
    at = 0
    while (at := word.find(_JWT, at)) >= 0:
        match = _BASE64URL.match(word, at)
        end = match.end() if match else len(word)
        yield offset + at, offset + end
        at = end


# --- values -----------------------------------------------------------------------------------------------------------

_BLANKS = re.compile(r"\s*+")
_BLANKS_IN_LINE = re.compile(r"[ \t]*+")
_QUOTE = re.compile(r"""\\*+["'`]""")
_SCALAR = re.compile(r"[^,}\]\s&]*+")
_FIELD = re.compile(r"""[^&\s"'`]*+""")
_LINE = re.compile(r"[^\r\n]*+")
_IN_SENTENCE = re.compile(r"""(?:(?:bearer|basic|token|digest)[ ]++)?+[^\s,;"'`]*+""", re.IGNORECASE)
_SENTENCE = re.compile("[a-z]{1,10} [A-Za-z]")
"""How the reason of a token's check begins: `signature: signed by a key that …`. A signature has no blanks."""
_INSIDE_BRACKETS = re.compile(r"""(?P<string>"(?:[^"\\]|\\.)*+"?)|(?P<open>[\[{])|(?P<close>[\]}])|[^"\[\]{}]++""")


def _value(text: str, at: int, separator: str, name: _Name) -> tuple[int, int] | None:
    """Where the value of a secret's name begins and ends; None where there is none to hide."""
    in_json = separator == ":" and name.quoted
    start = _end(_BLANKS if in_json else _BLANKS_IN_LINE, text, at)
    if separator == ":" and not name.quoted and not _is_header(text, at, start, name):
        return None
    quote = _QUOTE.match(text, start)
    if quote:
        start, end = quote.end(), _closing_quote(text, quote)
    elif text[start : start + 1] in ("[", "{"):
        end = _closing_bracket(text, start)
    else:
        end = _end(_bare(separator, name), text, start)
    return None if end == start or text[start:end] in {"null", "true", "false"} else (start, end)


def _is_header(text: str, at: int, start: int, name: _Name) -> bool:
    """`x-api-key: …` or `password: …` at the beginning of a line, but neither `an invalid token: …` nor a host."""
    if not name.before:
        return text[at : at + 2] != "//" and not (name.text == "signature" and _SENTENCE.match(text, start))
    compound = name.text.lower() in {"authorization", "cookie"} or len(list(filter(None, _words(name.text)))) > 1
    return compound and start > at and name.before != "/"


def _bare(separator: str, name: _Name) -> re.Pattern[str]:
    if separator == "=":
        return _FIELD
    if name.quoted:
        return _SCALAR
    return _IN_SENTENCE if name.before and name.text.lower() != "cookie" else _LINE


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _closing_quote(text: str, opening: re.Match[str]) -> int:
    """Where a string ends, also one in a string of JSON, whose quotes are escaped; the text's end if it was cut off."""
    start, level = opening.end(), len(opening[0]) - 1
    at = start
    while (at := text.find(opening[0][-1], at)) >= 0:
        before = at
        while before > start and text[before - 1] == "\\":
            before -= 1
        if (slashes := at - before) >= level and (slashes - level) % (2 * (level + 1)) == 0:
            return at - level
        at += 1
    return len(text)


def _closing_bracket(text: str, at: int) -> int:
    """After the bracket that closes the one at `at`; the text's end if it was cut off."""
    depth = 0
    while at < len(text):
        piece = _INSIDE_BRACKETS.match(text, at)
        if piece is None:
            break
        at = piece.end()
        depth += {"open": 1, "close": -1}.get(piece.lastgroup or "", 0)
        if depth == 0:
            return at
    return len(text)
