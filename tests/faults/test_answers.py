"""Faults with a response, on routes of both APIs: statuses, bodies, delays, rate limits."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests

from emulator import Emulator
from emulator.faults.fault_matrix import Kind, matrix
from tests.client import KEY, create, steer
from tests.conftest import API_KEY
from tests.raw import exchange, request
from tests.waiting import PATIENCE, eventually

# --- what is answered -------------------------------------------------------------------------------------------------


def test_a_status_has_intuition_s_error_body(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", status=503)

    answer = create(emulator)

    assert (answer.status_code, answer.json()) == (503, {"code": 503, "error": "Service Unavailable"})


def test_a_status_has_spacetime_s_error_body(emulator: Emulator) -> None:
    emulator.faults.add("POST /v1/identity", status=503)

    answer = exchange(emulator.url, request("POST", "/v1/identity"))

    assert answer.body == b"Service Unavailable"
    assert answer.names == ["content-type", "vary", "access-control-allow-origin", "content-length", "date"]


def test_a_status_can_have_a_body_and_headers(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", status=503, body={"oops": 1}, headers={"Retry-After": "7"})

    answer = create(emulator)

    assert answer.content == b'{"oops":1}'
    assert (answer.headers["content-type"], answer.headers["retry-after"]) == ("application/json", "7")


def test_a_text_is_sent_as_it_is(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", body="<html>", headers={"content-type": "text/html"})

    answer = create(emulator)

    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "<html>", "text/html")


def test_a_success_status_without_a_body_has_no_body(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", status=202)

    assert create(emulator).content == b""


def test_a_status_without_a_standard_name_is_sent(emulator: Emulator) -> None:
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

    assert requests.get(f"{emulator.url}/identity/x", headers=KEY, timeout=PATIENCE).status_code == 503


def test_any_method_and_any_path_can_be_meant(emulator: Emulator) -> None:
    emulator.faults.add("* /**", status=500)

    assert [
        requests.get(f"{emulator.url}{path}", timeout=PATIENCE).status_code for path in ("/v1/ping", "/identities")
    ] == [500, 500]


def test_the_control_routes_are_never_faulted(emulator: Emulator) -> None:
    emulator.faults.add("* /**", status=500)

    assert steer(emulator, "GET", "/health").status_code == 200


def test_a_path_without_a_route_stays_not_found(emulator: Emulator) -> None:
    emulator.faults.add("* /**", status=500)

    assert requests.get(f"{emulator.url}/v1/nonsense", timeout=PATIENCE).status_code == 404


def test_a_request_that_no_route_has_is_refused_with_the_nearest(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="no route matches 'POST /v1/identiti'; did you mean 'POST /v1/identity'"):
        emulator.faults.add("POST /v1/identiti", status=503)


def test_a_method_the_route_has_not_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="no route matches 'PUT /v1/identity'"):
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
def test_the_matrix_tells_whether_the_row_is_stored(kind: Kind, emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", times=1, **kind.do)
    with suppress(requests.RequestException):
        create(emulator)

    assert (len(emulator.intuition.identities) == 1) == (kind.stored and kind.name != "revoke")


def test_the_journal_names_the_fault(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", nth=1, status=503)
    create(emulator)

    [found] = emulator.journal.exchanges
    assert found.fault == "POST /identity (nth 1): status: 503"
    assert found.why == "fault: POST /identity (nth 1): status: 503"


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
        assert eventually(lambda: fault.fired == 1)
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
