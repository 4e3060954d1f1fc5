"""Keys and types of a scenario: all mistakes at once, each with its position."""

import pytest

from emulator.scenario.json_schema import schema
from emulator.scenario.schema import IntuitionPart, IntuitionRow, SpacetimePart
from emulator.scenario.type_check import checked
from emulator.scenario.yaml_reader import read, read_plain
from emulator.services.intuition.model import PROFILES as INTUITION_PROFILES
from emulator.services.intuition.model import STATUSES
from emulator.services.spacetimedb.releases import NAMES as SPACETIME_PROFILES
from tests.unit.scenario.support import problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sead: 7", "2:1 sead: unknown key, did you mean 'seed'?"),
        ("xyz: 7", "2:1 xyz: unknown key, there is version, $schema, description, extends,"),
        ("spacetime: {identities: {bob: {emial: b@c.d}}}", "2:32 spacetime.identities.bob.emial: unknown key, did you"),
        ("seed: seven", "2:7 seed: expected a whole number, got 'seven'"),
        ("seed: 7.5", "2:7 seed: expected a whole number, got 7.5"),
        ("seed: true", "2:7 seed: expected a whole number, got true"),
        ("clock:", "2:7 clock: expected a mapping, got nothing"),
        ("script: {}", "2:9 script: expected a list, got a mapping"),
        ("script: [5]", "2:10 script[0]: expected a mapping, got 5"),
        ("description: 5", "2:14 description: expected text, got 5; put it in quotes"),
        (
            "intuition: {api_keys: {ci: {wallet: 0x52}}}",
            "2:37 intuition.api_keys.ci.wallet: expected text, got 0x52; put",
        ),
        ("intuition: {identities: {jp: {}}}", "2:30 intuition.identities.jp.display_name: missing"),
        ("intuition: {cors: yes}", "2:19 intuition.cors: expected true or false, got 'yes'"),
        (
            "spacetime: {profile: v3}",
            "2:22 spacetime.profile: 'v3' is not allowed here; there is documented, v1, v2, v2.14, v2.8",
        ),
        (
            "spacetime: {profile: 1}",
            "2:22 spacetime.profile: expected documented or v1 or v2 or v2.14 or v2.8, got 1; put it in quotes",
        ),
        ("spacetime: {crowd: {count: 0}}", "2:28 spacetime.crowd.count: 0 is too small; the limit is 1"),
        (
            "spacetime: {crowd: {count: 2000000}}",
            "2:28 spacetime.crowd.count: 2000000 is too large; the limit is 250000",
        ),
        ("intuition: {lifecycle: {complete_after: -1}}", "2:41 intuition.lifecycle.complete_after: -1 is too small"),
    ],
)
def test_a_mistake_is_reported_with_its_position_and_a_suggestion(text: str, problem: str) -> None:
    [found] = problems(text)

    assert found.startswith(f"it.yaml:{problem}"), found


def test_all_mistakes_are_reported_at_once_in_their_order() -> None:
    text = """
spacetime:
  profile: documentd
  identities:
    bob: {emial: b@c.d, claims: {iat: 4}}
script:
  - {at: x, do: {rotate_key: true}}
  - {request: "POST /identity", actor: bobb, do: {drop: afer}}
  - {at: 5, do: {status: 503}}
"""
    found = [problem.partition(" ")[2].partition(":")[0] for problem in problems(text)]

    assert found == [
        "spacetime.profile",
        "spacetime.identities.bob.emial",
        "spacetime.identities.bob.claims.iat",
        "script[0].at",
        "script[1].actor",
        "script[1].do.drop",
        "script[2].do.status",
    ]


def test_a_document_without_a_version_is_checked_all_the_same() -> None:
    tree, _ = read(b"sead: 7\nclock: {freeze: noon}", "it.yaml")

    assert [str(problem).partition(": ")[0] for problem in checked(tree)[1]] == [
        "it.yaml:1:1 sead",
        "it.yaml:1:1 version",
        "it.yaml:2:9 clock.freeze",
    ]


@pytest.mark.parametrize("document", [[], "x", 5, None])
def test_what_is_no_mapping_is_no_scenario(document: object) -> None:
    [problem] = checked(read_plain(document))[1]

    assert str(problem).startswith("expected a mapping, got")


def test_the_names_in_the_model_are_those_of_the_apis() -> None:
    defs = schema()["$defs"]

    assert defs["SpacetimePart"]["properties"]["profile"]["anyOf"][0]["enum"] == sorted(SPACETIME_PROFILES)
    assert defs["IntuitionPart"]["properties"]["profile"]["anyOf"][0]["enum"] == sorted(INTUITION_PROFILES)
    assert set(defs["IntuitionRow"]["properties"]["status"]["enum"]) == set(STATUSES)
    assert {SpacetimePart.__name__, IntuitionPart.__name__, IntuitionRow.__name__} <= defs.keys()
