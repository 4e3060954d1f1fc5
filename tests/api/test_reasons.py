"""The journal has the reason of an error; the response never does."""

import pytest

from emulator import Emulator
from tests.conftest import API_KEY
from tests.raw import connect, exchange, read_answer, request
from tests.waiting import PATIENCE

SOMEBODY = "c2" + "0" * 62


def why(emulator: Emulator, method: str, target: str, *headers: str) -> str:
    answer = exchange(emulator.url, request(method, target, *headers))
    last = emulator.journal.exchanges[-1]
    assert (last.method, last.target, last.status) == (method, target, answer.status)
    assert not last.why or last.why.encode() not in answer.whole
    return last.why


@pytest.mark.parametrize(
    ("method", "target", "headers", "reason"),
    [
        ("POST", "/v1/identity/websocket_token", [], "no such route; did you mean /v1/identity/websocket-token?"),
        ("POST", "/identity/websocket-token", [], "/identity/:id has no POST; it has GET,HEAD"),
        ("GET", "/v1/identity/public-key/", [], "no such route; did you mean /v1/identity/public-key?"),
        ("GET", f"/identity/{SOMEBODY}/verify", [], "no such route; did you mean /v1/identity/:identity/verify?"),
        (
            "GET",
            "/v1/database/chat/subscribe/",
            [],
            "no such route; did you mean /v1/database/:name_or_identity/subscribe?",
        ),
        ("GET", "/v1/energy/chat", [], "the real server has this route"),
        (
            "GET",
            "/v1/database/chat",
            [],
            "no database is called 'chat'; to add it, write `databases: [chat]` for an actor of the scenario, or call "
            'emulator.spacetime.add_database(owner, "chat")',
        ),
        (
            "GET",
            f"/v1/database/{SOMEBODY}",
            [],
            f'no database has the identity {SOMEBODY}; emulator.spacetime.add_database(owner, identity="…") adds one',
        ),
        ("GET", "/v1/database/My_DB", [], "'My_DB' is not the name of a database: a name has lower-case letters"),
        ("PUT", "/v1/database/chat", [], 'not emulated; emulator.stub("PUT /v1/database/chat", json=...) answers it'),
        ("GET", "/something/else", [], "GET /something/else: no such route"),
        ("GET", "/v1/identity", [], "/v1/identity has no GET; it has POST"),
        ("POST", "/v1/identity/websocket-token", [], "no `Authorization` header and no usable `?token=`"),
        ("POST", "/v1/identity/websocket-token", ["Authorization: Bearer"], "only the word Bearer, without a token"),
        (
            "POST",
            "/v1/identity/websocket-token",
            ["Authorization: a.b.c"],
            "is a bare token; the server takes `Bearer <token>` or Basic",
        ),
        ("POST", "/v1/identity/websocket-token", ["Authorization: Basic eDp5"], "the user name is not `token`"),
        (
            "POST",
            "/v1/identity/websocket-token",
            ["Authorization: Bearer x"],
            "three parts separated by dots, this has 1",
        ),
        ("GET", "/v1/identity/0xc2/verify", [], "an identity is 64 hex digits without 0x, the path has '0xc2'"),
        ("POST", "/identity", ["x-api-key: undefined"], "a variable that was not replaced"),
        ("POST", "/identity", [f"x-api-key: {API_KEY}\\n"], "`x-api-key` ends in a newline"),
        ("POST", "/identity", [f"x-api-key: {API_KEY}"], "there is no `Content-Type`"),
        (
            "GET",
            "/identity/7",
            [f"x-api-key: {API_KEY}"],
            "no identity has the id, identity_id or vault_id '7'; there are 0",
        ),
    ],
)
def test_each_refusal_has_a_reason_a_test_author_can_use(
    emulator: Emulator, method: str, target: str, headers: list[str], reason: str
) -> None:
    assert reason in why(emulator, method, target, *headers)


def test_the_reason_says_that_v2_does_not_accept_basic(v2: Emulator) -> None:
    reason = why(v2, "POST", "/v1/identity/websocket-token", "Authorization: Basic eDp5")

    assert reason == "the header says Basic, profile v2.8 takes only Bearer"


def test_the_reason_says_which_profile_has_set_email(v2: Emulator) -> None:
    reason = why(v2, "POST", f"/v1/identity/{SOMEBODY}/set-email?email=a@b.c")

    assert "the profile `documented` has it" in reason


def test_an_answer_that_is_no_refusal_has_no_reason(emulator: Emulator) -> None:
    assert why(emulator, "GET", "/v1/ping") == ""


def test_what_the_parser_refuses_is_in_the_journal_too(emulator: Emulator) -> None:
    exchange(emulator.url, b"GET /v1/ping HTTP/1.1\r\nHost : x\r\n\r\n")

    assert "refused by aiohttp's parser" in emulator.journal.exchanges[-1].why


def test_an_exchange_holds_both_halves(emulator: Emulator) -> None:
    body = b'{"display_name":"JP"}'
    exchange(
        emulator.url, request("POST", "/identity", f"x-api-key: {API_KEY}", "Content-Type: application/json", body=body)
    )

    last = emulator.journal.exchanges[-1]
    assert last.operation == "intuition.create_identity"
    assert (last.request.header("X-Api-Key"), last.request.body) == (API_KEY, body.decode())
    assert last.response.header("content-type") == "application/json"
    assert "missing field `creator`" in last.response.body


@pytest.mark.parametrize("target", ["/v1/identity", "/identity", "/nope"])
def test_an_unread_body_is_journaled_though_it_arrives_in_another_packet(
    emulator: Emulator, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.http.request.PATIENCE", PATIENCE)  # or a busy machine's next packet comes too late
    for _ in range(20):
        with connect(emulator.url) as connection:
            connection.sendall(request("POST", target, "Content-Length: 5"))
            connection.sendall(b"hello")
            read_answer(connection)

    assert {each.request.body for each in emulator.journal} == {"hello"}
    assert len(emulator.journal.duplicates()) == 1


def test_a_body_that_never_arrives_does_not_delay_the_response(emulator: Emulator) -> None:
    exchange(emulator.url, request("POST", "/v1/identity", "Content-Length: 5"))

    last = emulator.journal.exchanges[-1]
    assert (last.status, last.request.body, last.request.size) == (200, "", 5)
    assert last.duration < PATIENCE


def test_of_a_large_body_16_kib_are_kept_and_the_rest_is_counted(emulator: Emulator) -> None:
    head = f"x-api-key: {API_KEY}", "Content-Type: application/json"
    exchange(emulator.url, request("POST", "/identity", *head, body=b" " * 100_000))

    last = emulator.journal.exchanges[-1]
    assert (len(last.request.kept), last.request.size) == (16_384, 100_000)
