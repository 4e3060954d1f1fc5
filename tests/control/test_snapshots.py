"""Snapshots over the control routes and the handle."""

import requests

from emulator import Emulator
from tests.waiting import PATIENCE


def test_the_journal_goes_on_over_a_restore(emulator: Emulator) -> None:
    snapshot = emulator.snapshot()
    requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE)

    emulator.restore(snapshot)

    emulator.journal.assert_requested("POST", "/v1/identity", times=1)


def test_a_document_goes_out_and_in_over_http(emulator: Emulator) -> None:
    url = f"{emulator.url}/_emulator/snapshot"
    emulator.intuition.create_identity(display_name="JP", creator="0x81")
    emulator.clock.freeze()
    document = requests.get(url, timeout=PATIENCE).content
    emulator.reset()

    answer = requests.put(url, document, headers={"content-type": "application/json"}, timeout=PATIENCE)

    assert answer.status_code == 200
    assert requests.get(url, timeout=PATIENCE).content == document


def test_a_wrong_document_over_http_changes_nothing(emulator: Emulator) -> None:
    url = f"{emulator.url}/_emulator/snapshot"
    emulator.clock.freeze()
    before = requests.get(url, timeout=PATIENCE).content

    answer = requests.put(url, b'{"version": 1}', headers={"content-type": "application/json"}, timeout=PATIENCE)

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid snapshot: seed: missing; begun: missing; clock: missing; drawn: missing; spacetime: missing",
        "hint": "nothing was changed",
    }
    assert requests.get(url, timeout=PATIENCE).content == before
