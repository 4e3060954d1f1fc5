"""`POST /_emulator/spacetime/tokens/inspect`: what the world says to a token, check by check."""

from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from emulator import Config, Emulator, running_in_thread
from emulator.services.spacetimedb.releases import PROFILES
from emulator.services.spacetimedb.token_chain import chain
from tests.limits import LIMIT
from tests.worlds import make_world

WORLD = make_world(seed=7)


def asked(emulator: Emulator, body: object) -> requests.Response:
    return requests.post(f"{emulator.url}/_emulator/spacetime/tokens/inspect", json=body, timeout=LIMIT)


def inspected(emulator: Emulator, token: str) -> Any:
    return asked(emulator, {"token": token}).json()


def test_a_good_token_holds_every_check_in_the_order_of_the_profile(emulator: Emulator) -> None:
    found = inspected(emulator, emulator.spacetime.issue_token(subject="alice"))

    rules = PROFILES["documented"]
    assert [each["name"] for each in found["checks"]] == [*rules.checks_without_key, *rules.checks_with_key]
    assert {each["result"] for each in found["checks"]} == {"held"}
    assert (found["accepted"], found["status"], found["text"], found["key"]) == (True, None, None, "current")
    assert (found["subject"], found["issuer"], found["algorithm"]) == ("alice", "localhost", "ES256")
    assert (found["profile"], found["refused_from"]) == ("documented", None)


def test_what_fails_has_its_reason_and_what_follows_is_not_reached(emulator: Emulator) -> None:
    emulator.clock.freeze("2026-01-01T00:00:00Z")
    old = emulator.spacetime.issue_token(subject="alice", expires_in=-72)

    found = inspected(emulator, old)
    assert [(each["name"], each["result"]) for each in found["checks"]][-4:] == [
        ("signature", "held"),
        ("expiry", "failed"),
        ("lengths", "not reached"),
        ("identity", "not reached"),
    ]
    assert found["checks"][-3]["reason"] == "expired 72 s ago by the emulator's clock, after the leeway of 60 s"
    assert (found["status"], found["text"]) == (401, "Invalid token: ExpiredSignature")
    assert found["reason"] == "expiry: expired 72 s ago by the emulator's clock, after the leeway of 60 s"
    assert (found["now"], found["refused_from"]) == ("2026-01-01T00:00:00.000000Z", "2025-12-31T23:59:48.000001Z")


def test_the_text_is_in_the_words_of_the_profile() -> None:
    with running_in_thread(spacetime_profile="v1") as emulator:
        found = inspected(emulator, "x")

    assert found["text"] == "TokenError(Error(InvalidToken))"
    assert found["checks"][0] == {
        "name": "segments",
        "result": "failed",
        "reason": "a token has three parts separated by dots, this has 1",
    }
    assert (found["identity"], found["algorithm"], found["key"]) == (None, None, None)


def test_a_token_of_a_rotated_key_says_so(emulator: Emulator) -> None:
    token = emulator.spacetime.issue_token(subject="alice")
    emulator.clock.freeze()
    emulator.spacetime.rotate_key()

    found = inspected(emulator, token)
    assert found["key"] == "retired"
    [failed] = [each for each in found["checks"] if each["result"] == "failed"]
    assert failed == {"name": "signature", "result": "failed", "reason": "signed by a key that was rotated 0 s ago"}


def test_a_foreign_issuers_token_fails_at_our_key_and_then_at_its_issuer(emulator: Emulator) -> None:
    token = emulator.spacetime.issue_token(subject="alice", issuer="https://auth.example")
    forged = token[:-8] + "AAAAAAAA"

    found = inspected(emulator, forged)
    failed = [each["name"] for each in found["checks"] if each["result"] == "failed"]
    assert failed == ["signature", "issuer"]
    assert found["text"] == "Error fetching public key for issuer https://auth.example"
    assert (found["issuer"], found["key"]) == ("https://auth.example", "unknown")


def test_an_accepted_token_of_a_played_issuer_fails_no_check_and_names_its_key(emulator: Emulator) -> None:
    issuer = emulator.spacetime.issuer("https://auth.example")

    found = inspected(emulator, issuer.issue_token(subject="alice"))

    assert found["accepted"]
    assert {each["result"] for each in found["checks"]} == {"held"}
    names = [each["name"] for each in found["checks"]]
    assert names[names.index("issuer") + 1 : names.index("issuer") + 3] == ["algorithm", "signature"]
    assert found["signed_by"].startswith("the key ")
    assert found["signed_by"].endswith(" of https://auth.example")
    assert found["key"] == "unknown"


def test_a_forged_token_of_a_played_issuer_fails_at_its_signature(emulator: Emulator) -> None:
    issuer = emulator.spacetime.issuer("https://auth.example")

    found = inspected(emulator, issuer.issue_token(subject="alice")[:-8] + "AAAAAAAA")

    assert [each["name"] for each in found["checks"] if each["result"] == "failed"] == ["signature"]
    assert "https://auth.example" in found["reason"]
    assert found["signed_by"] is None


def test_a_kid_that_the_issuer_does_not_have_fails_as_such(emulator: Emulator) -> None:
    issuer = emulator.spacetime.issuer("https://auth.example")

    found = inspected(emulator, issuer.issue_token(subject="alice", kid="other"))

    [failed] = [each for each in found["checks"] if each["result"] == "failed"]
    assert failed["name"] == "kid"
    assert failed["reason"].startswith("`kid` is 'other'")


def test_the_key_that_signed_a_token_is_named(emulator: Emulator) -> None:
    token = emulator.spacetime.issue_token(subject="alice")
    assert inspected(emulator, token)["signed_by"] == "the key of this emulator"

    emulator.clock.freeze()
    emulator.spacetime.rotate_key()
    emulator.clock.advance(3)
    assert inspected(emulator, token)["signed_by"] == "a key of this emulator that was rotated 3 s ago"


def test_the_parts_of_a_token_are_given_as_they_are(emulator: Emulator) -> None:
    token = emulator.spacetime.sign({"sub": "<b>", "iat": 2**60}, {"typ": "JWT", "alg": "none"})

    found = inspected(emulator, token)
    assert (found["header"], found["payload"]) == ('{"typ":"JWT","alg":"none"}', f'{{"sub":"<b>","iat":{2**60}}}')
    assert inspected(emulator, "a.b")["payload"] is None


def test_each_profile_says_what_it_would_answer_that_of_the_world_first(emulator: Emulator) -> None:
    emulator.clock.freeze("2026-01-01T00:00:00Z")
    old = emulator.spacetime.issue_token(subject="alice", expires_in=-72)

    found = inspected(emulator, old)["profiles"]

    assert [each["profile"] for each in found] == ["documented", "v1", "v2.8", "v2.14"]
    assert [each["text"] for each in found] == [
        "Invalid token: ExpiredSignature",
        "TokenError(Error(ExpiredSignature))",
        "Invalid token: ExpiredSignature",
        "Invalid token: ExpiredSignature",
    ]
    for each in found:
        rules = PROFILES[each["profile"]]
        names = [check["name"] for check in each["checks"]]
        assert names == [*rules.checks_without_key, *rules.checks_with_key]
        [failed] = [check["name"] for check in each["checks"] if check["result"] == "failed"]
        assert failed == "expiry"


def test_the_judgement_of_one_profile_changes_none_of_another(emulator: Emulator) -> None:
    emulator.begin(Config(spacetime_profile="v1"))
    token = emulator.spacetime.sign({"sub": "a", "iss": "localhost", "iat": 1, "aud": ["x"], "exp": -1})

    first = inspected(emulator, token)
    assert [each["accepted"] for each in first["profiles"]] == [True, False, True, False]
    assert inspected(emulator, token)["profiles"] == first["profiles"]


def test_a_token_is_judged_at_another_time(emulator: Emulator) -> None:
    emulator.clock.freeze("2026-01-01T00:00:00Z")
    token = emulator.spacetime.issue_token(subject="alice", expires_in=60)

    then = asked(emulator, {"token": token, "at": "2026-01-01T00:02:01Z"}).json()

    assert (then["accepted"], then["now"]) == (False, "2026-01-01T00:02:01.000000Z")
    assert inspected(emulator, token)["accepted"]


@pytest.mark.parametrize("at", ["yesterday", "2026-01-01T00:00:00", "1969-01-01T00:00:00Z"])
def test_what_is_no_time_is_a_400(emulator: Emulator, at: str) -> None:
    answer = asked(emulator, {"token": "x", "at": at})

    assert (answer.status_code, answer.json()["error"][:4]) == (400, "at: ")


def test_the_journal_does_not_have_it_and_nothing_has_changed(emulator: Emulator) -> None:
    state = f"{emulator.url}/_emulator/state"
    before = requests.get(state, timeout=LIMIT).json()
    inspected(emulator, "x")

    assert emulator.journal.exchanges == []
    assert requests.get(state, timeout=LIMIT).json()["changes"] == before["changes"]


@pytest.mark.parametrize("body", [{}, {"token": 1}, {"token": None}, {"jwt": "x"}])
def test_without_a_token_it_is_a_400_with_an_example(emulator: Emulator, body: dict[str, object]) -> None:
    answer = asked(emulator, body)

    assert answer.status_code == 400
    assert answer.json()["hint"]


@given(token=st.text(max_size=40) | st.lists(st.text("eyJ0-_=.A é", max_size=20), max_size=4).map(".".join))
def test_any_text_gets_a_verdict(token: str) -> None:
    found = chain(token, WORLD.spacetime.keyring, WORLD.clock.micros(), WORLD.spacetime.profile)

    assert not found.accepted
    assert [each.result for each in found.checks].count("failed") in {1, 2}
