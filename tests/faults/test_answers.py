"""What was ordered happens, on the routes of both APIs and to the world."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import requests

from emulator import Emulator
from emulator.faults import Kind, matrix
from tests.conftest import API_KEY
from tests.raw import exchange, request

KEY = {"x-api-key": API_KEY}
ROW = {"display_name": "JP", "creator": "0x81"}


def create(emulator: Emulator, path: str = "/identity", **headers: str) -> requests.Response:
    return requests.post(f"{emulator.url}{path}", json=ROW, headers=KEY | headers, timeout=5)


def steer(emulator: Emulator, method: str, path: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{emulator.url}/_emulator{path}", json=body, timeout=5)


# --- what is answered -------------------------------------------------------------------------------------------------


def test_a_status_is_said_in_intuition_s_words(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", status=503)

    answer = create(emulator)

    assert (answer.status_code, answer.json()) == (503, {"code": 503, "error": "Service Unavailable"})


def test_a_status_is_said_in_spacetime_s_words(emulator: Emulator) -> None:
    emulator.faults.add("POST /v1/identity", status=503)

    answer = exchange(emulator.url, request("POST", "/v1/identity"))

    assert answer.body == b"Service Unavailable"
    assert answer.names == [
        "content-type",
        "vary",
        "access-control-allow-origin",
        "content-length",
        "date",
    ]


def test_a_status_can_have_a_body_and_headers(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", status=503, body={"oops": 1}, headers={"Retry-After": "7"})

    answer = create(emulator)

    assert answer.content == b'{"oops":1}'
    assert (answer.headers["content-type"], answer.headers["retry-after"]) == ("application/json", "7")


def test_a_text_is_sent_as_it_is(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", body="<html>", headers={"content-type": "text/html"})

    answer = create(emulator)

    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "<html>", "text/html")


def test_good_news_without_a_body_have_none(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", status=202)

    assert create(emulator).content == b""


def test_a_status_nobody_has_named_is_sent(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", status=599)

    assert create(emulator).json() == {"code": 599, "error": "Status 599"}


def test_aliases_of_one_operation_count_together(emulator: Emulator) -> None:
    fault = emulator.faults.add("POST /identity", nth=2, status=503)

    assert [create(emulator, path).status_code for path in ("/identities", "/identity", "/identities")] == [
        200,
        503,
        200,
    ]
    assert (fault.seen, fault.fired) == (3, 1)


def test_an_alias_with_a_parameter_is_the_same_operation(emulator: Emulator) -> None:
    emulator.faults.add("GET /identities/*", status=503)

    assert requests.get(f"{emulator.url}/identity/x", headers=KEY, timeout=5).status_code == 503


def test_any_method_and_any_path_can_be_meant(emulator: Emulator) -> None:
    emulator.faults.add("* /**", status=500)

    assert [requests.get(f"{emulator.url}{path}", timeout=5).status_code for path in ("/v1/ping", "/identities")] == [
        500,
        500,
    ]


def test_the_control_routes_are_never_faulted(emulator: Emulator) -> None:
    emulator.faults.add("* /**", status=500)

    assert steer(emulator, "GET", "/health").status_code == 200


def test_a_path_without_a_route_stays_not_found(emulator: Emulator) -> None:
    emulator.faults.add("* /**", status=500)

    assert requests.get(f"{emulator.url}/v1/nonsense", timeout=5).status_code == 404


def test_a_request_that_no_route_has_is_refused_with_the_nearest(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="no route is like 'POST /v1/identiti'; did you mean 'POST /v1/identity'"):
        emulator.faults.add("POST /v1/identiti", status=503)


def test_a_method_the_route_has_not_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="no route is like 'PUT /v1/identity'"):
        emulator.faults.add("PUT /v1/identity", status=503)


def test_nothing_goes_wrong_after_clear(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", status=503)
    emulator.faults.clear()

    assert create(emulator).status_code == 200


def test_nothing_goes_wrong_after_a_reset(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", status=503)
    emulator.reset()

    assert create(emulator).status_code == 200


@pytest.mark.parametrize("kind", [kind for kind in matrix() if kind.name != "hang"])
def test_the_matrix_says_whether_it_is_stored(kind: Kind, emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", times=1, **kind.do)
    with suppress(requests.RequestException):
        create(emulator)

    assert (len(emulator.intuition.identities) == 1) == (kind.stored and kind.name != "revoke")


def test_the_journal_says_what_was_ordered(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", nth=1, status=503)
    create(emulator)

    [found] = emulator.journal.exchanges
    assert found.fault == "POST /identity (nth 1): status: 503"
    assert found.why == "a fault was ordered, POST /identity (nth 1): status: 503"


def test_an_answer_that_was_lost_is_in_the_journal_with_its_retry(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", times=1, drop="after")
    with pytest.raises(requests.ConnectionError):
        create(emulator)
    create(emulator)

    [[lost, again]] = emulator.journal.duplicates()
    assert (lost.status, again.status) == (0, 200)
    assert len(emulator.intuition.identities) == 2


# --- delays and limits ------------------------------------------------------------------------------------------------


def test_a_delay_on_the_clock_ends_when_the_clock_is_moved(emulator: Emulator) -> None:
    emulator.clock.freeze()
    fault = emulator.faults.add("POST /identity", delay=100, on_clock=True)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(create, emulator)
        while not fault.fired:
            pass
        assert not answer.done()
        emulator.clock.advance(100)

    assert answer.result().status_code == 200


def test_a_delayed_request_on_a_running_clock_is_answered(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", delay=0.01, on_clock=True)

    assert create(emulator).status_code == 200


def test_a_rate_limit_is_on_the_emulator_s_clock(emulator: Emulator) -> None:
    emulator.clock.freeze()
    emulator.faults.add("POST /identity", rate_limit={"requests": 1, "seconds": 60})
    first, second = create(emulator), create(emulator)
    emulator.clock.advance(60)

    assert (first.status_code, second.status_code, second.headers["retry-after"]) == (200, 429, "60")
    assert second.json() == {"code": 429, "error": "Too Many Requests"}
    assert create(emulator).status_code == 200


def test_each_api_key_has_a_limit_of_its_own(emulator: Emulator) -> None:
    other = emulator.intuition.issue_api_key("0x82")
    emulator.faults.add("POST /identity", rate_limit={"requests": 1, "seconds": 60})
    create(emulator)

    assert [create(emulator, **{"x-api-key": key}).status_code for key in (API_KEY, other)] == [429, 200]


# --- what a step does to the world ------------------------------------------------------------------------------------


def test_a_key_is_lost_before_the_request_is_looked_at(emulator: Emulator) -> None:
    alice = emulator.spacetime.create_identity()
    emulator.faults.add("GET /v1/identity/*/verify", nth=2, rotate_key=True)
    url = f"{emulator.url}/v1/identity/{alice.identity}/verify"

    answers = [requests.get(url, headers={"Authorization": f"Bearer {alice.token}"}, timeout=5) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 401]


def test_a_step_happens_at_its_time(emulator: Emulator) -> None:
    token = emulator.spacetime.issue_token(subject="alice")
    emulator.clock.freeze()
    emulator.faults.add(at=90, rotate_key=True)
    url, headers = f"{emulator.url}/v1/identity/websocket-token", {"Authorization": f"Bearer {token}"}

    before = requests.post(url, headers=headers, timeout=5)
    emulator.clock.advance(90)
    after = requests.post(url, headers=headers, timeout=5)

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


def test_a_name_that_is_gone_when_its_turn_comes_changes_nothing(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", revoke=API_KEY)
    emulator.intuition.revoke_api_key(API_KEY)

    assert create(emulator).status_code == 401


def test_the_clock_can_be_moved_by_a_step(emulator: Emulator) -> None:
    emulator.clock.freeze()
    before = emulator.clock.now()
    emulator.faults.add("POST /identity", times=1, advance=60)
    create(emulator)

    assert (emulator.clock.now() - before).total_seconds() == 60


def test_what_has_not_happened_is_told(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", nth=2, status=503)
    create(emulator)

    with pytest.raises(AssertionError, match=r"not everything .* happened:\n<Fault 1 POST /identity \(nth 2\)"):
        emulator.faults.assert_done()


def test_a_turn_that_another_step_took_is_missed(emulator: Emulator) -> None:
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


# --- the same over HTTP -----------------------------------------------------------------------------------------------


def test_a_fault_is_ordered_over_http(emulator: Emulator) -> None:
    told = steer(emulator, "POST", "/faults", {"request": "POST /identity", "nth": 1, "do": {"status": 503}}).json()
    create(emulator)

    [found] = steer(emulator, "GET", "/faults").json()["faults"]
    assert (told["n"], told["status"]) == (1, "waiting")
    assert (found["seen"], found["fired"], found["status"]) == (1, 1, "done")


def test_one_fault_or_all_are_taken_away_over_http(emulator: Emulator) -> None:
    for _ in range(3):
        steer(emulator, "POST", "/faults", {"request": "POST /identity", "do": {"status": 503}})

    assert steer(emulator, "DELETE", "/faults", {"n": 2}).status_code == 204
    assert [each["n"] for each in steer(emulator, "GET", "/faults").json()["faults"]] == [1, 3]
    assert steer(emulator, "DELETE", "/faults").status_code == 204
    assert steer(emulator, "GET", "/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"request": "POST /identity", "do": {"stauts": 503}}, "`do` has no key 'stauts'; did you mean 'status'?"),
        ({"request": "POST /identity"}, "Object missing required field `do`"),
        ({"request": "POST /identity", "do": 5}, "Expected `object`, got `int` - at `$.do`"),
        ({"request": "POST", "do": {"hang": True}}, "'POST' is not like 'POST /v1/identity'"),
        ({"request": "POST /identity", "actor": "bob", "do": {"hang": True}}, "no actor 'bob'; there is none"),
        ({}, "Object missing required field `do`"),
    ],
)
def test_a_wrong_fault_is_refused_over_http(emulator: Emulator, body: dict[str, Any], error: str) -> None:
    answer = steer(emulator, "POST", "/faults", body)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert len(emulator.faults) == 0


def test_a_fault_that_is_not_there_can_not_be_taken_away(emulator: Emulator) -> None:
    assert steer(emulator, "DELETE", "/faults", {"n": 9}).status_code == 404


# --- Intuition's lifecycle --------------------------------------------------------------------------------------------


def test_a_pending_identity_is_in_no_vault(emulator: Emulator) -> None:
    emulator.intuition.lifecycle()

    assert (create(emulator).json()["status"], create(emulator).json()["vault_id"]) == ("pending", "0")


def test_a_call_completes_it_in_the_next_vault(emulator: Emulator) -> None:
    first = create(emulator).json()
    emulator.intuition.lifecycle()
    second = create(emulator).json()

    row = emulator.intuition.complete(second["id"])

    assert (first["vault_id"], row.status, row.vault_id) == ("1", "complete", "2")
    assert requests.get(f"{emulator.url}/identity/2", headers=KEY, timeout=5).json()["id"] == second["id"]


def test_time_completes_it_at_its_moment(emulator: Emulator) -> None:
    emulator.clock.freeze()
    emulator.intuition.lifecycle(complete_after=30)
    row = create(emulator).json()
    emulator.clock.advance(29)
    early = emulator.intuition.identities[row["id"]].status
    emulator.clock.advance(61)

    found = requests.get(f"{emulator.url}/identity/{row['id']}", headers=KEY, timeout=5).json()
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

    listed = requests.get(f"{emulator.url}/identities?status=pending", headers=KEY, timeout=5).json()
    assert listed["total"] == 1


def test_the_lifecycle_is_steered_over_http(emulator: Emulator) -> None:
    assert steer(emulator, "POST", "/intuition/lifecycle", {"pending": True}).status_code == 204
    row = create(emulator).json()

    moved = steer(emulator, "POST", "/intuition/status", {"identity": row["id"], "status": "removed"}).json()

    assert (row["status"], moved["status"]) == ("pending", "removed")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/intuition/status", {"identity": "x", "status": "complete"}, 404),
        ("/intuition/status", {"identity": "x", "status": "done"}, 400),
        ("/intuition/status", {"identity": "x"}, 400),
        ("/intuition/lifecycle", {"pending": "yes"}, 400),
        ("/intuition/lifecycle", {"pending": True, "complete_after": -1}, 400),
        ("/intuition/lifecycle", {}, 400),
    ],
)
def test_a_wrong_move_is_refused(emulator: Emulator, path: str, body: dict[str, Any], status: int) -> None:
    assert steer(emulator, "POST", path, body).status_code == status
