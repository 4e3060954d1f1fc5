"""Each profile holds its own table; against another's it differs in what the releases' table says, and no more."""

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.conformance.cases import table
from emulator.services.spacetimedb.releases import PROFILES
from tests.conformance.holding import held, in_words


@pytest.mark.parametrize("profile", PROFILES)
def test_the_emulator_holds_every_case_of_its_profile(profile: str) -> None:
    outcomes = held(profile)

    assert in_words(outcomes) == {}
    assert [outcome.case.name for outcome in outcomes if outcome.left_out] == []


def test_the_emulator_holds_what_the_page_of_intuition_says() -> None:
    outcomes = held("documented", against="intuition")

    assert in_words(outcomes) == {}
    assert len(outcomes) == len(table("intuition").cases)


# --- another profile's table ------------------------------------------------------------------------------------------

ARE_ONE = ({"checks_without_key", "checks_with_key", "expiry"},)
"""Fields that have a meaning together only: the check of `exp` is in one of two lists."""


def changes(profile: str, other: str) -> Iterator[dict[str, Any]]:
    """The rules of the other profile that differ, in parts that can be changed alone."""
    one, two = PROFILES[profile], PROFILES[other]
    words = {"name", "releases", "clients", "inferred"}
    differing = [
        name for name in one.__struct_fields__ if name not in words and getattr(one, name) != getattr(two, name)
    ]
    for together in ARE_ONE:
        if alike := {name: getattr(two, name) for name in differing if name in together}:
            yield alike
    for name in differing:
        if not any(name in together for together in ARE_ONE):
            yield {name: getattr(two, name)}
