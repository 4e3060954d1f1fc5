"""`POST /_emulator/spacetime/tokens/inspect`: what the world says to a token, check by check."""

from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from emulator import Emulator, running_in_thread
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


def test_the_journal_does_not_have_it(emulator: Emulator) -> None:
    inspected(emulator, "x")

    assert emulator.journal.exchanges == []


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
