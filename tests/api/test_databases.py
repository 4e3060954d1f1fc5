"""`/v1/database/**` at its edge. That whole responses are the recorded ones, test_recorded_answers.py says."""

import re
from collections.abc import Mapping

import pytest
import requests

from emulator import Emulator
from emulator.services.spacetimedb.model import Database, identity_of
from tests.raw import RawAnswer, exchange, request
from tests.waiting import PATIENCE

OWNER = identity_of("localhost", "alice")
UNKNOWN = identity_of("localhost", "no database")
AFTER = ["spacetime-identity", "spacetime-identity-token", "vary", "access-control-allow-origin"]
"""What every response has after its credentials were judged."""
RELEASES = ["documented", "v1", "v2.8", "v2.14"]
IN_CHUNKS = ["documented", "v2.8", "v2.14"]


@pytest.fixture(params=RELEASES)
def server(request: pytest.FixtureRequest, emulator: Emulator) -> Emulator:
    """In each profile."""
    emulator.reset(spacetime_profile=request.param)
    return emulator


@pytest.fixture
def chat(server: Emulator) -> Database:
    return server.spacetime.add_database(OWNER, "chat")


def send(emulator: Emulator, method: str, path: str, *headers: str, body: bytes = b"") -> RawAnswer:
    return exchange(emulator.url, request(method, f"/v1/database{path}", *headers, body=body))


def get(emulator: Emulator, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{emulator.url}/v1/database{path}", headers=headers, timeout=PATIENCE)


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


# --- credentials ------------------------------------------------------------------------------------------------------

PATHS = [("GET", "/chat"), ("PATCH", "/chat"), ("GET", "/chat/sql"), ("POST", "/chat/sql"), ("PUT", ""), ("GET", "/A")]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_bad_credentials_are_refused_before_all_else(server: Emulator, method: str, path: str) -> None:
    answer = send(server, method, path, "Authorization: Bearer x")

    assert answer.status == 401
    assert "spacetime-identity" not in answer.names


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_malformed_header_is_a_400_as_for_ping(server: Emulator, method: str, path: str) -> None:
    answer = send(server, method, path, "Authorization: Digest x")

    assert (answer.status, answer.body) == (400, b"Authorization is invalid: malformed token")
    assert "spacetime-identity-token" not in answer.names


def test_after_bad_credentials_a_wrong_method_is_told_what_is_allowed(server: Emulator) -> None:
    assert send(server, "POST", "/chat/identity", "Authorization: Bearer x").header("allow") == "GET,HEAD"


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_every_later_response_says_who_called(server: Emulator, method: str, path: str) -> None:
    token = server.spacetime.issue_token(subject="alice")
    answer = send(server, method, path, bearer(token))

    assert answer.header("spacetime-identity") == OWNER
    assert answer.header("spacetime-identity-token") == token
    at = answer.names.index(AFTER[0])
    assert answer.names[at : at + 4] == AFTER


def test_without_credentials_a_new_identity_is_made(server: Emulator) -> None:
    answers = [get(server, "/chat") for _ in range(2)]

    assert answers[0].headers["spacetime-identity"] != answers[1].headers["spacetime-identity"]
    for answer in answers:
        identity, token = answer.headers["spacetime-identity"], answer.headers["spacetime-identity-token"]
        verified = requests.get(
            f"{server.url}/v1/identity/{identity}/verify",
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE,
        )
        assert verified.status_code == 204


def test_a_token_in_the_query_counts(server: Emulator) -> None:
    token = server.spacetime.issue_token(subject="alice")

    assert get(server, f"/chat?token={token}").headers["spacetime-identity"] == OWNER


# --- paths and methods ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/chat/", "/chat/nope", "/chat/subscribe/", "/chat/pre-publish", "/subscribe/x"])
def test_a_path_that_the_server_has_not_is_a_bare_404(server: Emulator, path: str) -> None:
    answer = send(server, "GET", path, "Authorization: Bearer x")

    assert answer.head == b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\ndate: <date>\r\n\r\n"


@pytest.mark.parametrize("path", ["/chat/lock", "/chat/mcp", "/chat/route", "/chat/route/x"])
def test_v1_has_fewer_routes(emulator: Emulator, path: str) -> None:
    emulator.reset(spacetime_profile="v1")

    assert send(emulator, "POST", path).names == ["content-length", "date"]


@pytest.mark.parametrize(
    ("profile", "allowed"),
    [("v1", "PUT,GET,HEAD,DELETE"), ("v2.8", "GET,HEAD,PUT,DELETE"), ("v2.14", "GET,HEAD,PUT,DELETE")],
)
def test_methods_are_allowed_in_the_order_of_the_servers_routes(emulator: Emulator, profile: str, allowed: str) -> None:
    emulator.reset(spacetime_profile=profile)

    assert send(emulator, "PATCH", "/chat").header("allow") == allowed
    assert send(emulator, "OPTIONS", "/chat").header("allow") == allowed


def test_options_reads_no_credentials(server: Emulator) -> None:
    answer = send(server, "OPTIONS", "/My_DB/subscribe", "Authorization: Bearer x")

    assert (answer.status, answer.header("allow")) == (200, "GET,HEAD")
    assert answer.header("spacetime-identity") is None


@pytest.mark.parametrize("path", ["/names", "/call/x", "/schema", "/logs", "/sql", "/unstable/timestamp", "/reset"])
def test_a_wrong_method_is_a_405_if_there_is_such_a_database(server: Emulator, chat: Database, path: str) -> None:
    answer = send(server, "DELETE", f"/{chat.name}{path}")

    assert (answer.status, answer.body, answer.header("content-length")) == (405, b"", "0")


@pytest.mark.parametrize("path", ["/names", "/call/x", "/schema", "/logs", "/sql", "/unstable/timestamp", "/reset"])
@pytest.mark.parametrize("profile", IN_CHUNKS)
def test_newer_servers_look_for_the_database_before_the_method(emulator: Emulator, profile: str, path: str) -> None:
    emulator.reset(spacetime_profile=profile)
    answer = send(emulator, "DELETE", f"/nowhere{path}")

    assert (answer.status, answer.body) == (404, b"`nowhere` not found")
    assert answer.names[-3:] == ["allow", "content-length", "date"]


def test_v1_looks_at_the_method_first(emulator: Emulator) -> None:
    emulator.reset(spacetime_profile="v1")

    assert send(emulator, "DELETE", "/nowhere/sql").status == 405


@pytest.mark.parametrize("path", ["/nowhere", "/nowhere/identity", "/nowhere/subscribe"])
def test_other_routes_look_at_the_method_first(server: Emulator, path: str) -> None:
    assert send(server, "POST", path).status == 405


def test_a_websocket_is_not_opened_with_head(server: Emulator, chat: Database) -> None:
    answer = send(server, "HEAD", f"/{chat.name}/subscribe")

    assert (answer.status, answer.header("content-length"), answer.header("allow")) == (405, "28", None)


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("My_DB", "invalid characters in database name"),
        ("a--b", "invalid hyphen in database name"),
        ("a-_", "invalid hyphen in database name"),
        ("%C3%A9", "invalid characters in database name"),
        ("%ff", "Invalid UTF-8 in `name_or_identity`"),
        ("", "database names cannot be empty"),
    ],
)
@pytest.mark.parametrize("rest", ["/identity", "/names", "/subscribe", "/schema"])
def test_a_name_is_checked_before_it_is_looked_for(server: Emulator, name: str, text: str, rest: str) -> None:
    answer = get(server, f"/{name}{rest}")

    assert (answer.status_code, answer.text) == (400, f"Invalid URL: {text}")


def test_a_bad_second_parameter_is_told_by_its_name(server: Emulator) -> None:
    assert send(server, "POST", "/chat/call/%ff").body == b"Invalid URL: Invalid UTF-8 in `reducer`"


@pytest.mark.parametrize("path", ["", "/identity", "/unstable/timestamp"])
@pytest.mark.parametrize(
    ("profile", "text"),
    [("v1", "Could not resolve database `nowhere`"), ("v2.8", "`nowhere` not found"), ("v2.14", "`nowhere` not found")],
)
def test_an_unknown_name_is_a_404_in_the_releases_words(emulator: Emulator, profile: str, text: str, path: str) -> None:
    emulator.reset(spacetime_profile=profile)
    answer = get(emulator, f"/nowhere{path}")

    assert (answer.status_code, answer.text) == (404, text)


def test_an_unknown_identity_is_a_404(server: Emulator) -> None:
    answer = get(server, f"/{UNKNOWN}")

    assert (answer.status_code, answer.text) == (404, "No such database.")


def test_the_reason_of_a_404_names_a_similar_database(server: Emulator, chat: Database) -> None:
    get(server, "/chats")

    assert "no database is called 'chats'; did you mean 'chat'? to add it," in server.journal.exchanges[-1].why


def test_so_does_that_of_a_websocket_which_a_client_can_not_see(server: Emulator, chat: Database) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x"}
    requests.get(f"{server.url}/v1/database/chats/subscribe", headers=upgrade, timeout=PATIENCE)

    assert "no database is called 'chats'; did you mean 'chat'? to add it," in server.journal.exchanges[-1].why


# --- what is answered -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", "0x{}", "upper"])
def test_a_database_is_found_by_each_form_of_its_identity(server: Emulator, chat: Database, form: str) -> None:
    name = chat.identity.upper() if form == "upper" else form.format(chat.identity)

    assert get(server, f"/{name}").json() == get(server, "/chat").json()


def test_a_database_is_described(server: Emulator, chat: Database) -> None:
    answer = get(server, "/chat")

    assert answer.headers["content-type"] == "application/json"
    program = answer.json()["initial_program"]
    assert re.fullmatch("0x[0-9a-f]{64}", program)
    assert answer.text == (
        f'{{"database_identity":{{"__identity__":"0x{chat.identity}"}},'
        f'"owner_identity":{{"__identity__":"0x{OWNER}"}},"host_type":{{"Wasm":[]}},"initial_program":"{program}"}}'
    )


def test_its_identity_is_plain_hex(server: Emulator, chat: Database) -> None:
    answer = get(server, "/chat/identity")

    assert (answer.headers["content-type"], answer.text) == ("text/plain; charset=utf-8", chat.identity)


def test_an_identity_is_echoed_known_or_not(server: Emulator) -> None:
    assert get(server, f"/0x{UNKNOWN.upper()}/identity").text == UNKNOWN


def test_its_names_are_listed(server: Emulator, chat: Database) -> None:
    assert get(server, f"/{chat.identity}/names").text == '{"names":["chat"]}'


def test_a_database_without_a_name_has_no_names(server: Emulator) -> None:
    nameless = server.spacetime.add_database(OWNER)

    assert get(server, f"/{nameless.identity}/names").text == '{"names":[]}'


def test_v1_has_no_names_for_an_identity_that_is_no_database(emulator: Emulator) -> None:
    emulator.reset(spacetime_profile="v1")

    assert get(emulator, f"/{UNKNOWN}/names").text == '{"names":[]}'


def test_the_time_is_that_of_the_emulators_clock(server: Emulator, chat: Database) -> None:
    server.clock.freeze("2026-01-01T00:00:00.000005Z")

    assert get(server, "/chat/unstable/timestamp").text == '{"__timestamp_micros_since_unix_epoch__":1767225600000005}'


def test_the_databases_of_a_scenario_are_there(emulator: Emulator) -> None:
    emulator.reset(scenario="two_friends")
    alice = emulator.actors["alice"]

    assert get(emulator, "/shop/identity").text == alice.databases["shop"].identity
    assert get(emulator, "/shop").json()["owner_identity"] == {"__identity__": f"0x{alice.identity}"}


# --- chunks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", IN_CHUNKS)
def test_newer_servers_send_one_chunk(emulator: Emulator, profile: str) -> None:
    emulator.reset(spacetime_profile=profile)
    emulator.spacetime.add_database(OWNER, "chat")
    answer = send(emulator, "GET", "/chat/names", "Connection: close")

    assert answer.names[-3:] == ["connection", "transfer-encoding", "date"]
    assert answer.body == b'12\r\n{"names":["chat"]}\r\n0\r\n\r\n'


def test_the_length_of_a_chunk_is_in_upper_case(v2: Emulator) -> None:
    v2.spacetime.add_database(OWNER, "a" * 31)

    assert send(v2, "GET", f"/{'a' * 31}/names").body.startswith(b"2D\r\n")


def test_head_has_neither_length_nor_chunks(v2: Emulator) -> None:
    v2.spacetime.add_database(OWNER, "chat")
    answer = send(v2, "HEAD", "/chat")

    assert answer.status == 200
    assert {"content-length", "transfer-encoding"}.isdisjoint(answer.names)


def test_http_1_0_has_no_chunks(v2: Emulator) -> None:
    v2.spacetime.add_database(OWNER, "chat")
    whole = exchange(v2.url, b"GET /v1/database/chat/names HTTP/1.0\r\n\r\n")

    assert {"content-length", "transfer-encoding"}.isdisjoint(whole.names)


def test_v1_sends_a_length(emulator: Emulator) -> None:
    emulator.reset(spacetime_profile="v1")
    emulator.spacetime.add_database(OWNER, "chat")

    assert send(emulator, "GET", "/chat/names").body == b'{"names":["chat"]}'


# --- what is not emulated ---------------------------------------------------------------------------------------------

UNEMULATED = [
    ("POST", "/chat/call/send"),
    ("GET", "/chat/schema?version=9"),
    ("GET", "/chat/schema"),
    ("GET", "/chat/logs"),
    ("POST", "/chat/sql"),
    ("POST", "/chat/names"),
    ("PUT", "/chat/names"),
    ("POST", "/chat/pre_publish"),
    ("PUT", "/chat/reset"),
    ("PUT", "/chat"),
    ("PUT", "/another"),
    ("DELETE", "/chat"),
    ("POST", ""),
]


@pytest.mark.parametrize(("method", "path"), UNEMULATED)
def test_what_needs_a_module_is_501_and_not_matched(server: Emulator, chat: Database, method: str, path: str) -> None:
    answer = send(server, method, path, body=b"[]" if method != "GET" else b"")
    last = server.journal.exchanges[-1]

    assert (answer.status, answer.header("content-type")) == (501, "text/plain; charset=utf-8")
    assert not last.matched
    assert server.journal.unmatched == [last]
    stub = f'emulator.stub("{method} /v1/database{path.partition("?")[0]}", json=...)'
    assert last.why == f"not emulated; {stub} answers it"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/chat/lock"), ("POST", "/chat/unlock"), ("POST", "/chat/mcp"), ("PATCH", "/chat/route/a/b")],
)
def test_so_are_the_routes_of_newer_servers(v2: Emulator, method: str, path: str) -> None:
    v2.spacetime.add_database(OWNER, "chat")

    assert send(v2, method, path).status == 501


@pytest.mark.parametrize("path", ["/chat/route", "/chat/route/", "/chat/route/a/b"])
def test_webhooks_are_not_asked_for_credentials(v2: Emulator, path: str) -> None:
    v2.spacetime.add_database(OWNER, "chat")
    answer = send(v2, "POST", path, "Authorization: Bearer x")

    assert answer.status == 501
    assert "spacetime-identity" not in answer.names
    assert send(v2, "POST", path.replace("chat", "nowhere")).status == 404


def test_an_unknown_identity_is_deleted_with_success(server: Emulator) -> None:
    answer = send(server, "DELETE", f"/{UNKNOWN}")

    assert (answer.status, answer.body, server.journal.unmatched) == (200, b"", [])


JSON = "Content-Type: application/json"
REFUSED: Mapping[str, tuple[str, str, tuple[str, ...], bytes]] = {
    "Header of type `content-type` was missing": ("POST", "/call/x", (), b"[]"),
    "Request body didn't contain valid UTF-8": ("POST", "/call/x", (JSON,), b"\xff"),
    "Failed to deserialize query string: missing field `version`": ("GET", "/schema", (), b""),
    "Failed to deserialize query string: unknown variant `8`, expected `9`": ("GET", "/schema?version=8", (), b""),
    "Failed to deserialize query string: duplicate field `version`": ("GET", "/schema?version=9&version=9", (), b""),
    "Failed to deserialize query string: invalid digit found in string": ("GET", "/logs?num_lines=-1", (), b""),
    "Failed to deserialize query string: number too large to fit in target type": (
        "GET",
        "/logs?num_lines=4294967296",
        (),
        b"",
    ),
    "Failed to deserialize query string: provided string was not `true` or `false`": ("GET", "/logs?follow=1", (), b""),
    "Failed to deserialize query string: unknown variant `x`, expected `Wasm` or `Js`": (
        "PUT",
        "/reset?host_type=x",
        (),
        b"",
    ),
    "invalid hyphen in database name": ("POST", "/names", (), b"a-"),
    "Request body didn't contain valid UTF-8: invalid utf-8 sequence of 1 bytes from index 1": (
        "POST",
        "/sql",
        (),
        b"a\xff",
    ),
}


@pytest.mark.parametrize("text", REFUSED)
def test_v1_judges_query_and_body_before_it_looks_for_the_database(emulator: Emulator, text: str) -> None:
    emulator.reset(spacetime_profile="v1")
    method, path, headers, body = REFUSED[text]
    answer = send(emulator, method, f"/nowhere{path}", *headers, body=body)

    assert (answer.status, answer.body.decode()) == (400, text)


@pytest.mark.parametrize("text", REFUSED)
def test_newer_servers_look_for_the_database_first(v2: Emulator, text: str) -> None:
    method, path, headers, body = REFUSED[text]

    assert send(v2, method, f"/nowhere{path}", *headers, body=body).body == b"`nowhere` not found"


def test_a_body_is_received_before_an_unknown_database_is_told_of(v2: Emulator) -> None:
    answer = send(v2, "POST", "/nowhere/sql", body=b"x" * 3_000_000)

    assert answer.body == b"`nowhere` not found"


# --- faults and the journal -------------------------------------------------------------------------------------------


def test_a_fault_can_be_added_to_a_route_that_is_not_emulated(server: Emulator, chat: Database) -> None:
    server.faults.add("POST /v1/database/*/call/**", status=503)
    answer = send(server, "POST", "/chat/call/send")

    assert answer.status == 503
    assert server.journal.unmatched == []


def test_exchanges_have_the_names_of_their_operations(server: Emulator, chat: Database) -> None:
    get(server, "/chat")
    get(server, "/chat/subscribe")
    send(server, "POST", "/chat/call/send")

    assert [each.operation for each in server.journal.exchanges] == [
        "spacetime.get_database",
        "spacetime.subscribe",
        "spacetime.call",
    ]


def test_a_fault_on_a_route_that_is_not_there_is_refused(server: Emulator) -> None:
    with pytest.raises(ValueError, match=r"no route matches 'GET /v1/database/chat/subscrib'; did you mean "):
        server.faults.add("GET /v1/database/chat/subscrib", status=503)
