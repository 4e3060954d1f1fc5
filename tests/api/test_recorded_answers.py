"""The recorded responses of tests/data, byte for byte but for named masks; tests/conformance has those that ship."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from emulator.conformance.cases import Case
from emulator.services.rust.debug_format import debug
from tests.recordings import PROFILES, cases, not_shipped, outcomes, reason_of, replayed, unexplained

RECORDINGS = pytest.mark.parametrize("recording", PROFILES)


@RECORDINGS
def test_every_response_is_the_recorded_one_or_has_a_reason(recording: str) -> None:
    assert unexplained(replayed(recording)) == {}


NOT_EMULATED = {
    "databases are not published",
    "databases have no module",
    "requests to an MCP server are not answered",
    "names that a failed publishing left, and a database that was deleted before the recording",
    "a route of SpacetimeDB that is not emulated",
}


@pytest.mark.parametrize(
    ("recording", "rows", "not_emulated"), [("v1.12.0-database.jsonl", 212, 35), ("v2.8.3-database.jsonl", 703, 66)]
)
def test_so_many_rows_of_databases_need_a_module_or_publishing(recording: str, rows: int, not_emulated: int) -> None:
    reasons = [reason_of(outcome.case) for outcome in replayed(recording) if outcome.difference]

    assert len(cases(recording)) == rows
    assert sum(reason is not None and reason.text in NOT_EMULATED for reason in reasons) == not_emulated


# --- the other profiles, for the recordings of 2.8.3 ------------------------------------------------------------------


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


def with_text(case: Case, text_of: Callable[[str], str]) -> Case:
    """The case with another text in its response. Its length is masked then, since the new one is not recorded."""
    head, blank, body = case.response.partition(b"\r\n\r\n")
    return replace(case, response=head + blank + text_of(body.decode()).encode(), masks=(*case.masks, "content-length"))


@pytest.mark.parametrize("recording", ["http_raw.json", "fuzz_open.json"])
def test_under_v1_every_response_has_the_debug_text(recording: str) -> None:
    # v1.12.0 keeps the text of numbers (serde_json's arbitrary_precision), and says other things of floats.
    other = (b"floating point", b"number out of range")
    alike = [case for case in cases(recording) if not any(text in case.response for text in other)]
    expected = [with_text(case, debug_form) for case in alike]

    assert unexplained(outcomes(expected, "v1")) == {}


NEWEST = pytest.mark.parametrize("profile", ["v2.14", "documented"])


@NEWEST
def test_under_the_newest_rules_every_mutation_has_the_recorded_text(profile: str) -> None:
    differing = {case.request for case in cases("rules_2_14.json 2.14")}
    alike = [case for case in cases("fuzz_open.json") if case.request not in differing]

    assert unexplained(outcomes(not_shipped(alike, profile), profile)) == {}


def test_under_documented_two_faults_are_told_in_the_order_of_2_14() -> None:
    assert unexplained(outcomes(not_shipped(cases("rules_2_14.json 2.14"), "documented"), "documented")) == {}


NEWER = {
    "token: expired and wrong key",
    "OPTIONS without preflight headers",
    "CORS preflight",
    "OPTIONS verify with bad identity",
}
"""By the rules of 2.14 these are answered otherwise (test_upgrading.py)."""
REFUSED_BY_THE_PAGE = {"set-email is 404 on real servers", "query good, header Basic"}


def as_on_the_page(case: Case) -> Case:
    """The page says 401 to bad credentials where servers say 400; ping is not on it. It has set-email and Basic."""
    malformed = case.response.endswith(b"\r\n\r\nAuthorization is invalid: malformed token")
    if not (malformed and "ping" not in case.name.lower()) and case.name not in REFUSED_BY_THE_PAGE:
        return case
    return replace(case, response=b"HTTP/1.1 401 Unauthorized\r\n\r\n", masks=("other headers", "body"))


def test_under_documented_the_response_is_the_recorded_one_but_for_the_pages_401() -> None:
    alike = [case for case in cases("http_raw.json") if case.group == "all" and case.name not in NEWER]
    expected = [as_on_the_page(case) for case in alike]

    assert unexplained(outcomes(expected, "documented")) == {}
