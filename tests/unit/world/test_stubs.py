"""Stubs of a world: what is a mistake, what is emulated, and which one fits."""

import re
from threading import RLock
from typing import Any

import pytest

from emulator.faults.step import made_step
from emulator.http.operation import Operation
from emulator.services.intuition.operations import OPERATIONS
from emulator.services.spacetimedb.operations import operations_of
from emulator.services.spacetimedb.releases import PROFILES
from emulator.world import stubs
from emulator.world.stubs import Stubs, made_stub, why_emulated
from tests.worlds import make_world

KNOWN = (*operations_of(PROFILES["documented"]), *OPERATIONS)


def some(*requests: str, times: int | None = None) -> Stubs:
    found = Stubs(RLock())
    for request in requests:
        found.add(made_stub({"request": request, "times": times}))
    return found


def answering(found: Stubs, method: str, path: str) -> int:
    """The number of the stub that answers, 0 without one."""
    stub = found.find(method, path)
    return stub.number if stub is not None and found.count(stub) else 0


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"request": "POST"}, "request: 'POST' is not like 'POST /claims'"),
        ({"request": "/claims"}, "request: '/claims' is not like 'POST /claims'"),
        ({"request": "get /claims"}, "a method in upper case and a path"),
        ({"request": "GET claims"}, "it begins with /"),
        ({"request": "GET /a b"}, "percent-encoded"),
        ({"request": "GET /é"}, "percent-encoded"),
        ({"request": "GET /a\n"}, "percent-encoded"),
        ({"request": "GET /claims?a=1"}, "a stub answers requests with any query"),
        ({"request": "GET /_emulator/state"}, "the control routes have no stubs"),
        ({"request": f"GET /{'a' * 500}"}, "it has 505 characters; the limit is 500"),
        ({"request": "GET /a", "status": 199}, "status: 199 is not a valid status"),
        ({"request": "GET /a", "status": 600}, "status: 600 is not a valid status"),
        ({"request": "GET /a", "times": 0}, "times: it must be a number from 1"),
        ({"request": "GET /a", "times": 10**10}, "times: it must be a number from 1"),
        ({"request": "GET /a", "headers": {"a b": "c"}}, "headers: invalid header 'a b'"),
        ({"request": "GET /a", "headers": {"a": "b\r\nc: d"}}, "headers: invalid header 'a'"),
        ({"request": "GET /a", "headers": {"a": "\ud800"}}, "headers.a: character 1 is U+D800, an unpaired surrogate"),
        ({"request": "GET /a", "headers": {"Date": "x"}}, "headers: 'Date' is written by the server itself"),
        ({"request": "GET /a", "json": 1, "text": "b"}, "text: either json or text, not both"),
        ({"request": "GET /a", "text": "a", "body": "b"}, "body: either text or body, not both"),
        ({"request": "GET /a", "base64": "hello"}, "base64: it is not valid"),
        ({"request": "GET /a", "text": "\ud800"}, "text: character 1 is U+D800"),
        ({"request": "GET /a", "text": "a" * 2**20 + "a"}, "text: the body has 1048577 bytes; the limit is 1048576"),
        ({"request": "DELETE /a", "status": 204, "json": None}, "json: a response with status 204 has no body"),
        ({"request": "GET /a", "auth": "google"}, "auth: expected spacetime or intuition or none, got 'google'"),
        ({"request": "GET /a", "jsn": 1}, "a stub has no key 'jsn'; did you mean 'json'?"),
        ({"json": 1}, "request: missing"),
        ({"request": "GET", "status": 1}, "is not like 'POST /claims': a method in upper case and a path; status: 1"),
    ],
)
def test_a_wrong_stub_says_what_is_wrong(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        made_stub(fields)


@pytest.mark.parametrize("request_", ["PATCH /a%20b", "* /**", "GET **", "M-SEARCH /x/*y", "GET /v1/database/a/route"])
def test_what_a_request_may_be(request_: str) -> None:
    assert made_stub({"request": request_}).request == request_


def test_null_is_a_body() -> None:
    assert made_stub({"request": "GET /a", "json": None}).content == (b"null", "application/json")


def test_a_stub_without_a_body_has_none() -> None:
    assert made_stub({"request": "GET /a"}).content == (b"", "")


# --- what is emulated -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "operation"),
    [
        ("POST /v1/identity", "spacetime.create_identity"),
        ("* /v1/identity", "spacetime.create_identity"),
        ("GET /v1/identity/*/verify", "spacetime.verify"),
        ("GET /v1/identity/c2*/verify", "spacetime.verify"),
        ("HEAD /v1/ping", "spacetime.ping"),
        ("OPTIONS /v1/ping", "spacetime.ping"),
        ("GET /v1/database/chat", "spacetime.get_database"),
        ("* /v1/database/*", "spacetime.get_database"),
        ("GET /v1/database/*/names", "spacetime.get_database_names"),
        ("GET /v1/database/*/subscribe", "spacetime.subscribe"),
        ("GET /identities/*", "intuition.get_identity"),
        ("GET /identity/7", "intuition.get_identity"),
        ("POST /identities", "intuition.create_identity"),
        ("GET /identities/search", "intuition.search_identities"),
    ],
)
def test_no_stub_has_requests_that_are_emulated(request_: str, operation: str) -> None:
    assert why_emulated(request_, KNOWN) == (
        f"{request_!r} is emulated ({operation}), so no stub can answer it; for another response add a fault to it"
    )


@pytest.mark.parametrize(
    "request_",
    [
        "POST /claims",
        "GET /users/wallet/*",
        "PUT /identities/*",
        "PUT /v1/database/chat",
        "* /v1/database/chat/schema",
        "POST /v1/database/chat/call/*",
        "GET /v1/database/chat/route/**",
        "GET /v1/database/**",
        "GET /v1/identity",
        "HEAD /identity",
        "GET /v1/**",
        "* /**",
        "GET /v1/p*",
        "GET /v1/identity/*",
    ],
)
def test_what_is_not_emulated_or_not_all_of_it_can_have_a_stub(request_: str) -> None:
    assert why_emulated(request_, KNOWN) == ""


def test_a_route_that_is_known_and_not_emulated_can_have_a_stub() -> None:
    call = Operation("spacetime.call", "POST", ("/v1/database/:database/call/:reducer",), emulated=False)

    assert why_emulated("POST /v1/database/chat/call/*", (call,)) == ""


def test_what_only_another_profile_has_can_have_a_stub() -> None:
    spec = made_stub({"request": "POST /v1/identity/*/set-email"})

    assert make_world(spacetime_profile="v2.8").add_stub(spec).number == 1
    with pytest.raises(ValueError, match=r"is emulated \(spacetime.set_email\)"):
        make_world(spacetime_profile="documented").add_stub(spec)


# --- which one fits ---------------------------------------------------------------------------------------------------


def test_the_first_that_fits_answers() -> None:
    found = some("GET /a", "GET /*", "* /**")

    assert [answering(found, *each) for each in (("GET", "/a"), ("GET", "/b"), ("PUT", "/a"), ("GET", "/a/b"))] == [
        1,
        2,
        3,
        3,
    ]


def test_get_answers_head_too() -> None:
    found = some("POST /a", "GET /a")

    assert (answering(found, "HEAD", "/a"), answering(found, "DELETE", "/a")) == (2, 0)


def test_one_that_is_used_up_leaves_the_rest_to_the_next() -> None:
    found = some("GET /a", "GET /a", times=2)

    assert [answering(found, "GET", "/a") for _ in range(5)] == [1, 1, 2, 2, 0]
    assert [(stub.answered, stub.fired, stub.done) for stub in found] == [(2, 2, True), (2, 2, True)]


def test_without_times_one_answer_is_done() -> None:
    found = some("GET /a")
    [stub] = found
    before = stub.done
    answering(found, "GET", "/a")

    assert (before, stub.done) == (False, True)


def test_a_removed_one_answers_no_more_and_keeps_its_count() -> None:
    found = some("GET /a", "GET /a")
    first = next(iter(found))
    answering(found, "GET", "/a")
    first.remove()

    assert (answering(found, "GET", "/a"), first.answered, len(found)) == (2, 1, 1)


def test_one_that_was_removed_meanwhile_is_not_counted() -> None:
    found = some("GET /a")
    stub = found.find("GET", "/a")
    assert stub is not None
    found.clear()

    assert (found.count(stub), stub.answered) == (False, 0)


def test_there_are_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stubs, "MOST", 2)
    found = some("GET /a", "GET /b")

    with pytest.raises(ValueError, match="there are 2 stubs, which is the limit"):
        found.add(made_stub({"request": "GET /c"}))


def test_a_fork_goes_its_own_way() -> None:
    found = some("GET /a", times=2)
    answering(found, "GET", "/a")
    fork = found.fork(RLock())
    answering(fork, "GET", "/a")
    fork.add(made_stub({"request": "GET /b"}))

    assert [(stub.number, stub.answered) for stub in found] == [(1, 1)]
    assert [(stub.number, stub.answered) for stub in fork] == [(1, 2), (2, 0)]


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", ["POST /claims/7", "POST /claims/*", "* /claims/**", "POST /**/7"])
def test_a_fault_can_be_added_for_what_a_stub_answers(request_: str) -> None:
    world = make_world()
    world.add_stub(made_stub({"request": "POST /claims/*"}))

    assert world.add_step(made_step({"request": request_, "do": {"status": 503}})).number == 1


@pytest.mark.parametrize("request_", ["GET /claims/7", "POST /claim/7", "POST /claims/a/b", "POST /claims"])
def test_a_fault_can_not_be_added_for_what_no_stub_answers(request_: str) -> None:
    world = make_world()
    world.add_stub(made_stub({"request": "POST /claims/*"}))

    with pytest.raises(ValueError, match="no route matches"):
        world.add_step(made_step({"request": request_, "do": {"status": 503}}))
