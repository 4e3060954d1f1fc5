"""The recorded answers of tests/data, byte for byte under `v2`."""

import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from emulator import Emulator
from emulator.services.rust.debug_format import debug
from tests.conftest import data
from tests.raw import RawAnswer, exchange

# What aiohttp's parser refuses before any handler runs (docs/fidelity.md).
BEYOND_THE_PARSER = {"missing Host", "line feeds only", "unknown method", "raw UTF-8 path"}

Row = dict[str, Any]


def rows(compare: str) -> list[Any]:
    return [
        pytest.param(row, id=row["name"])
        for row in data("http_raw.json")["rows"]
        if row["compare"] == compare and row["name"] not in BEYOND_THE_PARSER
    ]


def request_of(row: Row) -> bytes:
    if "request_b64" in row:
        return b64decode(row["request_b64"])
    return b"GET /v1/ping HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 500_000 + b"\r\n\r\n"  # described, not stored


def response_of(row: Row) -> RawAnswer:
    head, blank, body = b64decode(row["response_b64"]).partition(b"\r\n\r\n")
    return RawAnswer(head + blank, body)


@pytest.mark.parametrize("row", rows("all"))
def test_the_whole_answer_is_the_recorded_one(v2: Emulator, row: Row) -> None:
    answer = exchange(v2.url, request_of(row))

    assert answer.whole == response_of(row).whole


@pytest.mark.parametrize("row", rows("head"))
def test_the_head_is_the_recorded_one(v2: Emulator, row: Row) -> None:
    answer = exchange(v2.url, request_of(row))

    assert _without_length(answer.head) == _without_length(response_of(row).head)


def _without_length(head: bytes) -> bytes:
    return re.sub(rb"content-length: \d+\r\n", b"", head)


def differing(emulator: Emulator, kind: str, text_of: Callable[[str], str]) -> list[Any]:
    """The recorded mutations of a kind that are answered otherwise than `text_of` the recorded text."""
    found = []
    for row_kind, request, status, content_type, body in data("fuzz_open.json")["rows"]:
        if row_kind != kind:
            continue
        answer = exchange(emulator.url, b64decode(request))
        expected = None if body is None else text_of(b64decode(body).decode()).encode()
        got = None if body is None else answer.body
        if (answer.status, answer.header("content-type"), got) != (int(status), content_type, expected):
            found.append((b64decode(request), answer.whole, expected))
    return found


KINDS = pytest.mark.parametrize("kind", ["payload", "header", "segments", "path"])


@KINDS
def test_every_recorded_mutation_gets_the_recorded_status_and_text(v2: Emulator, kind: str) -> None:
    assert differing(v2, kind, lambda text: text) == []


# --- the other profiles -----------------------------------------------------------------------------------------------


def at_the_recording(session: Emulator, profile: str) -> Emulator:
    session.reset(spacetime_profile=profile)
    return session


DEBUG_FORMS = [
    (
        r"Invalid token: Base64 error: Invalid symbol (\d+), offset (\d+)\.",
        r"TokenError(Error(Base64(InvalidByte(\2, \1))))",
    ),
    (r"Invalid token: Base64 error: Invalid input length: (\d+)", r"TokenError(Error(Base64(InvalidLength(\1))))"),
    (
        r"Invalid token: Base64 error: Invalid last symbol (\d+), offset (\d+)\.",
        r"TokenError(Error(Base64(InvalidLastSymbol(\2, \1))))",
    ),
    (r"Invalid token: Base64 error: Invalid padding", r"TokenError(Error(Base64(InvalidPadding)))"),
    (r"Invalid token: (\w+)", r"TokenError(Error(\1))"),
    (r"((?:Error fetching|Identity mismatch|Subject |Issuer ).*)", r"Other(\1)"),
]


def debug_form(text: str) -> str:
    """Section 3.4 of the wire reference: what servers up to v2.2.0 say instead."""
    json_error = re.fullmatch(r"Invalid token: JSON error: (.*) at line (\d+) column (\d+)", text, re.DOTALL)
    if json_error:
        message, line, column = json_error.groups()
        return f"TokenError(Error(Json(Error({debug(message)}, line: {line}, column: {column}))))"
    for pattern, form in DEBUG_FORMS:
        if match := re.fullmatch(pattern, text, re.DOTALL):
            return match.expand(form)
    return text


@KINDS
def test_under_v1_every_recorded_mutation_has_the_debug_text(v2: Emulator, kind: str) -> None:
    assert differing(at_the_recording(v2, "v1"), kind, debug_form) == []


@pytest.mark.parametrize("kind", ["payload", "segments", "path"])
@pytest.mark.parametrize("profile", ["documented", "v2.14"])
def test_under_the_newest_rules_mutations_of_everything_but_the_header_have_the_same_text(
    v2: Emulator, kind: str, profile: str
) -> None:
    # Under `documented` a database list has another key, and no text to differ in.
    assert differing(at_the_recording(v2, profile), kind, lambda text: text) == []


@pytest.mark.parametrize("profile", ["documented", "v2.14"])
def test_under_the_newest_rules_the_one_other_header_has_crit_that_is_no_list_of_texts(
    v2: Emulator, profile: str
) -> None:
    [(_, answer, _)] = differing(at_the_recording(v2, profile), "header", lambda text: text)

    assert answer.endswith(b'invalid type: string "aud", expected a sequence at line 1 column 27')


@pytest.mark.parametrize("row", rows("all"))
def test_under_v1_the_head_is_the_recorded_one_and_the_text_in_debug_form(v2: Emulator, row: Row) -> None:
    expected = response_of(row)

    answer = exchange(at_the_recording(v2, "v1").url, request_of(row))

    assert answer.body.decode() == debug_form(expected.body.decode())
    assert _without_length(answer.head) == _without_length(expected.head)


# What the contract of the profile says otherwise: the page's 401 for bad credentials, set-email, Basic.
PAGE = {
    "set-email is 404 on real servers": b"HTTP/1.1 401 Unauthorized",
    "query good, header Basic": b"HTTP/1.1 401 Unauthorized",
}
NEWER = {
    "token: expired and wrong key",
    "OPTIONS without preflight headers",
    "CORS preflight",
    "OPTIONS verify with bad identity",
}


@pytest.mark.parametrize("row", rows("all"))
def test_under_documented_the_answer_is_the_recorded_one_but_for_the_pages_401(v2: Emulator, row: Row) -> None:
    expected = response_of(row)
    malformed = expected.body == b"Authorization is invalid: malformed token" and "ping" not in row["name"].lower()

    answer = exchange(at_the_recording(v2, "documented").url, request_of(row))

    if row["name"] in NEWER:
        pytest.skip("the rules of 2.14 differ: tests/api/test_upgrading.py")
    if malformed or row["name"] in PAGE:
        assert answer.head.startswith(PAGE.get(row["name"], b"HTTP/1.1 401 Unauthorized"))
    elif expected.body != b"Authorization is invalid: malformed token":
        assert answer.whole == expected.whole
    else:
        assert answer.status == expected.status == 400
