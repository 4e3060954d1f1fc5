"""Each bundled scenario does what its name says, over HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from emulator import Emulator, running_in_thread
from emulator.services.intuition.content_address import keccak256
from tests.conftest import API_KEY
from tests.control.calls import JSON
from tests.raw import connect, request
from tests.waiting import PATIENCE, eventually

ROW = {"display_name": "JP", "creator": "0x81"}


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with running_in_thread() as emulator:
        yield emulator


@contextmanager
def loaded(emulator: Emulator, name: str) -> Iterator[Emulator]:
    """In the scenario's world, where time passes only when the test says so."""
    emulator.load(name)
    emulator.clock.freeze()
    yield emulator
    emulator.abort_requests()


def verify(emulator: Emulator, name: str) -> int:
    actor = emulator.actors[name]
    url = f"{emulator.url}/v1/identity/{actor.identity}/verify"
    return requests.get(url, headers={"Authorization": f"Bearer {actor.token}"}, timeout=PATIENCE).status_code


def create(emulator: Emulator, key: str | None = None) -> requests.Response:
    headers = {"x-api-key": key or emulator.env()["INTUITION_API_KEY"]}
    return requests.post(f"{emulator.url}/identity", json=ROW, headers=headers, timeout=PATIENCE)


def _headers(emulator: Emulator) -> dict[str, str]:
    return {"x-api-key": emulator.env()["INTUITION_API_KEY"]}


def listed(emulator: Emulator, query: str = "") -> int:
    headers = _headers(emulator)
    total: int = requests.get(f"{emulator.url}/identities{query}", headers=headers, timeout=PATIENCE).json()["total"]
    return total


def test_quickstart_has_one_of_everything(server: Emulator) -> None:
    with loaded(server, "quickstart") as emulator:
        assert verify(emulator, "alice") == 204
        assert create(emulator, emulator.actors["alice"].api_key).status_code == 200
        assert emulator.intuition.identities["jp"].creator.wallet == emulator.actors["alice"].wallet


def test_two_friends_have_tokens_keys_and_stakes_in_each_other(server: Emulator) -> None:
    with loaded(server, "two_friends") as emulator:
        alice, bob = emulator.actors["alice"], emulator.actors["bob"]
        crossed = requests.get(
            f"{emulator.url}/v1/identity/{alice.identity}/verify",
            headers={"Authorization": f"Bearer {bob.token}"},
            timeout=PATIENCE,
        )
        row = emulator.intuition.identities["alice"]
        stakes = requests.get(
            f"{emulator.url}/identity/{row.id}/positions", headers={"x-api-key": bob.api_key}, timeout=PATIENCE
        ).json()["data"]

        assert (verify(emulator, "alice"), verify(emulator, "bob"), crossed.status_code) == (204, 204, 400)
        assert [stake["user"]["wallet"] for stake in stakes] == [bob.wallet]


def test_expired_token_is_refused_and_the_other_one_soon(server: Emulator) -> None:
    with loaded(server, "expired_token") as emulator:
        assert (verify(emulator, "alice"), verify(emulator, "bob")) == (401, 204)
        emulator.clock.advance(122)
        assert verify(emulator, "bob") == 401


def test_key_rotation_makes_every_token_invalid_after_a_minute(server: Emulator) -> None:
    with loaded(server, "key_rotation") as emulator:
        emulator.clock.advance(59)
        assert verify(emulator, "alice") == 204
        emulator.clock.advance(1)
        assert verify(emulator, "alice") == 401
        emulator.faults.assert_done()


def test_lost_answer_stores_what_the_client_never_hears_of(server: Emulator) -> None:
    with loaded(server, "lost_answer") as emulator:
        with pytest.raises(requests.ConnectionError):
            create(emulator)
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE)

        assert create(emulator).status_code == 200
        assert listed(emulator) == 2
        emulator.faults.assert_done()


def test_flaky_intuition_fails_now_and_then_and_the_same_way_each_time(server: Emulator) -> None:
    def statuses() -> list[int]:
        with loaded(server, "flaky_intuition") as emulator:
            return [create(emulator).status_code for _ in range(12)]

    first = statuses()

    assert set(first) == {200, 503}
    assert statuses() == first


def test_slow_pin_holds_up_the_first_creation_only(server: Emulator) -> None:
    with loaded(server, "slow_pin") as emulator:
        [step] = emulator.faults
        with connect(emulator.url) as held_up:
            held_up.sendall(request("POST", "/identity", f"x-api-key: {API_KEY}", JSON, body=json.dumps(ROW).encode()))
            assert eventually(lambda: step.fired == 1)

            assert create(emulator).status_code == 200
        assert "delay: 5" in repr(step)
        assert [each.status for each in emulator.journal.exchanges if not each.fault] == [200]


def test_pending_identity_is_complete_after_half_a_minute(server: Emulator) -> None:
    with loaded(server, "pending_identity") as emulator:
        row = create(emulator).json()
        url, headers = f"{emulator.url}/identity/{row['id']}", {"x-api-key": emulator.env()["INTUITION_API_KEY"]}
        assert (row["status"], row["vault_id"]) == ("pending", "0")

        emulator.clock.advance(31)

        assert requests.get(url, headers=headers, timeout=PATIENCE).json()["status"] == "complete"
        assert emulator.intuition.identities["jp"].status == "complete"


def test_rate_limited_counts_each_key_for_itself(server: Emulator) -> None:
    with loaded(server, "rate_limited") as emulator:
        ci, web = emulator.actors["ci"].api_key, emulator.actors["web"].api_key
        answers = [create(emulator, ci) for _ in range(6)]

        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert create(emulator, web).status_code == 200
        emulator.clock.advance(60)
        assert create(emulator, ci).status_code == 200


def test_outage_and_recovery_takes_a_minute(server: Emulator) -> None:
    with loaded(server, "outage_and_recovery") as emulator:

        def both() -> tuple[int, int]:
            return verify(emulator, "alice"), create(emulator).status_code

        assert both() == (204, 200)
        emulator.clock.advance(31)
        assert both() == (503, 503)
        emulator.clock.advance(60)
        assert both() == (204, 200)


def test_crowded_has_100_000_rows_that_can_be_listed_and_searched(server: Emulator) -> None:
    with loaded(server, "crowded") as emulator:
        assert listed(emulator) == 100_000
        assert listed(emulator, "/search?displayName=user-9999") == 11
        shown = requests.get(f"{emulator.url}/identities?limit=1", headers=_headers(emulator), timeout=PATIENCE).json()[
            "data"
        ][0]
        assert shown["identity_hash"] == "0x" + keccak256(shown["identity_id"].encode())
        assert verify(emulator, "user-1000") == 204
        assert emulator.spacetime.email_of(emulator.actors["user-7"].identity) == "user-7@example.com"


SUBSCRIBE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: v1.json.spacetimedb",
)


def subscribe(emulator: Emulator, token: str) -> int:
    target = "/v1/database/chat/subscribe"
    with connect(emulator.url) as connection:
        connection.sendall(request("GET", target, *SUBSCRIBE, f"Authorization: Bearer {token}"))
        return int(connection.recv(4096).split(b" ")[1])


def traded(emulator: Emulator, token: str) -> requests.Response:
    url, headers = f"{emulator.url}/v1/identity/websocket-token", {"Authorization": f"Bearer {token}"}
    return requests.post(url, headers=headers, timeout=PATIENCE)


def test_reconnect_after_restart_refuses_once_and_keeps_tokens_valid(server: Emulator) -> None:
    server.load({"version": 1, "spacetime": {"identities": {"alice": {"databases": ["chat"]}}}})
    before = server.actors["alice"].token
    with loaded(server, "reconnect_after_restart") as emulator:
        assert [subscribe(emulator, before) for _ in range(3)] == [503, 101, 101]
        assert traded(emulator, before).status_code == 200


def test_token_refresh_refuses_one_exchange_and_takes_a_new_token(server: Emulator) -> None:
    with loaded(server, "token_refresh") as emulator:
        first = traded(emulator, emulator.actors["alice"].token)
        new = emulator.spacetime.issue_token(subject="alice")
        second = traded(emulator, new)

        assert (first.status_code, first.text) == (401, "Invalid token: ExpiredSignature")
        assert second.status_code == 200
        assert subscribe(emulator, second.json()["token"]) == 101
