"""Each profile holds its own table; against another's it differs in what the releases' table says, and no more."""

from typing import Any

import pytest

from emulator.conformance.cases import Case, table
from emulator.services.spacetimedb.releases import PROFILES
from tests.conformance.holding import change_rules, differing, held, in_words, sent, serving


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
            return {each.case.name for each in sent(cases, emulator, given) if each.state == "differs"}


_NO_KEYS = "a target is not asked to fetch the keys of an issuer"
_NO_CHANGE = "a database would be changed, or needs a module"
_LATER = "it is said on a WebSocket after the first message"

UNSEEN = {
    "version": "masked, since a profile stands for several releases",
    "query_id_name": _LATER,
    "failures": _LATER,
    "unknown_reducer": _LATER,
    "schema_versions": _NO_CHANGE,
    "more_database_routes": _NO_CHANGE,
    "unusable_ec_key": _NO_KEYS,
    "rsa_bits": _NO_KEYS,
    "jwk_without_kid": _NO_KEYS,
    "unknown_jwk_alg": _NO_KEYS,
    "oct_keys": _NO_KEYS,
    "same_kid": _NO_KEYS,
    "issuer_schemes": _NO_KEYS,
    "issuer_requests": _NO_KEYS,
}
"""Rules that no case shows, and why."""
SHOWN = {
    ("v1", "v2.8"): {
        "numbers": "a number in a token is kept, or told, as it is written",
        "error_texts": "an expired token is told so",
        "subprotocols": "newer subprotocols are passed over",
        "unknown_database": "an unknown name is a 404 with it",
        "database_first": "OPTIONS of a path that exists is a preflight request, whatever else is wrong",
    },
    ("v2.14", "v2.8"): {
        "null_exp": "an identity and a token of its own, whatever was sent",
        "header": "members of the header have types",
        "algorithms": "of the faults of a token the first in the release's order is told",
        "cors_headers": "OPTIONS of a path that exists is a preflight request, whatever else is wrong",
        "expiry": "what a negative `exp` means",
        "sessions": "a session id is a number of 128 bits in hex",
    },
    ("v2.14", "documented"): {
        "schemes": "Basic is no scheme of the server",
        "malformed_credentials": "a scheme that is not Bearer is 400, a good query or not",
        "database_list": "nobody needs credentials, and an unknown identity has none",
        "set_email": "an unknown path is an empty 404 without CORS",
    },
}
"""By profile and another, the rules in which they differ, and one of the cases' that shows it."""


@pytest.mark.parametrize(("profile", "other"), SHOWN)
def test_another_profile_differs_in_what_the_releases_table_says(
    profile: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [outcome.case for outcome in differing(held(other, against=profile))]
    shown: dict[str, set[str]] = {}
    for change in changes(profile, other):
        names = decided_by(change, profile, left, monkeypatch)
        shown[min(change, key=len)] = {case.rule for case in left if case.name in names}
        left = [case for case in left if case.name not in names]

    assert left == []
    assert {field for field, rules in shown.items() if not rules} <= UNSEEN.keys()
    assert {field: rules & {SHOWN[profile, other].get(field)} for field, rules in shown.items() if rules} == {
        field: {rule} for field, rule in SHOWN[profile, other].items()
    }
