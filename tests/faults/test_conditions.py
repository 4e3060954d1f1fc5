"""Faults for requests that hold something: in their body, headers or query."""

import re
from typing import Any

import pytest
import requests

from emulator import Emulator
from emulator.control.remote import RemoteEmulator
from tests.conftest import API_KEY
from tests.waiting import PATIENCE

DRAFT = {"display_name": "JP", "creator": "0x81", "description": "It is JP."}


def post(emulator: Emulator, query: str = "", **options: Any) -> int:
    headers = {"x-api-key": API_KEY, **options.pop("headers", {})}
    url = f"{emulator.url}/identity{query}"
    return requests.post(url, headers=headers, timeout=PATIENCE, **({"json": DRAFT} | options)).status_code


@pytest.fixture(params=["in process", "by URL"])
def handle(request: pytest.FixtureRequest, emulator: Emulator) -> Emulator:
    return emulator if request.param == "in process" else RemoteEmulator(emulator.url)


@pytest.mark.parametrize(
    ("condition", "other"),
    [
        ({"json": {"display_name": "JP"}}, {"json": {**DRAFT, "display_name": "Jo"}}),
        ({"query": {"page": 2}}, {"query": "?page=3"}),
        ({"headers": {"X-Tenant": "a"}, "do": {"status": 503}}, {"headers": {"x-tenant": "b"}}),
        ({"body": b'{"display_name":"JP"}', "do": {"status": 503}}, {}),
        (
            {"body": re.compile("name.*JP"), "do": {"status": 503}},
            {"json": {**DRAFT, "display_name": "Jo", "description": ""}},
        ),
    ],
)
def test_it_happens_to_requests_that_hold_it_and_to_no_other(
    handle: Emulator, condition: dict[str, Any], other: dict[str, Any]
) -> None:
    handle.faults.add("POST /identity", **(condition if "do" in condition else {**condition, "status": 503}))
    held = {"data": b'{"display_name":"JP"}', "json": None} if isinstance(condition.get("body"), bytes) else {}

    assert post(handle, "?page=2", headers={"x-tenant": "a", "Content-Type": "application/json"}, **held) == 503
    assert post(handle, **other) == 200


def test_the_body_is_there_for_the_handler_too(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", json={"display_name": "Jo"}, status=503)

    assert post(emulator) == 200
    assert emulator.journal[-1].request.json() == DRAFT
    assert len(emulator.intuition.identities) == 1


def test_a_pattern_sees_the_first_kib_of_a_body(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", body=re.compile("JP"), do={"status": 503})
    late = {"description": "x" * 1024, "display_name": "JP"}

    assert post(emulator, json={"display_name": "JP", "description": "x" * 1024}) == 503
    assert post(emulator, json=late) != 503


def test_only_requests_that_hold_it_count(emulator: Emulator) -> None:
    fault = emulator.faults.add("POST /identity", json={"display_name": "Jo"}, nth=2, status=503)
    jo = {**DRAFT, "display_name": "Jo"}

    assert [post(emulator), post(emulator, json=jo), post(emulator), post(emulator, json=jo)] == [200, 200, 200, 503]
    assert fault.seen == 2


def test_a_body_that_is_too_long_meets_no_condition_and_is_refused_as_ever(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", json={"display_name": "JP"}, status=503)

    assert post(emulator, json={**DRAFT, "description": "x" * 3_000_000}) == 413


def test_a_condition_is_in_a_snapshot(emulator: Emulator) -> None:
    emulator.faults.add("POST /identity", body=re.compile(b"jp", re.IGNORECASE), do={"status": 503})
    remote = RemoteEmulator(emulator.url)
    document = remote.snapshot()
    emulator.reset()

    remote.restore(document)

    assert post(emulator) == 503


def test_a_scenario_has_conditions_as_well(emulator: Emulator) -> None:
    step = {"request": "POST /identity", "json": {"display_name": "JP"}, "do": {"status": 503}}
    emulator.reset(scenario={"version": 1, "script": [step]})

    assert post(emulator) == 503
    assert post(emulator, json={**DRAFT, "display_name": "Jo"}) == 200


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"body": {"pattern": "("}}, "body: '(' is not a regular expression"),
        ({"body": {"pattern": "(a+)+$"}}, "body: '(a+)+$' can take too long, and the server waits for it"),
        ({"body": {"pattern": "(?:ab?)*c"}}, "can take too long"),
        ({"body": {"pattern": "(aa?)" * 30}}, "can take too long"),
        ({"body": {"pattern": ".*a.*b.*c"}}, "at most two parts may be repeated"),
        ({"body": {"pattern": "a" * 501}}, "body: the pattern has 501 characters; the limit is 500"),
        ({"body": {}}, "body: give `pattern` or `base64`, one of both"),
        ({"body": {"base64": "!"}}, "body: "),
        ({"json": {}, "body": "x"}, "json: it can't be combined with `body`"),
        ({"headers": {"a": 5}}, "headers.a: expected text, got 5"),
    ],
)
def test_a_condition_that_can_not_be_is_refused(emulator: Emulator, step: dict[str, Any], said: str) -> None:
    body = {"request": "POST /identity", **step, "do": {"status": 503}}

    answer = requests.post(f"{emulator.url}/_emulator/faults", json=body, timeout=PATIENCE)

    assert answer.status_code == 400
    assert said in answer.json()["error"]
