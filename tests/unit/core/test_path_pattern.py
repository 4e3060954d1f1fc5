"""Patterns of paths: what they match, beside a regular expression that says the same."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.core.path_pattern import PathPattern


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
