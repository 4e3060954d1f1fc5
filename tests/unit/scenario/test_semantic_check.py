"""Semantic mistakes in a scenario: times, credentials, names and steps, each with its position."""

import pytest

from tests.unit.scenario.support import problems

NAMES = "intuition: {api_keys: {ci: }, identities: {jp: {display_name: JP}}}\nspacetime: {identities: {alice: }}\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # the clock
        (
            "clock: {freeze: 2024-02-15}",
            "2:9 clock.freeze: '2024-02-15' has no offset; write it like 2024-02-15T05:47:17Z",
        ),
        ("clock: {freeze: noon}", "2:9 clock.freeze: 'noon' is not a time; write it like"),
        ("clock: {freeze: '2024-02-15T05:47:17Z', skew: 5}", "2:41 clock.skew: a frozen clock has no skew"),
        ("clock: {skew: 1e300}", "2:9 clock.skew: the clock can't leave the years 1970 to 9999"),
        ("clock: {skew: 3e11}", "2:9 clock.skew: the clock can't leave the years 1970 to 9999"),
        ("clock: {skew: -2e10}", "2:9 clock.skew: the clock can't leave the years 1970 to 9999"),
        ("script: [{at: 1e300, do: {rotate_key: true}}]", "2:11 script[0].at: it must be a number up to 1,000"),
        # SpacetimeDB: as strict as its routes
        (
            "spacetime: {identities: {a: {email: no}}}",
            "2:30 spacetime.identities.a.email: 'no': Missing separator char",
        ),
        (
            "spacetime: {identities: {a: {issuer: ''}}}",
            "2:30 spacetime.identities.a.issuer: it has 0 bytes; the server",
        ),
        (
            f"spacetime: {{identities: {{a: {{subject: {'é' * 65}}}}}}}",
            "2:30 spacetime.identities.a.subject: it has 130 bytes",
        ),
        (
            "spacetime: {identities: {a: {claims: {exp: 5}}}}",
            "2:39 spacetime.identities.a.claims.exp: a standard claim",
        ),
        ("spacetime: {identities: {a: {expires_in: 1e13}}}", "2:30 spacetime.identities.a.expires_in: at most 1000000"),
        ("spacetime: {identities: {a: {databases: -1}}}", "2:30 spacetime.identities.a.databases: -1 databases; 0 to"),
        (
            "spacetime: {identities: {a: {databases: [x, x]}}}",
            "2:30 spacetime.identities.a.databases: 'x' is used twice",
        ),
        (
            "spacetime: {identities: {a: {databases: [x, my_db]}}}",
            "2:45 spacetime.identities.a.databases[1]: 'my_db': invalid characters in database name; a name has lower",
        ),
        (
            "spacetime: {identities: {a: {databases: [MyDB]}}}",
            "2:42 spacetime.identities.a.databases[0]: 'MyDB': invalid characters in database name; a name has lower",
        ),
        (
            f"spacetime: {{identities: {{a: {{databases: [{'ab' * 32}]}}}}}}",
            "2:42 spacetime.identities.a.databases[0]: '" + "ab" * 32 + "': database names cannot be identities",
        ),
        (
            "spacetime: {identities: {a: {databases: [x]}, b: {databases: [y, x]}}}",
            "2:66 spacetime.identities.b.databases[1]: 'x' is taken by a database of a; names are unique, use another",
        ),
        ("spacetime: {identities: {'': }}", '2:26 spacetime.identities."": a name has at least one letter'),
        ("spacetime: {crowd: {count: 2, name: user}}", "2:31 spacetime.crowd.name: it must have {n} exactly once"),
        ("spacetime: {crowd: {count: 2, email: x}}", "2:31 spacetime.crowd.email: 'x': Missing separator"),
        ("spacetime: {crowd: {count: 2}, identities: {user-2: }}", "2:45 spacetime.identities.user-2: a member of the"),
        # Intuition
        ("intuition: {api_keys: {a: {key: ''}}}", "2:28 intuition.api_keys.a.key: a key is printable ASCII without"),
        ("intuition: {api_keys: {a: {key: x}, b: {key: x}}}", "2:41 intuition.api_keys.b.key: a has the same"),
        (
            "intuition: {api_keys: {ci: }, identities: {jp: {display_name: JP, creator: {actor: cii}}}}",
            "2:77 intuition.identities.jp.creator.actor: 'cii' is not an actor with an API key; did you mean 'ci'?",
        ),
        (
            "intuition: {crowd: {count: 2, creator: {actor: a}}}\nspacetime: {identities: {a: }}",
            "2:41 intuition.crowd.creator.actor: 'a' has no wallet; add the actor to intuition.api_keys",
        ),
        (
            "intuition: {identities: {jp: {display_name: JP, positions: [{wallet: x, amount: 0}]}}}",
            "2:73 intuition.identities.jp.positions[0].amount: a stake is a positive number of wei, not 0",
        ),
        (
            "intuition: {identities: {jp: {display_name: JP, positions: [{wallet: x, amount: '1.5'}]}}}",
            "2:73 intuition.identities.jp.positions[0].amount: a stake is a positive number of wei, not 1.5",
        ),
        (
            "intuition: {lifecycle: {pending: false, complete_after: 5}}",
            "2:41 intuition.lifecycle.complete_after: no identity",
        ),
        ("intuition: {identities: {'': {display_name: JP}}}", '2:26 intuition.identities."": a name has at least one'),
        ("intuition: {api_keys: {'': }}", '2:24 intuition.api_keys."": a name has at least one letter'),
        (
            "intuition: {crowd: {count: 2}, identities: {user-1: {display_name: x}}}",
            "2:45 intuition.identities.user-1: a member",
        ),
        # the script
        (
            "script: [{request: GET, do: {status: 503}}]",
            "2:11 script[0].request: 'GET' is not like 'POST /v1/identity'",
        ),
        (
            "script: [{request: POST /identty, do: {status: 503}}]",
            "2:11 script[0].request: no route matches 'POST /identty'; did you mean 'POST /identity'?",
        ),
        ("script: [{request: POST /identity, do: {}}]", "2:36 script[0].do: no action given; add one of status, body,"),
        ("script: [{do: {rotate_key: true}}]", "2:10 script[0]: it needs `request` or `at`"),
        ("script: [{at: 1e300, do: {rotate_key: true}}]", "2:11 script[0].at: it must be a number up to 1,000,000,000"),
        ("script: [{at: 5, do: {advance: 1e300}}]", "2:23 script[0].do.advance: it must be a number up to"),
        (
            f"{NAMES}script: [{{request: POST /identity, actor: alicee, do: {{hang: true}}}}]",
            "4:36 script[0].actor: no actor",
        ),
        (
            f"{NAMES}script: [{{at: 5, do: {{revoke: c}}}}]",
            "4:23 script[0].do.revoke: no such API key; did you mean 'ci'?",
        ),
        (
            f"{NAMES}script: [{{at: 5, do: {{complete: jpp}}}}]",
            "4:23 script[0].do.complete: no identity 'jpp'; did you mean 'jp'",
        ),
    ],
)
def test_a_mistake_is_reported_with_its_position_and_a_suggestion(text: str, problem: str) -> None:
    [found] = problems(text)

    assert found.startswith(f"it.yaml:{problem}"), found


@pytest.mark.parametrize(
    "text",
    [
        "spacetime: {crowd: {count: 12}}\nscript: [{request: GET /v1/ping, actor: user-12, do: {hang: true}}]",
        "intuition: {crowd: {count: 12}}\nscript: [{at: 5, do: {fail: user-3}}]",
        "script: [{at: 5, do: {complete: 'did:intuition:ipfs:Qm'}}]",
        "script: [{at: 5, do: {revoke: 00000000-0000-4000-8000-000000000001}}]",
        "intuition: {api_keys: {ci: {key: abc}}}\nscript: [{at: 5, do: {revoke: abc}}]",
        "spacetime: {identities: {a: {databases: 3, audience: web}, b: {audience: [a, b], databases: [x]}}}",
        "intuition: {identities: {jp: {display_name: '', creator: ''}}}",
        "script: [{request: 'HEAD /v1/ping', do: {status: 503}}, {request: '* /**', do: {status: 503}}]",
    ],
)
def test_what_the_routes_take_is_no_mistake(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize("number", ["user-0", "user-13", "user-01", "user-", "user-٣", "xuser-1"])
def test_a_name_outside_the_crowd_is_unknown(number: str) -> None:
    crowd = "spacetime: {crowd: {count: 12}}\n"

    assert len(problems(f"{crowd}script: [{{request: GET /v1/ping, actor: {number}, do: {{hang: true}}}}]")) == 1


def test_what_only_follows_from_a_mistake_is_not_reported() -> None:
    text = "intuition: {api_keys: {ci: {wallet: 5}}, identities: {jp: {display_name: JP, creator: {actor: ci}}}}"

    assert len(problems(text)) == 1
