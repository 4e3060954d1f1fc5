"""Queries and assertions on a journal, and their errors."""

import asyncio
import re
from threading import RLock, Thread, Timer
from time import monotonic
from typing import Any

import pytest

from emulator.core.deferred_free import DeferredFree
from emulator.journal.exchange import Exchange, Message
from emulator.journal.journal import Journal
from tests.waiting import PATIENCE

NOTHING = Message(b"", b"", 0)


def journal_of(*requests: str) -> Journal:
    """`"POST /v1/identity 200"`, one exchange each."""
    journal = Journal(100, RLock(), DeferredFree())
    for request in requests:
        record(journal, request)
    return journal


def record(journal: Journal, request: str, body: bytes = b"", answer: bytes = b"") -> None:
    method, target, status = request.split()
    sent, got = Message(b"", body, len(body)), Message(b"", answer, len(answer))
    journal.record(Exchange(journal.number(), method, target, "", sent, int(status), got, "", 0, 0.0))


def failure_of(call: object, *arguments: object, **options: object) -> str:
    assert callable(call)
    with pytest.raises(AssertionError) as caught:
        call(*arguments, **options)
    return str(caught.value)


def test_what_was_requested_is_given_back() -> None:
    journal = journal_of("POST /v1/identity 200", "GET /v1/ping 200")

    [exchange] = journal.assert_requested("post", "/v1/identity", status=200, times=1)

    assert exchange.number == 1


def test_what_was_not_requested_is_shown_beside_the_nearest() -> None:
    journal = journal_of("GET /v1/ping 200", "POST /v1/identity 500", "GET /v1/identity 405")

    assert failure_of(journal.assert_requested, "POST", "/v1/identity", status=200) == (
        "POST /v1/identity with status 200 was requested never, expected at least once.\n"
        "The nearest exchanges:\n"
        "  #1 GET /v1/ping -> 200  (method is GET, path is /v1/ping)\n"
        "  #2 POST /v1/identity -> 500  (status is 500)\n"
        "  #3 GET /v1/identity -> 405  (method is GET, status is 405)"
    )


def test_too_often_is_not_as_often_as_wanted() -> None:
    journal = journal_of("POST /v1/identity 200", "POST /v1/identity 200")

    assert "was requested 2 times, expected once" in failure_of(
        journal.assert_requested, "POST", "/v1/identity", times=1
    )


def test_nothing_at_all_is_called_nothing() -> None:
    assert "Nothing was requested at all" in failure_of(journal_of().assert_requested, "GET")


def test_only_the_five_nearest_are_shown() -> None:
    journal = journal_of(*["GET /far 200"] * 9, "POST /v1/identity 500")

    shown = failure_of(journal.assert_requested, "POST", "/v1/identity", status=200)

    assert shown.count("->") == 5
    assert "#10 POST /v1/identity -> 500" in shown


def test_what_must_not_be_requested_is_shown_if_it_was() -> None:
    journal = journal_of("DELETE /x 404")
    journal.assert_not_requested("GET")

    assert "#1 DELETE /x -> 404" in failure_of(journal.assert_not_requested, "DELETE")


def test_order_allows_others_between() -> None:
    journal = journal_of("POST /v1/identity 200", "GET /v1/ping 200", "GET /v1/identity/c2/verify 204")

    journal.assert_order("POST /v1/identity", "GET /v1/identity/*/verify")

    assert "POST /v1/identity was not requested after GET /v1/ping" in failure_of(
        journal.assert_order, "GET /v1/ping", "POST /v1/identity"
    )


def test_an_order_is_written_like_requests() -> None:
    with pytest.raises(ValueError, match="'v1' is not like 'POST /v1/identity'"):
        journal_of().assert_order("v1")


def test_duplicates_are_equal_requests() -> None:
    journal = journal_of("POST /a 500", "POST /a 200", "POST /b 200")
    record(journal, "POST /a 200", body=b"other")

    [[first, second]] = journal.duplicates()

    assert (first.status, second.status) == (500, 200)


def test_waiting_ends_when_it_came() -> None:
    journal = journal_of()
    Timer(0.02, record, [journal, "POST /v1/identity 200"]).start()

    [exchange] = journal.wait_for("POST", "/v1/identity", timeout=PATIENCE)

    assert exchange.status == 200


def test_waiting_in_vain_fails_with_the_nearest() -> None:
    journal = journal_of("GET /v1/identity 405")

    shown = failure_of(journal.wait_for, "POST", "/v1/identity", times=2, timeout=0.01)

    assert "POST /v1/identity was requested never within 0.01 s, expected 2 times" in shown
    assert "#1 GET /v1/identity -> 405  (method is GET)" in shown


def test_waiting_on_a_running_loop_is_refused_at_once() -> None:
    async def wait() -> None:
        journal_of().wait_for("GET")

    with pytest.raises(RuntimeError, match=r"await journal\.async_wait_for"):
        asyncio.run(wait())


def test_a_coroutine_waits_without_stopping_its_loop() -> None:
    journal = journal_of()

    async def wait() -> int:
        waiting = asyncio.create_task(journal.async_wait_for("GET", "/v1/ping", timeout=PATIENCE))
        await asyncio.sleep(0)
        record(journal, "GET /v1/ping 200")
        return len(await waiting)

    assert asyncio.run(wait()) == 1


def test_a_full_journal_still_wakes_waiting_queries() -> None:
    journal = Journal(1, RLock(), DeferredFree())
    record(journal, "GET /old 200")
    waiting = Thread(target=journal.wait_for, args=["GET", "/new"], kwargs={"timeout": 2 * PATIENCE})
    waiting.start()

    record(journal, "GET /new 200")
    waiting.join(PATIENCE)

    assert not waiting.is_alive()


def test_what_differs_from_run_to_run_is_numbered() -> None:
    journal = journal_of()
    identity, uuid = "c2" * 32, "f9000000-0000-4000-8000-000000000000"
    answer = f'{{"identity":"{identity}","token":"eyJh.eyJi.c-_"}}'.encode()
    record(journal, "POST /v1/identity 200", answer=answer)
    record(journal, f"GET /v1/identity/{identity}/verify?token=eyJh.eyJi.c-_ 204")
    record(journal, f"GET /identity/{uuid} 200", answer=b'{"created_at":"2024-02-15T05:47:17.289011Z"}')

    assert [(each["target"], each["response"]) for each in journal.normalised()] == [
        ("/v1/identity", '{"identity":"<identity 1>","token":"<token 1>"}'),
        ("/v1/identity/<identity 1>/verify?token=<token 1>", ""),
        ("/identity/<uuid 1>", '{"created_at":"<time 1>"}'),
    ]


def test_a_coroutine_that_is_cancelled_waits_no_longer() -> None:
    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(journal_of().async_wait_for("GET", timeout=2 * PATIENCE), 0.01)

    began = monotonic()
    asyncio.run(give_up())

    assert monotonic() - began < PATIENCE


def test_a_coroutine_waits_in_vain_with_the_nearest() -> None:
    journal = journal_of("GET /v1/identity 405")

    async def wait() -> None:
        await journal.async_wait_for("POST", "/v1/identity", timeout=0.01)

    with pytest.raises(AssertionError, match=r"was requested never within 0\.01 s, expected once"):
        asyncio.run(wait())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("POST", "v1/identity"), "begins with a slash"),
        (("POST", "/v1/identity?a=1"), "has no query"),
        (("POST", "http://127.0.0.1/v1/identity"), "begins with a slash"),
        (("POST v1/identity",), "begins with a slash"),
        (("/v1/identity",), 'write it like "POST", "/v1/identity"'),
    ],
)
def test_a_query_for_an_impossible_request_is_refused(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        journal_of().assert_not_requested(*arguments)


def test_a_status_is_a_number() -> None:
    with pytest.raises(ValueError, match=r"status: expected a whole number or 1xx .*, got '200'"):
        journal_of().assert_not_requested(status="200")  # type: ignore[arg-type]


def test_nothing_is_neither_waited_for_nor_put_in_order() -> None:
    with pytest.raises(ValueError, match="times: expected at least 1, got 0"):
        journal_of().wait_for(times=0)
    with pytest.raises(ValueError, match="requests is missing"):
        journal_of().assert_order()


def test_a_journal_that_lost_exchanges_does_not_count() -> None:
    journal = Journal(1, RLock(), DeferredFree())
    record(journal, "GET /old 200")
    record(journal, "GET /new 200")

    assert "1 exchange was dropped; raise journal_size" in failure_of(journal.assert_not_requested, "GET", "/x")
    assert "was dropped" in failure_of(journal.assert_requested, "GET", "/new", times=1)
    assert journal.assert_requested("GET", "/new")


def test_a_journal_without_room_for_the_bytes_names_the_other_setting() -> None:
    journal = Journal(100, RLock(), DeferredFree(), most_bytes=3000)
    for _ in range(3):
        record(journal, "POST /identity 200", b"x" * 1000)

    said = failure_of(journal.assert_requested, "POST", "/identity", times=3)

    assert said == (
        "the journal can't tell: 2 exchanges were dropped, since all together had too many bytes; raise journal_bytes"
    )


def test_method_and_path_can_be_one_text() -> None:
    journal = journal_of("POST /identity 200", "GET /identity 405", "POST /identity 503")

    assert len(journal.assert_requested("POST /identity", times=2)) == 2
    assert [each.number for each in journal.find("* /identity", status="4xx")] == [2]
    assert "POST /identity was requested twice, expected once" not in failure_of(
        journal.assert_requested, "POST /identity", times=1
    )


SENT = b'{"display_name": "JP", "tags": [1, true], "creator": {"wallet": "0x81", "role": "User"}}'


@pytest.mark.parametrize(
    "condition",
    [
        {"json": {"display_name": "JP"}},
        {"json": {"creator": {"wallet": "0x81"}, "tags": [1, True]}},
        {"headers": {"X-Request-ID": "7"}},
        {"headers": {"x-request-id": re.compile("^[0-9]$")}},
        {"query": {"page": "2", "name": "J P"}},
        {"query": {"page": 2}},
        {"body": SENT},
        {"body": re.compile(b'"JP"')},
        {"body": re.compile("jp", re.IGNORECASE)},
    ],
)
def test_a_request_is_found_by_what_it_holds(condition: dict[str, Any]) -> None:
    assert [each.number for each in journal_with_a_request().find("POST /identity", **condition)] == [1]


@pytest.mark.parametrize(
    ("condition", "difference"),
    [
        ({"json": {"display_name": "Jo"}}, """json.display_name is '"JP"'"""),
        ({"json": {"displayName": "JP"}}, "json has no 'displayName'"),
        ({"json": {"tags": [1, 1]}}, "json.tags[1] is 'true'"),
        ({"json": {"tags": [1]}}, "json.tags is '[1, true]'"),
        ({"json": {"creator": {"role": "Admin"}}}, """json.creator.role is '"User"'"""),
        ({"headers": {"x-request-id": "8"}}, "header x-request-id is '7'"),
        ({"headers": {"x-tenant": "a"}}, "there is no header x-tenant"),
        ({"query": {"page": 3}}, "query page is '2'"),
        ({"query": {"Page": 2}}, "there is no query Page"),
        ({"body": b"{}"}, "body is "),
        ({"body": re.compile("XY")}, "body is "),
    ],
)
def test_a_request_that_holds_something_else_is_shown_with_the_difference(
    condition: dict[str, Any], difference: str
) -> None:
    journal = journal_with_a_request()

    assert journal.find(**condition) == []
    assert difference in failure_of(journal.assert_requested, "POST", "/identity", **condition)


def journal_with_a_request() -> Journal:
    journal = Journal(100, RLock(), DeferredFree())
    sent = Message(b"X-Request-Id: 7\r\nx-api-key: 0123456789abcdef", SENT, len(SENT), "page=2&name=J+P")
    target = "/identity?page=2&name=J+P"
    journal.record(Exchange(journal.number(), "POST", target, "", sent, 200, NOTHING, "", 0, 0.0))
    return journal


def test_of_a_body_that_was_cut_nothing_is_said_to_be_equal() -> None:
    journal = Journal(100, RLock(), DeferredFree())
    sent = Message(b"", b'{"a": 1}', 20_000)
    journal.record(Exchange(journal.number(), "POST", "/identity", "", sent, 200, NOTHING, "", 0, 0.0))

    assert journal.find(json={"a": 1}) == []
    assert "only the beginning of the body was kept" in failure_of(journal.assert_requested, body=b"{}")


def test_a_request_is_read_as_people_type_it() -> None:
    request = journal_with_a_request()[0].request

    assert request.json()["display_name"] == "JP"
    assert (request.content, request.text) == (SENT, SENT.decode())
    assert request.headers == [("X-Request-Id", "7"), ("x-api-key", "0123456789abcdef")]
    assert (request.headers["x-request-id"], request.headers.get("x-tenant")) == ("7", None)
    assert (request.query["name"], list(request.query)) == ("J P", [("page", "2"), ("name", "J P")])


def test_a_header_that_is_not_there_is_a_key_error_with_a_suggestion() -> None:
    with pytest.raises(KeyError, match="did you mean 'x-api-key'"):
        journal_with_a_request()[0].request.headers["x-api-kye"]


@pytest.mark.parametrize(("body", "size", "said"), [(b"{", 1, "is not JSON"), (b"", 0, "empty"), (b"{}", 3, "kept")])
def test_a_body_that_is_no_json_says_so(body: bytes, size: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Message(b"", body, size).json()


def test_exchanges_are_taken_by_their_place() -> None:
    journal = journal_of("GET /a 200", "GET /b 200", "GET /c 200")

    assert (journal[0].path, journal[-1].path) == ("/a", "/c")
    assert [each.path for each in journal[1:]] == ["/b", "/c"]
    with pytest.raises(IndexError, match="the journal has 3 exchanges"):
        journal[3]


def test_the_repr_counts() -> None:
    assert repr(journal_of("GET /a 200")) == "<Journal 1 exchange>"
