"""Each profile holds its own table; against another's it differs in what the releases' table says, and no more."""

from typing import Any

import pytest

from emulator.conformance.cases import Case, table
from emulator.conformance.run import run
from emulator.services.spacetimedb.releases import PROFILES
from tests.conformance.holding import change_rules, differing, held, in_words, serving
from tests.replaying import target_of


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

ARE_ONE = {"checks_without_key", "checks_with_key", "expiry"}
"""Fields that have a meaning together only: the check of `exp` is in one of two lists."""
IN_WORDS = {"name", "releases", "clients", "inferred"}


def changes(profile: str, other: str) -> list[dict[str, Any]]:
    """The rules of the other profile that differ, in parts that can be changed alone."""
    one, two = PROFILES[profile], PROFILES[other]
    names = [
        name for name in one.__struct_fields__ if name not in IN_WORDS and getattr(one, name) != getattr(two, name)
    ]
    alone = [{name} for name in names if name not in ARE_ONE]
    return [
        {name: getattr(two, name) for name in names if name in part} for part in (*alone, ARE_ONE & set(names)) if part
    ]


def decided_by(change: dict[str, Any], profile: str, cases: list[Case], patch: pytest.MonkeyPatch) -> set[str]:
    """The names of the cases of a profile that differ when some of its rules are others."""
    with patch.context() as changed:
        change_rules(changed, profile, **change)
        with serving(profile) as (emulator, given):
            return {each.case.name for each in run(cases, target_of(emulator.url), given) if each.state == "differs"}


@pytest.mark.parametrize(("profile", "other"), [("v1", "v2.8"), ("v2.8", "v2.14"), ("v2.14", "documented")])
def test_another_profile_differs_in_what_the_releases_table_says(
    profile: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [outcome.case for outcome in differing(held(other, against=profile))]
    for change in changes(profile, other):
        names = decided_by(change, profile, found, monkeypatch)
        print(list(change), len(names), {c.rule for c in found if c.name in names})
    assert 0
