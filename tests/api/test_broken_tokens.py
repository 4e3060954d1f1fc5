"""Each token of the catalogue gets exactly the response that the catalogue has."""

import pytest
import requests

import emulator
from emulator import Emulator, running_in_thread, tokens
from tests.waiting import PATIENCE


@pytest.mark.parametrize(
    ("profile", "broken"),
    [
        pytest.param(profile, broken, id=f"{profile}-{broken.name}")
        for profile in ("documented", "v1", "v2.8", "v2.14", "v2")
        for broken in tokens.broken(profile)
    ],
)
def test_a_broken_token_gets_the_response_of_the_catalogue(
    broken: tokens.BrokenToken, profile: str, session_emulator: Emulator
) -> None:
    answer = response(session_emulator, broken, profile)

    assert (answer.status_code, answer.text) == (broken.status, broken.text())
    assert session_emulator.journal.exchanges[-1].why


def response(emulator: Emulator, broken: tokens.BrokenToken, profile: str) -> requests.Response:
    emulator.reset(spacetime_profile=profile)
    return requests.post(
        f"{emulator.url}/v1/identity/websocket-token",
        headers={"Authorization": f"Bearer {broken.token(emulator)}"},
        timeout=PATIENCE,
    )


@pytest.mark.parametrize(
    ("name", "listed", "accepted"),
    [("crit_text", "v2.14", "v2.8"), ("negative_exp", "v2.14", "v1"), ("unknown_jwk", "v2.8", "v2.14")],
)
def test_a_token_is_not_in_the_catalogue_of_a_profile_that_accepts_it(
    name: str, listed: str, accepted: str, session_emulator: Emulator
) -> None:
    [broken] = [each for each in tokens.broken(listed) if each.name == name]

    answer = response(session_emulator, broken, accepted)

    assert answer.status_code == 200
    assert name not in [each.name for each in tokens.broken(accepted)]


def test_there_is_no_text_for_a_profile_that_accepts_the_token() -> None:
    [broken] = [each for each in tokens.broken() if each.name == "crit_text"]

    with pytest.raises(ValueError, match=r"profile v2\.8 accepts the token 'crit_text'"):
        broken.text("v2.8")


def test_a_token_has_the_text_of_every_profile() -> None:
    [broken] = [each for each in tokens.broken() if each.name == "hs256"]

    assert {profile: broken.text(profile) for profile in ("v1", "v2.8", "v2.14", "v2", "documented")} == {
        "v1": "TokenError(Error(InvalidSignature))",
        "v2.8": "Invalid token: InvalidSignature",
        "v2.14": "Invalid token: InvalidAlgorithm",
        "v2": "Invalid token: InvalidAlgorithm",
        "documented": "Invalid token: InvalidAlgorithm",
    }


def test_a_frozen_clock_changes_no_answer() -> None:
    with running_in_thread(seed=8) as frozen:
        frozen.clock.advance(-86_400 * 365)
        frozen.clock.freeze()
        for broken in tokens.broken():
            headers = {"Authorization": f"Bearer {broken.token(frozen)}"}
            url = f"{frozen.url}/v1/identity/{tokens.IDENTITY}/verify"
            answer = requests.get(url, headers=headers, timeout=PATIENCE)
            assert (broken.name, answer.status_code, answer.text) == (broken.name, 401, broken.text())


def test_the_catalogue_is_found_without_an_import_of_its_own() -> None:
    assert emulator.tokens.broken() == tokens.broken()


def test_the_parameters_of_a_test_are_named_after_the_tokens() -> None:
    assert [broken.__name__ for broken in tokens.broken()][:2] == ["expired", "just_expired"]
