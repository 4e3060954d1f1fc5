"""Responses and effects of the control routes, compared as bytes where bytes matter."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
import requests

from emulator import Emulator
from tests.client import steer
from tests.conftest import API_KEY
from tests.control.calls import JSON, call
from tests.waiting import PATIENCE

MOMENT = datetime(2025, 1, 1, tzinfo=UTC)
FROZEN = datetime(2024, 2, 15, 5, 47, 17, tzinfo=UTC)


def test_health_tells_seed_and_profiles(emulator: Emulator) -> None:
    found = requests.get(f"{emulator.url}/_emulator/health", timeout=PATIENCE).json()

    assert found["status"] == "ok"
    assert found["seed"] == 0
    assert found["profiles"] == {"spacetime": "documented", "intuition": "documented"}


def test_state_counts_stored_objects(emulator: Emulator) -> None:
    requests.post(
        f"{emulator.url}/identity",
        json={"display_name": "", "creator": ""},
        headers={"x-api-key": API_KEY},
        timeout=PATIENCE,
    )

    found = requests.get(f"{emulator.url}/_emulator/state", timeout=PATIENCE).json()

    assert found["intuition"] == {"profile": "documented", "api_keys": 1, "identities": 1}
    assert found["journal"] == {"total": 1, "dropped": 0}
    assert not found["clock"]["frozen"]


def test_a_reset_replaces_the_world(emulator: Emulator) -> None:
    first = requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE).json()["identity"]

    requests.post(f"{emulator.url}/_emulator/reset", timeout=PATIENCE)

    assert len(emulator.journal) == 0
    assert requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE).json()["identity"] == first


def test_a_reset_may_name_another_seed_and_the_next_one_returns(emulator: Emulator) -> None:
    url = f"{emulator.url}/_emulator/reset"

    assert requests.post(url, json={"seed": 8}, timeout=PATIENCE).json()["seed"] == 8
    assert requests.post(url, timeout=PATIENCE).json()["seed"] == 0


def test_the_journal_is_read_with_filters(emulator: Emulator) -> None:
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)
    requests.get(f"{emulator.url}/v1/pong", timeout=PATIENCE)

    found = requests.get(f"{emulator.url}/_emulator/journal", params={"status": 404}, timeout=PATIENCE).json()

    assert [each["path"] for each in found["exchanges"]] == ["/v1/pong"]
    assert (found["total"], found["dropped"]) == (2, 0)


def test_the_journal_can_be_cleared(emulator: Emulator) -> None:
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)

    assert requests.delete(f"{emulator.url}/_emulator/journal", timeout=PATIENCE).status_code == 200
    assert len(emulator.journal) == 0


def test_control_calls_are_never_journaled(emulator: Emulator) -> None:
    requests.get(f"{emulator.url}/_emulator/health", timeout=PATIENCE)
    requests.get(f"{emulator.url}/_emulator/nonsense", timeout=PATIENCE)

    assert len(emulator.journal) == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "hint"),
    [
        ("GET", "/helth", "", 404, "did you mean /_emulator/health?"),
        ("GET", "//", "", 404, "the control routes are /_emulator/health, /_emulator/state"),
        ("PUT", "/health", "", 405, "/_emulator/health allows GET,HEAD"),
        ("POST", "/reset", '{"sed": 1}', 400, "did you mean 'seed'?"),
        ("POST", "/reset", '{"seed": "1"}', 400, 'send {"seed": 7}'),
        ("POST", "/reset", '{"seed": true}', 400, 'send {"seed": 7}'),
        ("POST", "/reset", "{", 400, "send one JSON object"),
        ("POST", "/reset", "[]", 400, "send one JSON object"),
        ("GET", "/journal?status=x", "", 400, "`status` is a number"),
        ("GET", "/journal?since=x", "", 400, "`since` a time like"),
        ("GET", "/journal?method=", "", 400, "is not a method"),
        ("GET", "/journal?path=identity", "", 400, "begins with a slash"),
        ("GET", "/journal?stat=1", "", 400, "did you mean 'status'?"),
    ],
)
def test_an_error_has_a_hint(emulator: Emulator, method: str, path: str, body: str, status: int, hint: str) -> None:
    answer = call(emulator.url, method, path, JSON, body=body)

    assert answer.status == status
    assert b'"error":"' in answer.body
    assert hint in answer.body.decode().replace('\\"', '"')


def test_a_405_lists_allowed_methods(emulator: Emulator) -> None:
    assert call(emulator.url, "PUT", "/clock").header("allow") == "GET,HEAD,POST"


@pytest.mark.parametrize(
    ("move", "seconds"),
    [
        ({"advance": 61}, 61),
        ({"advance": -0.5}, -0.5),
        ({"freeze": "2024-02-15T05:47:17Z"}, None),
        ({"freeze": True}, 0),
    ],
)
def test_the_clock_is_moved(emulator: Emulator, move: dict[str, object], seconds: float | None) -> None:
    emulator.clock.freeze(MOMENT)

    found = requests.post(f"{emulator.url}/_emulator/clock", json=move, timeout=PATIENCE).json()

    assert found["frozen"]
    assert emulator.clock.now() == (FROZEN if seconds is None else MOMENT + timedelta(seconds=seconds))


def test_the_state_says_how_far_the_clock_is_ahead_of_real_time(emulator: Emulator) -> None:
    steer(emulator, "POST", "/clock", {"advance": 130})
    assert steer(emulator, "GET", "/state").json()["clock"]["ahead"] == pytest.approx(130, abs=1)

    steer(emulator, "POST", "/clock", {"freeze": True})
    assert steer(emulator, "GET", "/state").json()["clock"]["ahead"] is None


def test_the_clock_is_skewed_and_resumed(emulator: Emulator) -> None:
    url = f"{emulator.url}/_emulator/clock"
    emulator.clock.freeze(MOMENT)

    assert not requests.post(url, json={"resume": True}, timeout=PATIENCE).json()["frozen"]
    assert emulator.clock.now().year == 2025
    requests.post(url, json={"skew": 3600}, timeout=PATIENCE)
    assert timedelta(minutes=59) < emulator.clock.now() - datetime.now(UTC) < timedelta(minutes=61)
    assert not requests.get(url, timeout=PATIENCE).json()["frozen"]


def test_a_token_is_signed_as_asked(emulator: Emulator) -> None:
    url = f"{emulator.url}/_emulator/spacetime/tokens"
    wanted = {"subject": "alice", "issuer": "https://a.example", "audience": "web", "expires_in": -72.0}

    whole = requests.post(url, json={**wanted, "claims": {"role": "admin"}}, timeout=PATIENCE).json()["token"]
    broken = requests.post(url, json={"claims": {"sub": 5}, "headers": {"alg": "none"}}, timeout=PATIENCE).json()[
        "token"
    ]

    claims = jwt.decode(whole, options={"verify_signature": False})
    assert (claims["sub"], claims["iss"], claims["aud"], claims["role"]) == (
        "alice",
        "https://a.example",
        ["web"],
        "admin",
    )
    assert claims["exp"] == claims["iat"] - 72
    assert jwt.get_unverified_header(broken) == {"alg": "none"}


def test_a_token_with_a_null_exp_is_signed_as_asked(emulator: Emulator) -> None:
    url = f"{emulator.url}/_emulator/spacetime/tokens"

    token = requests.post(url, json={"subject": "alice", "null_exp": True}, timeout=PATIENCE).json()["token"]

    assert jwt.decode(token, options={"verify_signature": False})["exp"] is None


def test_the_key_is_rotated(emulator: Emulator) -> None:
    made = emulator.spacetime.create_identity()

    assert requests.post(f"{emulator.url}/_emulator/spacetime/rotate-key", timeout=PATIENCE).status_code == 200
    assert "was rotated" in why_refused(emulator, made.identity, made.token)


def why_refused(emulator: Emulator, identity: str, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    requests.get(f"{emulator.url}/v1/identity/{identity}/verify", headers=headers, timeout=PATIENCE)
    return emulator.journal.exchanges[-1].why


def test_an_api_key_is_issued_and_revoked(emulator: Emulator) -> None:
    url = f"{emulator.url}/_emulator/intuition/api-keys"

    issued = requests.post(url, json={"wallet": "0x81"}, timeout=PATIENCE).json()
    assert issued["wallet"] == "0x81"
    assert requests.delete(url, json={"key": issued["key"]}, timeout=PATIENCE).status_code == 200
    assert requests.delete(url, json={"key": issued["key"]}, timeout=PATIENCE).status_code == 404


def test_an_exchange_is_given_as_curl(emulator: Emulator) -> None:
    requests.get(f"{emulator.url}/v1/ping", headers={"Authorization": "Bearer x"}, timeout=PATIENCE)

    command = requests.get(f"{emulator.url}/_emulator/journal/1/curl", timeout=PATIENCE).text

    assert command == f"curl -i {emulator.url}/v1/ping -H 'Authorization: Bearer x'\n"
    assert requests.get(f"{emulator.url}/_emulator/journal/2/curl", timeout=PATIENCE).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "hint"),
    [
        ("/clock", "{}", "send one of advance, freeze, skew, resume"),
        ("/clock", '{"advance": 1, "skew": 1}', "send one of"),
        ("/clock", '{"advance": "61"}', 'send {"advance": 61}'),
        ("/clock", '{"advance": true}', 'send {"advance": 61}'),
        ("/clock", '{"advance": 1e300}', 'send {"advance": 61}'),
        ("/clock", '{"freeze": "yesterday"}', 'send {"advance": 61}'),
        ("/clock", '{"resume": false}', 'send {"advance": 61}'),
        ("/clock", '{"advanse": 1}', "did you mean 'advance'?"),
        ("/spacetime/tokens", "{}", 'send {"subject": "alice"'),
        ("/spacetime/tokens", '{"claims": []}', 'send {"claims"'),
        ("/spacetime/tokens", '{"subject": 5}', 'send {"subject": "alice"'),
        ("/spacetime/tokens", '{"subject": "a", "audience": 5}', 'send {"subject": "alice"'),
        ("/spacetime/tokens", '{"subject": "a", "claims": {"iat": 5}}', 'send {"subject": "alice"'),
        ("/spacetime/tokens", '{"subject": "a", "expires_in": 1e300}', 'send {"subject": "alice"'),
        ("/intuition/api-keys", "{}", 'send {"wallet": "0x81"}'),
        ("/reset", "[" * 100_000, "send one JSON object"),
        ("/faults", f'{{"request": "* /**", "nth": -{"9" * 399}, "do": {{"hang": true}}}}', "nth: it is too small"),
        ("/faults", '{"at": 1e308, "do": {"rotate_key": true}}', "at: it must be a number up to 1,000,000,000"),
        ("/faults", '{"request": "* /**", "until": 1e12, "do": {"hang": true}}', "until: it must be a number"),
        ("/faults", '{"request": "* /**", "do": {"advance": -1e300}}', "do.advance: it must be a number"),
        ("/faults", '{"request": "* /**", "do": {"delay": [1, 1e300]}}', "do.delay: it must be a number"),
        (
            "/faults",
            '{"request": "* /**", "do": {"rate_limit": {"seconds": 1e300}}}',
            "do.rate_limit.seconds: it must be a number",
        ),
    ],
)
def test_a_wrong_wish_is_400_with_an_example(emulator: Emulator, path: str, body: str, hint: str) -> None:
    answer = call(emulator.url, "POST", path, JSON, body=body)

    assert answer.status == 400
    assert hint in answer.body.decode().replace('\\"', '"')


def test_a_clock_that_a_step_drives_past_the_end_of_time_stays(emulator: Emulator) -> None:
    emulator.clock.freeze(MOMENT)
    call(emulator.url, "POST", "/faults", JSON, body='{"at": 0, "do": {"advance": 3e11}}')

    assert call(emulator.url, "GET", "/health").status == 200
    assert emulator.clock.now() == MOMENT
