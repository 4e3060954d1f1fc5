"""Intuition's rows from pending to complete, removed or failed."""

import requests

from emulator import Emulator
from tests.client import KEY, create
from tests.waiting import PATIENCE


def test_a_pending_identity_is_in_no_vault(emulator: Emulator) -> None:
    emulator.intuition.lifecycle()

    assert (create(emulator).json()["status"], create(emulator).json()["vault_id"]) == ("pending", "0")


def test_a_call_completes_it_in_the_next_vault(emulator: Emulator) -> None:
    first = create(emulator).json()
    emulator.intuition.lifecycle()
    second = create(emulator).json()

    row = emulator.intuition.complete(second["id"])

    assert (first["vault_id"], row.status, row.vault_id) == ("1", "complete", "2")
    assert requests.get(f"{emulator.url}/identity/2", headers=KEY, timeout=PATIENCE).json()["id"] == second["id"]


def test_time_completes_it_at_its_moment(emulator: Emulator) -> None:
    emulator.clock.freeze()
    emulator.intuition.lifecycle(complete_after=30)
    row = create(emulator).json()
    emulator.clock.advance(29)
    early = emulator.intuition.identities[row["id"]].status
    emulator.clock.advance(61)

    found = requests.get(f"{emulator.url}/identity/{row['id']}", headers=KEY, timeout=PATIENCE).json()
    assert (early, found["status"]) == ("pending", "complete")
    assert found["updated_at"] > row["updated_at"]


def test_what_failed_stays_failed(emulator: Emulator) -> None:
    emulator.intuition.lifecycle(complete_after=30)
    row = create(emulator).json()
    emulator.intuition.fail(row["id"])
    emulator.clock.advance(31)

    assert emulator.intuition.identities[row["id"]].status == "error"


def test_pending_ones_are_listed_as_such(emulator: Emulator) -> None:
    create(emulator)
    emulator.intuition.lifecycle()
    create(emulator)

    listed = requests.get(f"{emulator.url}/identities?status=pending", headers=KEY, timeout=PATIENCE).json()
    assert listed["total"] == 1
