"""Stubs and stubbed reducers over the control routes, and over the handle of another process."""

from typing import Any

import pytest

from emulator import Emulator, Misconfigured
from emulator.control.reach import OutOfReach
from emulator.control.remote import RemoteEmulator
from tests.client import steer
from tests.conftest import API_KEY
from tests.raw import exchange, request


def claims(emulator: Emulator) -> tuple[int, bytes]:
    answer = exchange(emulator.url, request("GET", "/claims", f"x-api-key: {API_KEY}"))
    return answer.status, answer.body


def test_a_stub_is_added_over_http(emulator: Emulator) -> None:
    told = steer(emulator, "POST", "/stubs", {"request": "GET /claims", "json": {"b": 1, "a": 2}, "times": 2}).json()

    assert claims(emulator) == (200, b'{"b":1,"a":2}')
    assert told == {
        "n": 1,
        "request": "GET /claims",
        "json": {"b": 1, "a": 2},
        "times": 2,
        "answered": 0,
        "done": False,
    }
    assert steer(emulator, "GET", "/stubs").json() == {"stubs": [{**told, "answered": 1}]}


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"json": None}, b"null"),
        ({"text": "é"}, "é".encode()),
        ({"body": "<a>"}, b"<a>"),
        ({"base64": "/wA="}, b"\xff\0"),
    ],
)
def test_each_kind_of_body_can_be_given_over_http(emulator: Emulator, fields: dict[str, Any], body: bytes) -> None:
    steer(emulator, "POST", "/stubs", {"request": "GET /claims", **fields})

    assert claims(emulator) == (200, body)


def test_one_stub_or_all_are_removed_over_http(emulator: Emulator) -> None:
    for _ in range(3):
        steer(emulator, "POST", "/stubs", {"request": "GET /claims"})

    assert [each["n"] for each in steer(emulator, "DELETE", "/stubs", {"n": 2}).json()["stubs"]] == [1, 3]
    assert [each["n"] for each in steer(emulator, "GET", "/stubs").json()["stubs"]] == [1, 3]
    assert steer(emulator, "DELETE", "/stubs").json() == {"stubs": []}
    assert steer(emulator, "GET", "/stubs").json() == {"stubs": []}
    assert steer(emulator, "DELETE", "/stubs", {"n": 3}).status_code == 404


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"request": "GET /claims", "jsn": 1}, "a stub has no key 'jsn'; did you mean 'json'?"),
        ({}, "request: missing"),
        ({"request": 5}, "request: expected text, got 5"),
        ({"request": "GET /claims", "status": 99}, "status: 99 is not a valid status; it must be from 200 to 599"),
        (
            {"request": "POST /v1/identity"},
            "'POST /v1/identity' is emulated (spacetime.create_identity), so no stub can answer it; "
            "for another response add a fault to it",
        ),
    ],
)
def test_a_wrong_stub_is_refused_over_http(emulator: Emulator, body: dict[str, Any], error: str) -> None:
    answer = steer(emulator, "POST", "/stubs", body)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["hint"] == 'send {"request": "POST /claims", "json": {"id": "1"}}'
    assert len(emulator.stubs) == 0


def test_what_a_function_answers_is_listed_and_in_no_snapshot(emulator: Emulator) -> None:
    emulator.stub("GET /claims", answer=lambda _: [])

    answer = steer(emulator, "GET", "/snapshot")

    assert answer.status_code == 409
    assert answer.json()["error"] == (
        "the stub 'GET /claims' is answered by a function, which a document can't hold; "
        "snapshot() of the emulator's own process keeps it"
    )
    assert steer(emulator, "GET", "/stubs").json()["stubs"][0]["function"] is True


def test_a_snapshot_over_http_holds_the_stubs(emulator: Emulator) -> None:
    emulator.stub("GET /claims", body=b"\xff", times=2)
    claims(emulator)
    document = steer(emulator, "GET", "/snapshot").json()
    emulator.reset()

    assert steer(emulator, "PUT", "/snapshot", document).status_code == 200
    assert [claims(emulator)[0] for _ in range(2)] == [200, 404]


def test_state_counts_the_stubs(emulator: Emulator) -> None:
    emulator.stub("GET /claims")

    assert steer(emulator, "GET", "/state").json()["stubs"] == 1


# --- the handle -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["in process", "by URL"])
def handle(request: pytest.FixtureRequest, emulator: Emulator) -> Emulator:
    return emulator if request.param == "in process" else RemoteEmulator(emulator.url)


def test_a_handle_tells_what_its_stub_did(handle: Emulator) -> None:
    stub = handle.stub("GET /claims", json=[1], status=201, headers={"a": "b"}, times=1)
    before = (stub.number, stub.request, stub.answered, stub.fired, stub.done)

    assert claims(handle) == (201, b"[1]")
    assert (*before, stub.answered, stub.fired, stub.done) == (1, "GET /claims", 0, 0, False, 1, 1, True)
    assert [each.number for each in handle.stubs] == [1]


def test_a_removed_stub_keeps_its_count(handle: Emulator) -> None:
    stub = handle.stub("GET /claims", body=b"\xff")
    assert claims(handle) == (200, b"\xff")
    stub.remove()

    assert (claims(handle)[0], stub.answered, len(handle.stubs)) == (404, 1, 0)


def test_all_stubs_are_cleared(handle: Emulator) -> None:
    handle.stub("GET /claims")
    handle.stubs.clear()

    assert len(handle.stubs) == 0


def test_stubs_that_did_not_answer_are_named(handle: Emulator) -> None:
    handle.stub("GET /claims", times=2)
    claims(handle)

    with pytest.raises(AssertionError, match=r"did not answer as often as they should:\n<Stub .*GET /claims"):
        handle.stubs.assert_done()

    claims(handle)
    handle.stubs.assert_done()


def test_what_is_emulated_is_refused(handle: Emulator) -> None:
    with pytest.raises((ValueError, Misconfigured), match=r"is emulated \(intuition.create_identity\)"):
        handle.stub("POST /identity", json={})


def test_a_function_needs_the_emulator_s_own_process(emulator: Emulator) -> None:
    with pytest.raises(OutOfReach, match="stub\\(answer=…\\) needs the emulator in this process"):
        RemoteEmulator(emulator.url).stub("GET /claims", answer=lambda _: [])


# --- reducers ---------------------------------------------------------------------------------------------------------


def test_a_reducer_is_stubbed_by_the_name_or_the_identity_of_its_database(handle: Emulator, emulator: Emulator) -> None:
    chat = emulator.spacetime.add_database(emulator.spacetime.create_identity().identity, "chat")
    handle.stub_reducer("chat", "send")
    handle.stub_reducer(chat.identity, "delete")

    reducers = steer(emulator, "GET", "/snapshot").json()["spacetime"]["reducers"]
    assert reducers == {chat.identity: ["delete", "send"]}
    assert steer(emulator, "GET", "/state").json()["spacetime"]["stubbed_reducers"] == 2


def test_a_reducer_of_an_unknown_database_is_refused(handle: Emulator, emulator: Emulator) -> None:
    emulator.spacetime.add_database(emulator.spacetime.create_identity().identity, "chat")

    with pytest.raises((ValueError, Misconfigured), match="there is no database 'chta'; did you mean 'chat'"):
        handle.stub_reducer("chta", "send")


def test_a_reset_takes_stubbed_reducers_away(emulator: Emulator) -> None:
    emulator.spacetime.add_database(emulator.spacetime.create_identity().identity, "chat")
    emulator.stub_reducer("chat", "send")
    emulator.reset()

    assert steer(emulator, "GET", "/state").json()["spacetime"]["stubbed_reducers"] == 0
