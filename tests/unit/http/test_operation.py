"""Which operations a pattern can reach."""

import pytest

from emulator.http.operation import Operation, matching, why_never

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
