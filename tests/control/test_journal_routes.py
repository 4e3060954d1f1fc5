"""The journal and the report over HTTP, and what calls that change something answer."""

from typing import Any

import jwt
import pytest
import requests

from emulator import Emulator
from emulator.control.api.routes import OPERATIONS
from emulator.control.remote import RemoteEmulator
from tests.conftest import API_KEY
from tests.waiting import PATIENCE

OWNER = "c200" + "0" * 60


def get(emulator: Emulator, path: str) -> requests.Response:
    return requests.get(f"{emulator.url}/_emulator{path}", timeout=PATIENCE)


@pytest.fixture
def used(emulator: Emulator) -> Emulator:
    """Two good requests, a 401, a 404, and another good one."""
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)
    requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE)
    requests.post(f"{emulator.url}/identity", json={"display_name": "Jo"}, timeout=PATIENCE)
    requests.get(f"{emulator.url}/v1/pong", timeout=PATIENCE)
    requests.get(f"{emulator.url}/v1/health", timeout=PATIENCE)
    return emulator


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("?limit=2", [1, 2]),
        ("?last=2", [4, 5]),
        ("?last=0", []),
        ("?limit=3&last=1", [3]),
        ("?refused=true", [3, 4]),
        ("?refused=false&last=1", [5]),
        ("?status=4xx", [3, 4]),
        ("?status=4XX&method=POST", [3]),
        ("?status=404", [4]),
        ("?body=%22Jo%22", [3]),
        ("?method=POST&path=/v1/**", [2]),
    ],
)
def test_exchanges_are_chosen_by_filters(used: Emulator, query: str, numbers: list[int]) -> None:
    assert [each["n"] for each in get(used, f"/journal{query}").json()["exchanges"]] == numbers


def test_the_journal_says_which_profiles_its_exchanges_met(emulator: Emulator) -> None:
    emulator.reset(spacetime_profile="v2")

    assert get(emulator, "/journal").json()["profiles"] == {"spacetime": "v2.14", "intuition": "documented"}


def test_a_stubbed_reducer_is_named_with_its_database(emulator: Emulator) -> None:
    database = emulator.spacetime.add_database(OWNER, "chat")
    for reducer in ("send", "ban"):
        body = {"database": "chat", "reducer": reducer}
        answer = requests.post(f"{emulator.url}/_emulator/spacetime/reducers", json=body, timeout=PATIENCE)

    assert answer.json() == {"database": database.identity, "reducers": ["ban", "send"]}


def test_one_exchange_is_read_by_its_number(used: Emulator) -> None:
    found = get(used, "/journal/3").json()

    assert (found["n"], found["status"], found["request"]["body"]) == (3, 401, '{"display_name": "Jo"}')
    assert found["after"] > 0
    assert get(used, "/journal/6").status_code == 404


def test_a_body_that_is_no_text_is_there_in_base64(emulator: Emulator) -> None:
    requests.post(f"{emulator.url}/identity", data=b"\xff\x00", timeout=PATIENCE)

    assert get(emulator, "/journal/1").json()["request"]["base64"] == "/wA="
    assert RemoteEmulator(emulator.url).journal[0].request.content == b"\xff\x00"


def test_the_report_is_text_with_what_a_failed_test_shows(used: Emulator) -> None:
    answer = get(used, "/report")

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("seed=0 documented clock=")
    assert f"; again: identity-emulator serve --port {used.port} --seed 0\n" in answer.text
    assert "5 exchanges, 2 of them refused" in answer.text
    assert "why: neither `x-api-key` nor `Authorization` was sent" in answer.text
    assert "1 exchange, 1 of them refused" in get(used, "/report?status=404").text


def test_a_report_by_url_is_that_of_the_process(used: Emulator) -> None:
    used.clock.freeze()
    remote = RemoteEmulator(used.url)

    assert remote.report() == used.report()
    assert remote.report(remote.journal[:1]).splitlines()[1] == "1 exchange, 0 of them refused"


def test_a_report_says_how_the_world_is_made_again(emulator: Emulator) -> None:
    emulator.reset(seed=42, spacetime_profile="v2", scenario="flaky_intuition", freeze_at="2024-02-15T05:47:17Z")

    assert emulator.report().splitlines()[0] == (
        "seed=42 v2.14 scenario=flaky_intuition clock=2024-02-15T05:47:17.000000Z frozen; "
        f"again: identity-emulator serve --port {emulator.port} --seed 42 --spacetime-profile v2.14 "
        "--scenario flaky_intuition "
        "--freeze-at 2024-02-15T05:47:17.000000Z"
    )


def test_a_report_of_a_secret_is_masked(emulator: Emulator) -> None:
    requests.post(f"{emulator.url}/identity", headers={"x-api-key": API_KEY}, data=b"{", timeout=PATIENCE)

    assert API_KEY not in get(emulator, "/report").text


def changes(emulator: Emulator) -> dict[str, tuple[str, str, Any]]:
    snapshot = get(emulator, "/snapshot").json()
    key = emulator.intuition.issue_api_key("0x81")
    row = emulator.intuition.create_identity(display_name="JP", creator="0x81")
    emulator.spacetime.add_database(OWNER, "chat")
    emulator.spacetime.issuer("https://auth.example.com")
    emulator.worlds.open(idle_exit=60)
    world = get(emulator, "/worlds").json()["worlds"][-1]["id"]
    return {
        "control.reset": ("POST", "/reset", None),
        "control.load_scenario": ("POST", "/scenario", {"scenario": "two_friends"}),
        "control.clear_journal": ("DELETE", "/journal", None),
        "control.move_clock": ("POST", "/clock", {"freeze": True}),
        "control.add_fault": ("POST", "/faults", {"request": "POST /identity", "do": {"hang": True}}),
        "control.clear_faults": ("DELETE", "/faults", None),
        "control.restore": ("PUT", "/snapshot", snapshot),
        "control.sign_token": ("POST", "/spacetime/tokens", {"subject": "alice"}),
        "control.inspect_token": ("POST", "/spacetime/tokens/inspect", {"token": "x"}),
        "control.rotate_key": ("POST", "/spacetime/rotate-key", None),
        "control.issue_api_key": ("POST", "/intuition/api-keys", {"wallet": "0x81"}),
        "control.revoke_api_key": ("DELETE", "/intuition/api-keys", {"key": key}),
        "control.move_identity": ("POST", "/intuition/status", {"identity": row.id, "status": "error"}),
        "control.set_lifecycle": ("POST", "/intuition/lifecycle", {"pending": True}),
        "control.add_stub": ("POST", "/stubs", {"request": "POST /claims", "json": []}),
        "control.clear_stubs": ("DELETE", "/stubs", None),
        "control.close_connections": ("DELETE", "/connections", None),
        "control.add_database": ("POST", "/spacetime/databases", {"owner": OWNER, "name": "shop"}),
        "control.add_issuer": ("POST", "/issuers", {"url": "https://other.example.com"}),
        "control.clear_issuers": ("DELETE", "/issuers", None),
        "control.issuer_token": ("POST", "/issuers/1/tokens", {"subject": "alice"}),
        "control.rotate_issuer_key": ("POST", "/issuers/1/rotate-key", None),
        "control.publish_keys": ("POST", "/issuers/1/publish", {"jwks": {"keys": []}}),
        "control.set_condition": ("POST", "/issuers/1/condition", {"condition": "down"}),
        "control.open_world": ("POST", "/worlds", {"seed": 7, "idle_exit": 60}),
        "control.close_world": ("DELETE", f"/worlds/{world}", None),
        "control.stub_reducer": ("POST", "/spacetime/reducers", {"database": "chat", "reducer": "send"}),
    }


@pytest.mark.parametrize("name", [each.name for each in OPERATIONS if each.method != "GET"])
def test_a_call_that_changes_something_answers_what_is_now_true(emulator: Emulator, name: str) -> None:
    method, path, body = changes(emulator)[name]

    answer = requests.request(method, f"{emulator.url}/_emulator{path}", json=body, timeout=PATIENCE)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json(), dict)
    assert answer.json() != {}


def test_a_token_of_an_actor_has_the_scenarios_claims(emulator: Emulator) -> None:
    people = {"alice": {"issuer": "https://a.example", "subject": "al", "claims": {"role": "admin"}}}
    emulator.load({"version": 1, "spacetime": {"identities": people}})
    wanted = {"actor": "alice", "expires_in": -100, "claims": {"more": 1}}

    token = requests.post(f"{emulator.url}/_emulator/spacetime/tokens", json=wanted, timeout=PATIENCE).json()["token"]

    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iss"], claims["sub"], claims["role"], claims["more"]) == ("https://a.example", "al", "admin", 1)
    assert claims["exp"] == claims["iat"] - 100
