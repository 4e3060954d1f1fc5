"""Which operations a pattern can reach."""

import pytest

from emulator.http.operation import ANY_METHOD, Operation, matching, why_never

VERIFY = Operation("verify", "GET", ("/v1/identity/:identity/verify",))
PING = Operation("ping", "GET", ("/v1/ping", "/ping"))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("/v1/**", ["verify", "ping"]),
        ("/**/**/**", ["verify", "ping"]),
        ("/v1/identity/c2/verify", ["verify"]),
        ("/v1/**/verify", ["verify"]),
        ("/v1/*/*", []),
        ("/p*", ["ping"]),
        ("/v1/identi**", ["verify", "ping"]),
        ("/v1/ping/**", ["ping"]),
        ("/v1/identity/**/x", []),
        ("/v2/**", []),
    ],
)
def test_a_pattern_reaches_the_operations_whose_path_it_may_match(pattern: str, names: list[str]) -> None:
    assert [each.name for each in matching("GET", pattern, (VERIFY, PING))] == names


@pytest.mark.parametrize("segment", ["/**", "/*", "/**/a"])
def test_a_pattern_of_thousands_of_segments_is_answered(segment: str) -> None:
    assert isinstance(why_never(f"GET {segment * 5_000}", (VERIFY, PING)), str)


HOOK = Operation("hook", ANY_METHOD, ("/v1/:name/route/*path",))


@pytest.mark.parametrize(
    "pattern", ["/v1/*/route/a", "/v1/chat/route/a/b/c", "/v1/*/route/*/b", "/v1/**", "/**/c", "**"]
)
def test_a_pattern_may_meet_what_is_below_a_path(pattern: str) -> None:
    assert matching("POST", pattern, (HOOK,)) == [HOOK]


@pytest.mark.parametrize("pattern", ["/v1/chat/route", "/v1/route/a", "/v1/chat/other/a", "/v2/**", "/v1"])
def test_a_pattern_that_is_not_below_it_never_does(pattern: str) -> None:
    assert matching("POST", pattern, (HOOK,)) == []


@pytest.mark.parametrize("method", ["*", "GET", "HEAD", "PATCH", "BREW"])
def test_an_operation_of_any_method_takes_each(method: str) -> None:
    assert matching(method, "/v1/chat/route/a", (HOOK,)) == [HOOK]


def test_the_hint_shows_what_is_below_as_a_pattern() -> None:
    assert why_never("GET /v1/chat/route", (HOOK,)).endswith("did you mean '* /v1/*/route/**'?")
