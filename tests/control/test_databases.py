"""Databases added over HTTP: `POST /_emulator/spacetime/databases`."""

import requests

from emulator import Emulator
from emulator.services.spacetimedb.model import identity_of
from tests.waiting import PATIENCE

OWNER, GIVEN = identity_of("localhost", "alice"), identity_of("localhost", "given")


def add(emulator: Emulator, **wanted: str) -> requests.Response:
    return requests.post(f"{emulator.url}/_emulator/spacetime/databases", json=wanted, timeout=PATIENCE)


def test_a_database_is_added_with_name_and_identity(emulator: Emulator) -> None:
    added = add(emulator, owner=OWNER, name="chat", identity=GIVEN).json()

    assert added == {"identity": GIVEN, "address": added["address"], "owner": OWNER, "name": "chat"}
    assert requests.get(f"{emulator.url}/v1/database/chat/identity", timeout=PATIENCE).text == GIVEN


def test_name_and_identity_can_be_left_out(emulator: Emulator) -> None:
    added = add(emulator, owner=OWNER).json()

    assert "name" not in added
    assert requests.get(f"{emulator.url}/v1/database/{added['identity']}", timeout=PATIENCE).status_code == 200


def test_a_name_that_is_taken_is_refused_and_changes_nothing(emulator: Emulator) -> None:
    add(emulator, owner=OWNER, name="chat")
    refused = add(emulator, owner=GIVEN, name="chat")

    assert refused.status_code == 400
    assert refused.json()["error"] == f"'chat' is taken by a database of {OWNER}; names are unique"
    assert requests.get(f"{emulator.url}/v1/identity/{GIVEN}/databases", timeout=PATIENCE).json() == {"addresses": []}


def test_what_is_no_identity_is_refused(emulator: Emulator) -> None:
    assert add(emulator, owner="alice").json()["hint"].startswith('send {"owner": "c2')
    assert add(emulator, owner=OWNER, identity="0x").status_code == 400
