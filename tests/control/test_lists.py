"""What a world holds, as lists of which a part is asked for."""

from typing import Any

import pytest
import requests

from emulator import Emulator
from emulator.services.spacetimedb.model import LOCAL_ISSUER, identity_of
from tests.client import KEY, steer
from tests.conftest import API_KEY
from tests.waiting import PATIENCE

ALICE, BOB = (identity_of(LOCAL_ISSUER, name) for name in ("alice", "bob"))
LISTS = ["/intuition/identities", "/intuition/api-keys", "/spacetime/databases", "/spacetime/identities"]


def listed(emulator: Emulator, path: str) -> Any:
    answer = steer(emulator, "GET", path)
    assert answer.status_code == 200
    return answer.json()


def rows(emulator: Emulator, *names: str) -> None:
    for name in names:
        emulator.intuition.create_identity(display_name=name, creator="0x81")


def test_rows_of_intuition_are_as_the_api_shows_them_oldest_first(emulator: Emulator) -> None:
    rows(emulator, "one", "two")

    found = listed(emulator, "/intuition/identities")

    assert found["total"] == 2
    assert [each["display_name"] for each in found["identities"]] == ["one", "two"]
    assert found["identities"][0] == row_of(emulator, "one") | {"name": None}


def row_of(emulator: Emulator, name: str) -> Any:
    url = f"{emulator.url}/identities/search"
    return requests.get(url, {"displayName": name}, headers=KEY, timeout=PATIENCE).json()["data"][0]


def test_a_row_has_its_name_in_the_scenario(emulator: Emulator) -> None:
    emulator.load("two_friends")

    names = {each["name"] for each in listed(emulator, "/intuition/identities")["identities"]}
    assert names
    assert None not in names


def test_a_part_of_the_rows_is_asked_for(emulator: Emulator) -> None:
    rows(emulator, "a1", "b", "A2", "a3")

    found = listed(emulator, "/intuition/identities?text=a&limit=1&offset=1")

    assert [each["display_name"] for each in found["identities"]] == ["A2"]
    assert found["total"] == 3


def test_api_keys_have_their_wallets_and_actors(emulator: Emulator) -> None:
    emulator.intuition.issue_api_key(wallet="0x81")

    found = listed(emulator, "/intuition/api-keys")

    assert found["total"] == 2
    assert found["api_keys"][0]["key"] == API_KEY
    assert (found["api_keys"][1]["wallet"], found["api_keys"][1]["actor"]) == ("0x81", "")


def test_databases_have_their_owners(emulator: Emulator) -> None:
    made = emulator.spacetime.add_database(ALICE, "chat")
    emulator.spacetime.add_database(BOB)

    found = listed(emulator, "/spacetime/databases")

    assert found["databases"][0] == {"identity": made.identity, "name": "chat", "owner": ALICE, "actor": ""}
    assert (found["databases"][1]["name"], found["total"]) == (None, 2)


@pytest.mark.parametrize("text", ["CHA", "alice", "identity of alice"])
def test_a_text_is_found_in_any_field_and_case(emulator: Emulator, text: str) -> None:
    people = {"alice": {"databases": ["chat"]}, "bob": {"databases": ["shop"]}}
    emulator.load({"version": 1, "spacetime": {"identities": people}})

    wanted = emulator.actors["alice"].identity[5:20].upper() if text == "identity of alice" else text
    found = listed(emulator, f"/spacetime/databases?text={wanted}")

    assert [each["name"] for each in found["databases"]] == ["chat"]


def test_identities_are_those_of_actors_owners_and_addresses(emulator: Emulator) -> None:
    people = {"alice": {"email": "alice@example.com"}}
    emulator.load({"version": 1, "spacetime": {"identities": people}})
    emulator.spacetime.add_database(BOB, "chat")

    found = listed(emulator, "/spacetime/identities")

    assert found == {
        "identities": [
            {
                "identity": emulator.actors["alice"].identity,
                "actor": "alice",
                "email": "alice@example.com",
                "databases": 0,
            },
            {"identity": BOB, "actor": "", "email": None, "databases": 1},
        ],
        "total": 2,
    }


@pytest.mark.parametrize("path", LISTS)
def test_a_list_never_has_more_than_a_thousand(emulator: Emulator, path: str) -> None:
    crowd = {"count": 1001, "name": "user-{n}"}
    emulator.load(
        {
            "version": 1,
            "spacetime": {"crowd": {**crowd, "databases": 1}},
            "intuition": {"crowd": {**crowd, "name": "row-{n}"}},
        }
    )

    found = listed(emulator, f"{path}?limit=5000")
    [shown] = [value for name, value in found.items() if name != "total"]

    assert len(shown) <= 1000


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "offset=1.5", "limit=", "offset=99999999999", "limt=1"])
def test_a_wrong_query_is_400_with_a_hint(emulator: Emulator, path: str, query: str) -> None:
    answer = steer(emulator, "GET", f"{path}?{query}")

    assert answer.status_code == 400
    assert answer.json()["hint"]
