"""With other libraries in the tests: synchronous clients, and those that freeze the wall clock."""

import pytest

from tests.pytest_plugin.inner import Run


def test_synchronous_clients_work(run: Run) -> None:
    run.write("""
        import httpx, pytest, requests

        @pytest.mark.parametrize("client", [requests, httpx])
        def test_it(identity_emulator, client):
            assert client.post(identity_emulator.url + "/v1/identity").status_code == 200
    """)

    assert "2 passed" in run().summary


@pytest.mark.parametrize("library", ["freezegun", "time-machine"])
def test_its_clock_follows_frozen_wall_time_and_its_timers_do_not(run: Run, library: str) -> None:
    freeze = {
        "freezegun": "freezegun.freeze_time('2024-02-15T05:47:17Z')",
        "time-machine": "time_machine.travel('2024-02-15T05:47:17Z', tick=False)",
    }[library]
    run.write(f"""
        import {library.replace("-", "_")} as library, json, pytest
        from base64 import urlsafe_b64decode

        @library.{freeze.partition(".")[2]}
        def test_frozen(identity_emulator):
            payload = json.loads(create(identity_emulator)[1])["token"].split(".")[1]
            assert json.loads(urlsafe_b64decode(payload + "=="))["iat"] == 1707976037
            identity_emulator.journal.wait_for("POST", "/v1/identity")
            with pytest.raises(AssertionError, match="within 0.01 s"):
                identity_emulator.journal.wait_for("GET", "/v1/identity", timeout=0.01)
            identity_emulator.clock.advance(3600)
            assert identity_emulator.clock.now().isoformat() == "2024-02-15T06:47:17+00:00"

        def test_after(identity_emulator):
            assert identity_emulator.clock.now().year > 2024
    """)

    outcome = run.process()
    assert "2 passed" in outcome.summary, outcome
