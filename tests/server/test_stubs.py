"""What a stub sends, whose credentials come first, functions, and faults on stubbed requests."""

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from emulator import Emulator, Exchange, StubAnswer, WrongArgument
from tests.client import KEY
from tests.raw import RawAnswer, connect, exchange, read_answer, request
from tests.waiting import PATIENCE, eventually
from tests.worlds import make_stage, served

CALL = "/v1/database/chat/call/send"
CORS = (
    b"vary: origin, access-control-request-method, access-control-request-headers\r\naccess-control-allow-origin: *\r\n"
)


def sent(emulator: Emulator, method: str, path: str, *headers: str, body: bytes = b"") -> RawAnswer:
    return exchange(emulator.url, request(method, path, *headers, body=body))


def got(emulator: Emulator, method: str, path: str, **more: Any) -> requests.Response:
    return requests.request(method, f"{emulator.url}{path}", timeout=PATIENCE, **more)


def last(emulator: Emulator) -> Exchange:
    return emulator.journal.exchanges[-1]


# --- bodies -----------------------------------------------------------------------------------------------------------


def test_json_is_compact_and_the_head_is_that_of_any_answer(emulator: Emulator) -> None:
    emulator.stub("POST /claims", json={"id": "é", "list": [1, 2.5, None]}, auth="none")

    assert (
        sent(emulator, "POST", "/claims").whole
        == (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 31\r\ndate: <date>\r\n\r\n"
            '{"id":"é","list":[1,2.5,null]}'
        ).encode()
    )


@pytest.mark.parametrize(
    ("given", "body", "content_type"),
    [
        ({"json": None}, b"null", "application/json"),
        ({"json": []}, b"[]", "application/json"),
        ({"text": "a é"}, "a é".encode(), "text/plain; charset=utf-8"),
        ({"body": "<p>"}, b"<p>", None),
        ({"body": b"<p>"}, b"<p>", None),
        ({"body": b"\xff\x00"}, b"\xff\x00", None),
        ({"body": "<p>", "headers": {"Content-Type": "text/html"}}, b"<p>", "text/html"),
        ({"status": 202}, b"", None),
    ],
)
def test_bodies_and_their_content_types(
    emulator: Emulator, given: dict[str, Any], body: bytes, content_type: str | None
) -> None:
    emulator.stub("GET /claims", auth="none", **given)

    answer = sent(emulator, "GET", "/claims")

    assert (answer.status, answer.body) == (given.get("status", 200), body)
    assert answer.header("content-type") == content_type


def test_the_value_that_a_test_changes_later_is_not_the_stub_s(emulator: Emulator) -> None:
    body = [1]
    emulator.stub("GET /claims", json=body, auth="none")
    body.append(2)

    assert got(emulator, "GET", "/claims").json() == [1]


@pytest.mark.parametrize("value", [{1, 2, object}, object(), "\ud800", [[]], {"a": float("nan")}])
def test_what_is_not_json_is_refused(emulator: Emulator, value: Any) -> None:
    if value == [[]]:
        value.append(value)  # it holds itself

    with pytest.raises(WrongArgument, match=r"^stub: json: expected a value of JSON, got "):
        emulator.stub("GET /claims", json=value)


def test_head_has_the_head_of_get_and_no_body(emulator: Emulator) -> None:
    emulator.stub("GET /claims", json=[1], auth="none")

    whole = sent(emulator, "GET", "/claims")
    head = sent(emulator, "HEAD", "/claims")

    assert (head.head, head.body) == (whole.head, b"")


def test_a_large_body_is_read_so_that_the_connection_goes_on(emulator: Emulator) -> None:
    emulator.stub("POST /files", status=201, auth="none")
    body = b"a" * 3_000_000

    with connect(emulator.url) as connection:
        for _ in range(2):
            connection.sendall(request("POST", "/files", body=body))
            assert read_answer(connection).status == 201

    assert last(emulator).request.size == len(body)


# --- which one --------------------------------------------------------------------------------------------------------


def test_the_first_that_fits_answers_and_a_used_up_one_leaves_the_rest_to_the_next(emulator: Emulator) -> None:
    first = emulator.stub("GET /claims/*", json=1, times=1, auth="none")
    second = emulator.stub("GET /claims/**", json=2, auth="none")

    assert [got(emulator, "GET", "/claims/7").json() for _ in range(3)] == [1, 2, 2]
    assert (first.answered, first.done, second.answered) == (1, True, 2)


def test_the_rest_is_a_404_again_when_all_are_used_up(emulator: Emulator) -> None:
    emulator.stub("GET /else", times=1, auth="none")

    assert [got(emulator, "GET", "/else").status_code for _ in range(2)] == [200, 404]
    assert last(emulator).why == "GET /else: no such route; a stub can answer it"


def test_many_at_once_get_no_more_than_times_says(emulator: Emulator) -> None:
    once = emulator.stub("GET /claims", json=1, times=10, auth="none")
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: got(emulator, "GET", "/claims").status_code, range(40)))

    assert (statuses.count(200), statuses.count(404), once.answered) == (10, 30, 10)


def test_a_wide_pattern_answers_only_what_is_not_emulated(emulator: Emulator) -> None:
    emulator.stub("* /**", text="the stub", auth="none")

    assert got(emulator, "GET", "/v1/health").json()["nodes"] == [0]
    assert got(emulator, "OPTIONS", "/v1/health").text == ""
    assert [got(emulator, "GET", path).text for path in ("/v1/helth", "/claims", "/")] == ["the stub"] * 3


def test_a_method_that_an_emulated_path_does_not_have_can_be_stubbed(emulator: Emulator) -> None:
    emulator.stub("PUT /identities/*", json={"ok": True})

    assert got(emulator, "PUT", "/identities/7", headers=KEY).json() == {"ok": True}
    assert got(emulator, "DELETE", "/identities/7", headers=KEY).status_code == 405


def test_a_removed_stub_answers_no_more(emulator: Emulator) -> None:
    stub = emulator.stub("GET /claims", auth="none")
    stub.remove()

    assert got(emulator, "GET", "/claims").status_code == 404


def test_a_reset_takes_the_stubs_of_a_test_away(emulator: Emulator) -> None:
    emulator.stub("GET /claims", auth="none")
    emulator.reset()

    assert (got(emulator, "GET", "/claims").status_code, len(emulator.stubs)) == (404, 0)


# --- credentials ------------------------------------------------------------------------------------------------------


def test_below_v1_database_credentials_are_judged_as_ping_does_and_answers_say_who_it_was(emulator: Emulator) -> None:
    emulator.stub("POST /v1/database/chat/call/*", json=[])
    made = emulator.spacetime.create_identity(subject="alice")

    answer = sent(emulator, "POST", CALL, f"Authorization: Bearer {made.token}")

    assert answer.whole == (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        + f"spacetime-identity: {made.identity}\r\nspacetime-identity-token: {made.token}\r\n".encode()
        + CORS
        + b"content-length: 2\r\ndate: <date>\r\n\r\n[]"
    )


def test_without_credentials_a_new_identity_is_made_there(emulator: Emulator) -> None:
    emulator.stub("POST /v1/database/chat/call/*", json=[])

    answers = [sent(emulator, "POST", CALL) for _ in range(2)]

    assert answers[0].names == [
        "content-type",
        "spacetime-identity",
        "spacetime-identity-token",
        "vary",
        "access-control-allow-origin",
        "content-length",
        "date",
    ]
    assert len({answer.header("spacetime-identity") for answer in answers}) == 2


@pytest.mark.parametrize(
    ("header", "status", "body"),
    [
        ("Authorization: Bearer x", 401, b"Invalid token: InvalidToken"),
        ("Authorization: x", 400, b"Authorization is invalid: malformed token"),
    ],
)
def test_bad_credentials_are_refused_there_without_an_identity(
    emulator: Emulator, header: str, status: int, body: bytes
) -> None:
    stub = emulator.stub("POST /v1/database/chat/call/*", json=[])

    answer = sent(emulator, "POST", CALL, header)

    assert (answer.status, answer.body) == (status, body)
    assert answer.names == ["content-type", "vary", "access-control-allow-origin", "content-length", "date"]
    assert (stub.answered, last(emulator).matched) == (0, True)
    assert last(emulator).operation == "stub 1: POST /v1/database/chat/call/*"


@pytest.mark.parametrize(
    ("method", "path", "framing"),
    [
        ("POST", "/v1/database/chat/call/send", "transfer-encoding"),
        ("POST", "/v1/database/chat/sql", "transfer-encoding"),
        ("GET", "/v1/database/chat/schema", "transfer-encoding"),
        ("POST", "/v1/database/chat/mcp", "content-length"),
        ("PUT", "/v1/database/chat", "content-length"),
        ("POST", "/v1/database/nowhere/sql", "content-length"),
        ("POST", "/v1/database/chat/unknown", "content-length"),
    ],
)
def test_a_database_s_routes_are_framed_as_the_server_frames_them(
    emulator: Emulator, method: str, path: str, framing: str
) -> None:
    emulator.spacetime.add_database(emulator.spacetime.create_identity().identity, "chat")
    emulator.stub(f"{method} {path}", json=[1])

    answer = got(emulator, method, path)

    assert answer.json() == [1]
    assert [name for name in ("transfer-encoding", "content-length") if name in answer.headers] == [framing]


def test_what_needs_a_module_is_501_until_it_is_stubbed(emulator: Emulator) -> None:
    emulator.spacetime.add_database(emulator.spacetime.create_identity().identity, "chat")
    before = got(emulator, "POST", CALL, json=[]).status_code
    emulator.stub(f"POST {CALL}", json=[])

    assert (before, got(emulator, "POST", CALL, json=[]).status_code) == (501, 200)
    assert [each.matched for each in emulator.journal.exchanges] == [False, True]


def test_elsewhere_below_v1_answers_name_no_identity(emulator: Emulator) -> None:
    emulator.stub("GET /v1/energy/*", json={"balance": "0"})

    assert sent(emulator, "GET", "/v1/energy/c2").names == [
        "content-type",
        "vary",
        "access-control-allow-origin",
        "content-length",
        "date",
    ]
    assert sent(emulator, "GET", "/v1/energy/c2", "Authorization: Bearer x").status == 401


def test_what_only_begins_like_a_module_s_route_reads_them(emulator: Emulator) -> None:
    emulator.stub("GET /v1/database/chat/**", text="hi")

    assert sent(emulator, "GET", "/v1/database/chat/router", "Authorization: Bearer x").status == 401


@pytest.mark.parametrize("path", ["/v1/database/chat/route", "/v1/database/chat/route/a/b"])
def test_routes_of_a_module_read_no_credentials(emulator: Emulator, path: str) -> None:
    emulator.stub("GET /v1/database/chat/route**", text="hi")

    answer = sent(emulator, "GET", path, "Authorization: Bearer x")

    assert (answer.body, answer.header("spacetime-identity")) == (b"hi", None)


def test_intuition_s_key_is_judged_as_by_its_own_routes(emulator: Emulator) -> None:
    stub = emulator.stub("GET /claims", json=[])

    own = [sent(emulator, "GET", "/identities", *headers) for headers in ((), ("x-api-key: a",), ("authorization: b",))]
    answers = [sent(emulator, "GET", "/claims", *headers) for headers in ((), ("x-api-key: a",), ("authorization: b",))]

    assert [answer.whole for answer in answers] == [answer.whole for answer in own]
    assert (got(emulator, "GET", "/claims", headers=KEY).json(), stub.answered) == ([], 1)


def test_auth_can_be_that_of_the_other_api(emulator: Emulator) -> None:
    emulator.stub("GET /claims", json=[], auth="spacetime")
    emulator.stub("GET /v1/claims", json=[], auth="intuition")

    assert sent(emulator, "GET", "/claims", "Authorization: Bearer x").body == b"Invalid token: InvalidToken"
    assert sent(emulator, "GET", "/claims").header("access-control-allow-origin") == "*"
    assert json.loads(sent(emulator, "GET", "/v1/claims").body)["code"] == 401
    assert sent(emulator, "GET", "/v1/claims", f"x-api-key: {KEY['x-api-key']}").body == b"[]"


def test_auth_none_reads_nothing(emulator: Emulator) -> None:
    emulator.stub("POST /v1/database/chat/call/*", json=[], auth="none")

    answer = sent(emulator, "POST", CALL, "Authorization: Bearer x")

    assert (answer.status, answer.header("spacetime-identity")) == (200, None)
    assert answer.header("access-control-allow-origin") == "*"


def test_a_header_of_the_stub_replaces_that_of_the_api(emulator: Emulator) -> None:
    emulator.stub("GET /v1/x", headers={"Access-Control-Allow-Origin": "https://a.example", "X-B": "c"})

    assert sent(emulator, "GET", "/v1/x").head == (
        b"HTTP/1.1 200 OK\r\naccess-control-allow-origin: https://a.example\r\nx-b: c\r\n"
        b"vary: origin, access-control-request-method, access-control-request-headers\r\n"
        b"content-length: 0\r\ndate: <date>\r\n\r\n"
    )


def test_a_web_page_s_preflight_request_is_answered_where_a_stub_is(emulator: Emulator) -> None:
    stub = emulator.stub("POST /v1/database/chat/call/*", json=[], times=1)

    answer = sent(emulator, "OPTIONS", CALL)

    assert answer.status == 200
    assert answer.head.startswith(sent(emulator, "OPTIONS", "/v1/ping").head.partition(b"allow: ")[0])
    assert (answer.header("allow"), stub.answered) == ("POST", 0)


def test_without_cors_there_is_no_preflight(emulator: Emulator) -> None:
    emulator.stub("POST /claims", json=[])

    assert sent(emulator, "OPTIONS", "/claims").status == 404


# --- functions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "status", "body", "content_type"),
    [
        ({"a": [1]}, 200, b'{"a":[1]}', "application/json"),
        ([], 200, b"[]", "application/json"),
        (7, 200, b"7", "application/json"),
        ("text", 200, b"text", "text/plain; charset=utf-8"),
        (b"\xff", 200, b"\xff", None),
        (None, 200, b"", None),
        ((404, {"code": 404}), 404, b'{"code":404}', "application/json"),
        ((204, None), 204, b"", None),
        ((201, "a", {"Content-Type": "text/html"}), 201, b"a", "text/html"),
        (StubAnswer("a", headers={"x-b": "c"}), 200, b"a", "text/plain; charset=utf-8"),
        (StubAnswer(status=503), 503, b"", None),
    ],
)
def test_what_a_function_can_return(
    emulator: Emulator, value: Any, status: int, body: bytes, content_type: str | None
) -> None:
    emulator.stub("GET /claims", answer=lambda _: value, auth="none")

    answer = sent(emulator, "GET", "/claims")

    assert (answer.status, answer.body, answer.header("content-type")) == (status, body, content_type)
    assert last(emulator).why == ""


def test_status_and_headers_of_the_stub_are_those_of_a_body_alone(emulator: Emulator) -> None:
    emulator.stub("GET /claims", answer=lambda _: [1], status=201, headers={"x-a": "b"}, auth="none")

    answer = sent(emulator, "GET", "/claims")

    assert (answer.status, answer.body, answer.header("x-a")) == (201, b"[1]", "b")


def test_a_function_gets_the_exchange_with_its_whole_body(emulator: Emulator) -> None:
    seen: list[Exchange] = []
    emulator.stub("POST /claims/*", answer=seen.append)
    body = b"a" * 100_000

    sent(emulator, "POST", "/claims/7?a=b", "X-C: d", f"x-api-key: {KEY['x-api-key']}", body=body)

    [found] = seen
    assert (found.method, found.path, found.query, found.request.header("x-c")) == ("POST", "/claims/7", "a=b", "d")
    assert (found.request.kept, found.request.size, found.status) == (body, 100_000, 0)
    assert (found.number, found.operation) == (last(emulator).number, last(emulator).operation)


@pytest.mark.parametrize(
    ("raised", "why"),
    [
        (KeyError("id"), "the function of stub 1: GET /claims failed: KeyError: 'id'"),
        (SystemExit("no"), "the function of stub 1: GET /claims failed: SystemExit: no"),
    ],
)
def test_what_a_function_raises_is_a_500_with_its_text_in_the_journal(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, raised: BaseException, why: str
) -> None:
    def fails(_: Exchange) -> None:
        raise raised

    emulator.stub("GET /claims", answer=fails, auth="none")
    with caplog.at_level(logging.ERROR, "emulator"):
        answer = got(emulator, "GET", "/claims")

    assert (answer.status_code, last(emulator).why, last(emulator).matched) == (500, why, True)
    assert "in fails" in caplog.text
    assert "id" not in answer.text.split()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ((700, "a"), "ValueError: status: 700 is not a valid status"),
        (object(), "ValueError: the body is not JSON"),
        (StubAnswer("a", headers={"a": "\n"}), "ValueError: headers: invalid header 'a'"),
        (StubAnswer("a", headers={"a": 5}), "ValueError: "),  # type: ignore[dict-item]
        ("a" * 2_000_000, "ValueError: text: the body has 2000000 bytes"),
        ((204, "a"), "ValueError: text: a response with status 204 has no body"),
    ],
)
def test_what_is_no_response_is_a_500_too(emulator: Emulator, value: Any, why: str) -> None:
    emulator.stub("GET /claims", answer=lambda _: value, auth="none")

    assert got(emulator, "GET", "/claims").status_code == 500
    assert why in last(emulator).why


def test_a_function_may_send_requests_to_the_emulator_and_wait(emulator: Emulator) -> None:
    go_on = threading.Event()

    def slow(_: Exchange) -> Any:
        assert go_on.wait(PATIENCE)
        emulator.intuition.create_identity(display_name="JP", creator="0x81")
        return got(emulator, "GET", "/v1/health").json()

    emulator.stub("GET /claims", answer=slow, auth="none")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(got, emulator, "GET", "/claims")
        while_it_waits = got(emulator, "GET", "/v1/health")
        go_on.set()

    assert answer.result().json() == while_it_waits.json()


def test_a_client_that_hangs_up_is_not_waited_for(emulator: Emulator) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: Exchange) -> None:
        begun.set()
        go_on.wait(PATIENCE)

    emulator.stub("GET /claims", answer=slow, auth="none")
    with connect(emulator.url) as connection:
        connection.sendall(request("GET", "/claims"))
        assert begun.wait(PATIENCE)

    assert eventually(lambda: len(emulator.journal.exchanges) == 1)
    go_on.set()
    assert (last(emulator).status, last(emulator).why) == (
        0,
        "the client hung up before the function of the stub returned",
    )


async def _coroutine(_: Exchange) -> None: ...


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"json": lambda _: 1}, "json: it is a function, which is given as answer="),
        ({"answer": 5}, "answer: expected a function, got 5"),
        ({"answer": _coroutine}, "answer must be a plain function"),
        ({"answer": print, "json": 1}, "either answer or json, not both"),
        ({"answer": print, "body": b"a"}, "either answer or body, not both"),
        ({"body": 5}, "body: expected text or bytes, got 5"),
    ],
)
def test_a_useless_body_or_function_is_refused(emulator: Emulator, given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        emulator.stub("GET /claims", **given)


# --- the journal ------------------------------------------------------------------------------------------------------


def test_the_journal_says_which_stub_answered_and_counts_it_as_matched(emulator: Emulator) -> None:
    emulator.stub("POST /claims", auth="none", times=1)
    emulator.stub("POST /claims", auth="none")
    for _ in range(2):
        got(emulator, "POST", "/claims")

    assert [each.operation for each in emulator.journal.exchanges] == ["stub 1: POST /claims", "stub 2: POST /claims"]
    assert emulator.journal.unmatched == []
    emulator.journal.assert_requested("POST", "/claims", times=2)


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stubbed", "path", "body"),
    [
        ("POST /claims", "/claims", b'{"code":503,"error":"Service Unavailable"}'),
        ("POST /v1/database/*/call/*", CALL, b"Service Unavailable"),
    ],
)
def test_faults_apply_in_the_format_of_the_stub_s_api(emulator: Emulator, stubbed: str, path: str, body: bytes) -> None:
    stub = emulator.stub(stubbed, json=[])
    fault = emulator.faults.add(f"POST {path}", times=1, status=503)

    assert sent(emulator, "POST", path).body == body
    assert (fault.fired, stub.answered) == (1, 0)
    assert last(emulator).operation == f"stub 1: {stubbed}"


def test_a_fault_can_break_what_a_stub_sends(emulator: Emulator) -> None:
    stub = emulator.stub("GET /claims", json={"a": 1}, auth="none")
    emulator.faults.add("GET /claims", nth=1, invalid_json=True)

    assert got(emulator, "GET", "/claims").text == '{"a"'
    assert stub.answered == 1


def test_an_actor_s_fault_applies_to_stubs_too() -> None:
    scenario = {"version": 1, "intuition": {"api_keys": {"alice": None}}, "stubs": [{"request": "GET /claims"}]}
    with served(make_stage(scenario=scenario)) as emulator:
        emulator.faults.add("GET /claims", actor="alice", status=503)
        alice = {"x-api-key": emulator.actors["alice"].api_key}

        assert got(emulator, "GET", "/claims", headers=KEY).status_code == 200
        assert got(emulator, "GET", "/claims", headers=alice).status_code == 503


# --- snapshots --------------------------------------------------------------------------------------------------------


def test_a_snapshot_in_process_keeps_functions_and_counts(emulator: Emulator) -> None:
    emulator.stub("GET /claims", answer=lambda exchange: exchange.path, times=2, auth="none")
    got(emulator, "GET", "/claims")
    snapshot = emulator.snapshot()
    emulator.stubs.clear()
    emulator.restore(snapshot)

    assert [got(emulator, "GET", "/claims").text for _ in range(2)] == ["/claims", ""]


@pytest.fixture
def with_scenario() -> Iterator[Emulator]:
    stage = make_stage(
        scenario={"version": 1, "stubs": [{"request": "GET /a", "text": "a", "times": 1, "auth": "none"}]}
    )
    with served(stage) as emulator:
        yield emulator


def test_a_scenario_s_stubs_come_first_and_are_fresh_after_a_reset(with_scenario: Emulator) -> None:
    emulator = with_scenario
    emulator.stub("GET /a", text="b", auth="none")
    before = [got(emulator, "GET", "/a").text for _ in range(2)]
    emulator.reset()

    assert before == ["a", "b"]
    assert [got(emulator, "GET", "/a").status_code for _ in range(2)] == [200, 404]
