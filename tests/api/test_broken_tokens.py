"""Each token of the catalogue gets exactly the response that the catalogue has."""

import pytest
import requests

import emulator
from emulator import Emulator, running_in_thread, tokens
from tests.waiting import PATIENCE


@pytest.mark.parametrize("profile", ["documented", "v1", "v2"])
@pytest.mark.parametrize("broken", tokens.broken())
def test_a_broken_token_gets_the_response_of_the_catalogue(
    broken: tokens.BrokenToken, profile: str, session_emulator: Emulator
) -> None:
    session_emulator.reset(spacetime_profile=profile)

    answer = requests.post(
        f"{session_emulator.url}/v1/identity/websocket-token",
        headers={"Authorization": f"Bearer {broken.token(session_emulator)}"},
        timeout=PATIENCE,
    )

    assert (answer.status_code, answer.text) == (broken.status, broken.text(profile))
    assert session_emulator.journal.exchanges[-1].why


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
