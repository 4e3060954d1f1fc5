"""Changes of the world by steps, and the status of steps."""

from typing import Any

import pytest
import requests

from emulator import Emulator
from tests.client import create
from tests.conftest import API_KEY
from tests.waiting import PATIENCE


def test_a_key_is_rotated_before_the_request_is_handled(emulator: Emulator) -> None:
    alice = emulator.spacetime.create_identity()
    emulator.faults.add("GET /v1/identity/*/verify", nth=2, rotate_key=True)
    url = f"{emulator.url}/v1/identity/{alice.identity}/verify"

    answers = [
        requests.get(url, headers={"Authorization": f"Bearer {alice.token}"}, timeout=PATIENCE) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [204, 401]


def test_a_step_happens_at_its_time(emulator: Emulator) -> None:
    token = emulator.spacetime.issue_token(subject="alice")
    emulator.clock.freeze()
    emulator.faults.add(at=90, rotate_key=True)
    url, headers = f"{emulator.url}/v1/identity/websocket-token", {"Authorization": f"Bearer {token}"}

    before = requests.post(url, headers=headers, timeout=PATIENCE)
    emulator.clock.advance(90)
    after = requests.post(url, headers=headers, timeout=PATIENCE)

    assert (before.status_code, after.status_code, after.text) == (200, 401, "Invalid token: InvalidSignature")


def test_steps_happen_in_the_order_of_their_times(emulator: Emulator) -> None:
    emulator.intuition.lifecycle()
    row = emulator.intuition.create_identity(display_name="JP", creator="0x81")
    emulator.faults.add(at=20, remove=row.id)
    emulator.faults.add(at=10, complete=row.id)
    emulator.clock.advance(30)

    found = emulator.intuition.identities[row.id]
    assert (found.status, found.vault_id) == ("removed", "1")


def test_a_revoked_key_is_refused_in_the_same_request(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", revoke=API_KEY)

    assert create(emulator).status_code == 401


@pytest.mark.parametrize("do", [{"complete": "nobody"}, {"remove": "nobody"}, {"revoke": "nobody"}], ids=str)
def test_a_name_that_is_not_there_is_refused(emulator: Emulator, do: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no (identity 'nobody'|such API key); there is none"):
        emulator.faults.add("POST /identity", **do)


def test_a_name_that_is_gone_when_the_step_applies_changes_nothing(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", revoke=API_KEY)
    emulator.intuition.revoke_api_key(API_KEY)

    assert create(emulator).status_code == 401


def test_the_clock_can_be_moved_by_a_step(emulator: Emulator) -> None:
    emulator.clock.freeze()
    before = emulator.clock.now()
    emulator.faults.add("POST /identity", times=1, advance=60)
    create(emulator)

    assert (emulator.clock.now() - before).total_seconds() == 60


def test_a_fault_that_did_not_happen_fails_assert_done(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", nth=2, status=503)
    create(emulator)

    with pytest.raises(
        AssertionError, match=r"faults that did not happen as often as they should:\n<Fault 1 POST /identity \(nth 2\)"
    ):
        emulator.faults.assert_done()


def test_an_nth_request_that_another_step_took_is_missed(emulator: Emulator) -> None:
    emulator.faults.add("* /identity", times=1, status=500)
    fault = emulator.faults.add("POST /identity", nth=1, status=503)
    create(emulator)

    assert (fault.status, fault.done) == ("missed", False)
    with pytest.raises(AssertionError, match=r"Fault 2 .*; missed: 1 seen, 0 fired"):
        emulator.faults.assert_done()


def test_what_has_happened_is_done(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", nth=1, status=503)
    create(emulator)

    emulator.faults.assert_done()
