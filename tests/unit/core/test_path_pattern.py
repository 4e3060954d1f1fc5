"""Patterns of paths: what they match, beside a regular expression that says the same."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.core.path_pattern import PathPattern, can_meet


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/v1/identity", "/v1/identity"),
        ("/v1/identity/*/verify", "/v1/identity/c2/verify"),
        ("/v1/identity/*/verify", "/v1/identity//verify"),
        ("/v1/*dent*", "/v1/identity"),
        ("/*/*", "/v1/ping"),
        ("/**", "/v1/identity/c2/verify"),
        ("**", ""),
        ("/v1/**/verify", "/v1/identity/c2/verify"),
        ("**/verify", "/verify/verify"),
        ("/v1/**/**", "/v1/ping"),
        ("/**/**/**/**", "/"),
        ("**/id*/*/v*/**", "/v1/identity/identity/c2/verify/more"),
        ("/a.c", "/a.c"),
        ("/**x", "/a\nx"),
    ],
)
def test_a_pattern_matches(pattern: str, path: str) -> None:
    assert PathPattern(pattern).matches(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/v1/identity", "/v1/identity/"),
        ("/v1/*", "/v1/identity/c2"),
        ("*", "/"),
        ("/a*a", "/a"),
        ("/v1/**/verify", "/v1/verify"),
        ("/aa**aa", "/aaa"),
        ("**/a*/b/**", "/a/c/b/"),
        ("/a.c", "/abc"),
    ],
)
def test_a_pattern_does_not_match(pattern: str, path: str) -> None:
    assert not PathPattern(pattern).matches(path)


def as_regular_expression(pattern: str) -> str:
    collapsed = re.sub(r"\*\*+(?:/\*\*+)*", "**", pattern)
    parts = re.split(r"(\*\*|\*)", collapsed)
    return "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)


@given(
    pattern=st.lists(st.sampled_from(["a", "b", "/", "*", "/*/", "**", "/**/"]), max_size=10).map("".join),
    path=st.text(alphabet="ab/", max_size=12),
)
@example(pattern="**/*a/b*/**", path="/aa/ba/b")
@example(pattern="**a*b*/*/**", path="ab/a/ab/b/")
def test_any_pattern_matches_what_the_regular_expression_matches(pattern: str, path: str) -> None:
    expected = re.fullmatch(as_regular_expression(pattern), path) is not None

    assert PathPattern(pattern).matches(path) == expected


# --- two patterns -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/claims", "/claims"),
        ("/claims/*", "/*/7"),
        ("/v1/**", "/v1/database/*/call/send"),
        ("/a*", "/*b"),
        ("**/x", "/users/**"),
        ("**", ""),
        ("/**/**", "/a"),
    ],
)
def test_two_patterns_that_some_path_matches_can_meet(first: str, second: str) -> None:
    assert can_meet(first, second)
    assert can_meet(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [("/claims", "/claim"), ("/users/*", "/users/a/b"), ("/a*c", "/b**"), ("/*x", "/**y"), ("*", "/"), ("", "/**")],
)
def test_two_patterns_that_no_path_matches_can_not_meet(first: str, second: str) -> None:
    assert not can_meet(first, second)
    assert not can_meet(second, first)


PATTERNS = st.lists(st.sampled_from(["a", "b", "/", "*", "**"]), max_size=5).map("".join)


@given(first=PATTERNS, second=PATTERNS, path=st.text(alphabet="ab/", max_size=6))
def test_patterns_of_the_same_path_can_meet(first: str, second: str, path: str) -> None:
    if PathPattern(first).matches(path) and PathPattern(second).matches(path):
        assert can_meet(first, second)


def test_of_two_very_long_patterns_it_is_assumed() -> None:
    assert can_meet("/*" * 5_000, "/**a" * 5_000)
