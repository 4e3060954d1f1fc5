"""Scenarios over the control routes: names and documents are accepted, paths and Python are not."""

from typing import Any

import pytest
import requests

from emulator import Emulator
from tests.waiting import PATIENCE


def post(emulator: Emulator, path: str, body: object) -> requests.Response:
    return requests.post(f"{emulator.url}/_emulator{path}", json=body, timeout=PATIENCE)


def get(emulator: Emulator, path: str) -> Any:
    return requests.get(f"{emulator.url}/_emulator{path}", timeout=PATIENCE).json()


@pytest.fixture(autouse=True)
def _as_started(emulator: Emulator) -> Any:
    yield
    post(emulator, "/reset", {"scenario": None})


FAILING = {"version": 1, "script": [{"request": "GET /v1/ping", "nth": 2, "do": {"status": 503}}]}


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"scenario": "two_friends"}, ["two_friends"]),
        ({"scenario": ["two_friends", FAILING]}, ["two_friends", "inline document"]),
        ({"scenario": FAILING}, ["inline document"]),
        (FAILING, ["inline document"]),
    ],
)
def test_a_name_a_document_or_several_can_be_loaded(emulator: Emulator, body: object, names: list[str]) -> None:
    assert post(emulator, "/scenario", body).status_code == 200
    assert get(emulator, "/scenario")["scenario"] == names


def test_each_step_has_a_status(emulator: Emulator) -> None:
    ping = f"{emulator.url}/v1/ping"
    told = [post(emulator, "/scenario", FAILING).json()["steps"][0]]
    for _ in range(2):
        requests.get(ping, timeout=PATIENCE)
        told.append(get(emulator, "/scenario")["steps"][0])

    assert [(step["seen"], step["fired"], step["status"]) for step in told] == [
        (0, 0, "waiting"),
        (1, 0, "waiting"),
        (2, 1, "done"),
    ]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"scenario": "./two_friends.yaml"}, '`scenario` is "./two_friends.yaml", a path'),
        ({"scenario": "/etc/passwd"}, '`scenario` is "/etc/passwd", a path'),
        ({"scenario": "evil.py"}, '`scenario` is "evil.py", a path: a running emulator reads no files'),
        ({"scenario": 5}, "scenario: expected text or a mapping or a list, got 5"),
        ({"scenario": [["two_friends"]]}, "scenario[0]: expected text or a mapping, got a list of 1"),
        ({"scenario": "two_freinds"}, "there is no scenario 'two_freinds'; did you mean 'two_friends'?"),
        (
            {"scenario": {"version": 1, "extends": "/etc/passwd"}},
            "extends: a document without a file can extend bundled",
        ),
        (
            {"scenario": {"version": 1, "extends": ["evil.py"]}},
            "extends[0]: a document without a file can extend bundled",
        ),
        (
            {"version": 1, "sead": 7, "seed": "x"},
            "sead: unknown key, did you mean 'seed'?\nseed: expected a whole number",
        ),
        ({"senario": "two_friends"}, "unknown key 'senario'"),
        ({}, "no scenario"),
        ({"scenario": []}, "no scenario"),
    ],
)
def test_what_can_not_be_loaded_leaves_the_world(emulator: Emulator, body: object, error: str) -> None:
    post(emulator, "/scenario", {"scenario": "quickstart"})
    requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE)

    refused = post(emulator, "/scenario", body)

    assert refused.status_code == 400
    assert error in refused.json()["error"]
    assert get(emulator, "/scenario")["scenario"] == ["quickstart"]
    assert len(emulator.journal) == 1


def test_a_reset_goes_back_to_what_was_loaded(emulator: Emulator) -> None:
    post(emulator, "/scenario", {"scenario": "two_friends"})
    post(emulator, "/reset", {})

    assert get(emulator, "/scenario")["scenario"] == ["two_friends"]


def test_a_reset_may_name_another_once(emulator: Emulator) -> None:
    post(emulator, "/scenario", {"scenario": "two_friends"})
    post(emulator, "/reset", {"scenario": "quickstart", "seed": 8})
    assert (get(emulator, "/scenario")["scenario"], get(emulator, "/health")["seed"]) == (["quickstart"], 8)

    post(emulator, "/reset", {})
    assert get(emulator, "/scenario")["scenario"] == ["two_friends"]


def test_a_reset_with_null_goes_back_to_how_the_server_was_started(emulator: Emulator) -> None:
    post(emulator, "/scenario", {"scenario": "two_friends"})
    post(emulator, "/reset", {"scenario": None, "seed": 5})
    assert (get(emulator, "/scenario")["scenario"], get(emulator, "/health")["seed"]) == ([], 5)

    post(emulator, "/reset", {})
    assert (get(emulator, "/scenario")["scenario"], get(emulator, "/health")["seed"]) == ([], 0)


def test_actors_are_listed_with_all_attributes_and_as_environment_variables(emulator: Emulator) -> None:
    post(emulator, "/scenario", {"scenario": "quickstart"})
    alice = emulator.actors["alice"]

    assert get(emulator, "/actors") == {
        "actors": {
            "alice": {
                "identity": alice.identity,
                "subject": alice.subject,
                "issuer": "localhost",
                "api_key": alice.api_key,
                "wallet": alice.wallet,
                "token": alice.token,
            }
        },
        "env": {
            "ALICE_IDENTITY": alice.identity,
            "ALICE_API_KEY": alice.api_key,
            "ALICE_WALLET": alice.wallet,
            "ALICE_TOKEN": alice.token,
            "INTUITION_API_KEY": alice.api_key,
        },
    }


def test_members_of_a_crowd_are_found_by_name(emulator: Emulator) -> None:
    post(emulator, "/scenario", {"version": 1, "spacetime": {"identities": {"alice": None}, "crowd": {"count": 5}}})

    assert list(get(emulator, "/actors")["actors"]) == ["alice"]
    assert list(get(emulator, "/actors?name=user-5&name=user-2&name=user-6")["actors"]) == ["user-5", "user-2"]
    assert requests.get(f"{emulator.url}/_emulator/actors?nme=x", timeout=PATIENCE).status_code == 400


def test_an_actor_that_is_not_there_is_404(emulator: Emulator) -> None:
    post(emulator, "/scenario", {"version": 1, "spacetime": {"identities": {"alice": None}}})

    answer = requests.get(f"{emulator.url}/_emulator/actors?name=alise", timeout=PATIENCE)

    assert answer.status_code == 404
    assert answer.json() == {"error": "no actor 'alise'; did you mean 'alice'?", "hint": "see GET /_emulator/actors"}


def test_the_journal_names_the_actor(emulator: Emulator) -> None:
    emulator.load("two_friends")
    bob = emulator.actors["bob"]
    headers = {"Authorization": f"Bearer {bob.token}"}
    requests.get(f"{emulator.url}/v1/identity/{bob.identity}/verify", headers=headers, timeout=PATIENCE)

    assert emulator.journal.exchanges[-1].actor == "bob"
