"""`/v1/database/**` at its edge. That whole responses are the recorded ones, test_recorded_answers.py says."""

import re
from collections.abc import Mapping

import pytest
import requests

from emulator import Emulator
from emulator.http.operation import ANY_METHOD, Operation
from emulator.services.spacetimedb.database.operations import COUNTED, DATABASE, OPERATIONS
from emulator.services.spacetimedb.model import Database, identity_of
from tests.raw import RawAnswer, exchange, request
from tests.waiting import PATIENCE
from tests.websocket import CLOSE, Frame, Peer

OWNER, BOB = identity_of("localhost", "alice"), identity_of("localhost", "bob")
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


def text_of(answer: RawAnswer) -> str:
    """The body, also when it came in one chunk."""
    body = answer.body.split(b"\r\n")[1] if answer.header("transfer-encoding") else answer.body
    return body.decode()


def as_owner(emulator: Emulator) -> str:
    return bearer(emulator.spacetime.issue_token(subject="alice"))


def as_bob(emulator: Emulator) -> str:
    return bearer(emulator.spacetime.issue_token(subject="bob"))


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


def test_the_query_is_judged_before_head(server: Emulator, chat: Database) -> None:
    assert send(server, "HEAD", f"/{chat.name}/subscribe?light=x").status == 400


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

JSON = "Content-Type: application/json"
UNEMULATED = [
    ("POST", "/chat/call/send"),
    ("GET", "/chat/schema?version=9"),
    ("GET", "/chat/logs?num_lines=3"),
    ("POST", "/chat/sql"),
    ("POST", "/chat/pre_publish"),
    ("PUT", "/chat/reset"),
    ("PUT", "/chat"),
    ("PUT", "/chat?clear=true"),
    ("PUT", "/another"),
    ("POST", ""),
]


@pytest.mark.parametrize(("method", "path"), UNEMULATED)
def test_what_needs_a_module_is_501_and_not_matched(server: Emulator, chat: Database, method: str, path: str) -> None:
    answer = send(server, method, path, JSON, as_owner(server), body=b"[]" if method != "GET" else b"")
    last = server.journal.exchanges[-1]

    assert (answer.status, answer.header("content-type")) == (501, "text/plain; charset=utf-8")
    assert not last.matched
    assert server.journal.unmatched == [last]
    stub = f'emulator.stub("{method} /v1/database{path.partition("?")[0]}", json=...)'
    assert last.why == f"not emulated; {stub} answers it"


def test_so_are_webhooks(v2: Emulator) -> None:
    v2.spacetime.add_database(OWNER, "chat")

    assert send(v2, "PATCH", "/chat/route/a/b").status == 501


@pytest.mark.parametrize("path", ["/chat/route", "/chat/route/", "/chat/route/a/b"])
def test_webhooks_are_not_asked_for_credentials(v2: Emulator, path: str) -> None:
    v2.spacetime.add_database(OWNER, "chat")
    answer = send(v2, "POST", path, "Authorization: Bearer x")

    assert answer.status == 501
    assert "spacetime-identity" not in answer.names
    assert send(v2, "POST", path.replace("chat", "nowhere")).status == 404


# --- query and body --------------------------------------------------------------------------------------------------


REFUSED: Mapping[str, tuple[str, str, tuple[str, ...], bytes]] = {
    "Header of type `content-type` was missing": ("POST", "/call/x", (), b"[]"),
    "Request body didn't contain valid UTF-8": ("POST", "/call/x", (JSON,), b"\xff"),
    "Failed to deserialize query string: missing field `version`": ("GET", "/schema", (), b""),
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
    "invalid HTTP header (content-type)": ("POST", "/call/x", ("Content-Type: json",), b"[]"),
    "Error parsing `a-`: invalid hyphen in database name": ("PUT", "/names", (JSON,), b'["a", "a-"]'),
    "Failed to parse the request body as JSON: [1]: expected value at line 1 column 7": (
        "PUT",
        "/names",
        (JSON,),
        b'["a", x]',
    ),
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
def test_query_and_body_are_judged_before_the_owner_and_the_module(server: Emulator, chat: Database, text: str) -> None:
    method, path, headers, body = REFUSED[text]
    answer = send(server, method, f"/chat{path}", *headers, body=body)

    assert (answer.status, text_of(answer)) == (400, text)


@pytest.mark.parametrize(("profile", "known"), [("v1", "`9`"), ("v2.8", "`9` or `10`"), ("v2.14", "`9` or `10`")])
def test_the_versions_of_a_schema_are_those_of_the_release(emulator: Emulator, profile: str, known: str) -> None:
    emulator.reset(spacetime_profile=profile)
    emulator.spacetime.add_database(OWNER, "chat")

    assert text_of(send(emulator, "GET", "/chat/schema?version=8")).endswith(f"unknown variant `8`, expected {known}")


@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=utf-8"])
def test_a_call_has_plain_json(server: Emulator, chat: Database, kind: str) -> None:
    answer = send(server, "POST", "/chat/call/send", f"Content-Type: {kind}", body=b"[]")

    assert (answer.status, text_of(answer)) == (415, "Expected request with `Content-Type: application/json`")


@pytest.mark.parametrize("text", REFUSED)
def test_newer_servers_look_for_the_database_first(v2: Emulator, text: str) -> None:
    method, path, headers, body = REFUSED[text]

    assert send(v2, method, f"/nowhere{path}", *headers, body=body).body == b"`nowhere` not found"


def test_a_body_is_received_before_an_unknown_database_is_told_of(v2: Emulator) -> None:
    answer = send(v2, "POST", "/nowhere/sql", body=b"x" * 3_000_000)

    assert answer.body == b"`nowhere` not found"


# --- the owner --------------------------------------------------------------------------------------------------------

OWNERS = [
    ("GET", "/logs", "view module logs"),
    ("POST", "/pre_publish", "update database"),
    ("PUT", "/reset", "reset database"),
    ("PUT", "", "update database"),
    ("PUT", "?clear=true", "reset database"),
    ("DELETE", "", "delete database"),
]


@pytest.mark.parametrize(("method", "path", "action"), OWNERS)
def test_only_the_owner_may(server: Emulator, chat: Database, method: str, path: str, action: str) -> None:
    answer = send(server, method, f"/chat{path}", as_bob(server))

    refused = f"{BOB} is not authorized to perform action on database {chat.identity}: {action}"
    assert (answer.status, text_of(answer)) == (403, refused)
    assert server.journal.unmatched == []


@pytest.mark.parametrize("path", ["/lock", "/unlock"])
def test_only_the_owner_locks(v2: Emulator, path: str) -> None:
    chat = v2.spacetime.add_database(OWNER, "chat")
    answer = send(v2, "POST", f"/chat{path}", as_bob(v2))

    refused = f"{BOB} is not authorized to perform action on database {chat.identity}: delete database"
    assert (answer.status, text_of(answer)) == (403, refused)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("?clear=maybe", "Failed to deserialize query string: provided string was not `true` or `false`"),
        ("?num_replicas=256", "Replication factor 256 out of bounds"),
        ("?clear=true&num_replicas=256", "Replication factor 256 out of bounds"),
        ("?policy=BreakClients", "Migration policy is set to `BreakClients`, but no migration token was provided."),
    ],
)
def test_a_bad_query_is_refused_before_a_module_is_published(
    server: Emulator, chat: Database, path: str, text: str
) -> None:
    answer = send(server, "PUT", f"/chat{path}", as_owner(server))

    assert (answer.status, text_of(answer)) == (400, text)


def test_what_has_no_name_can_not_be_cleared(server: Emulator) -> None:
    answer = send(server, "POST", "?clear=true")

    assert (answer.status, text_of(answer)) == (400, "Clear database requires database name or identity")


# --- names, locks and deletion ----------------------------------------------------------------------------------------


def names_of(emulator: Emulator, database: str) -> list[str]:
    found: list[str] = get(emulator, f"/{database}/names").json()["names"]
    return found


def give(emulator: Emulator, name: str, *headers: str, database: str = "chat") -> RawAnswer:
    return send(emulator, "POST", f"/{database}/names", *headers, body=name.encode())


def rename(emulator: Emulator, body: str, *headers: str, database: str = "chat") -> RawAnswer:
    return send(emulator, "PUT", f"/{database}/names", JSON, *headers, body=body.encode())


def test_anybody_can_give_a_database_another_name(server: Emulator, chat: Database) -> None:
    answer = give(server, "talk", as_bob(server))

    success = f'{{"Success":{{"domain":"talk","database_identity":"{chat.identity}"}}}}'
    assert (answer.status, text_of(answer)) == (200, success)
    assert names_of(server, "talk") == ["chat", "talk"]
    assert server.journal.unmatched == []


def test_a_name_that_is_taken_is_refused(server: Emulator, chat: Database) -> None:
    server.spacetime.add_database(OWNER, "shop")
    answer = give(server, "shop", as_owner(server))

    assert (answer.status, text_of(answer)) == (500, "record with the name shop already exists")
    assert names_of(server, "chat") == ["chat"]


def test_the_owner_replaces_the_names(server: Emulator, chat: Database) -> None:
    answer = rename(server, '["talk", "gossip"]', as_owner(server))

    assert (answer.status, text_of(answer)) == (200, '"Success"')
    assert names_of(server, chat.identity) == ["talk", "gossip"]
    assert get(server, "/chat").status_code == 404


def test_a_name_that_was_replaced_stays_its_owners(server: Emulator, chat: Database) -> None:
    rename(server, '["talk"]', as_owner(server))
    refused = give(server, "chat", as_bob(server), database="talk")

    assert (refused.status, text_of(refused)) == (401, '{"PermissionDenied":{"domain":"chat"}}')
    assert give(server, "chat", as_owner(server), database="talk").status == 200


def test_nobody_else_publishes_under_a_name_that_was_replaced(server: Emulator, chat: Database) -> None:
    rename(server, '["talk"]', as_owner(server))
    answer = send(server, "PUT", "/chat", as_bob(server))

    assert (answer.status, text_of(answer)) == (401, '{"PermissionDenied":{"name":"chat"}}')


def test_a_name_in_use_can_not_be_among_the_new_ones(server: Emulator, chat: Database) -> None:
    answer = rename(server, '["talk", "chat"]', as_owner(server))

    in_use = '{"OtherError":"Cannot rename to chat because it already is in use."}'
    assert (answer.status, text_of(answer)) == (400, in_use)
    assert names_of(server, "chat") == ["chat"]


def test_names_are_not_replaced_while_one_is_somebody_elses(server: Emulator, chat: Database) -> None:
    give(server, "of-bob", as_bob(server))
    answer = rename(server, '["talk"]', as_owner(server))

    assert (answer.status, text_of(answer)) == (401, '{"PermissionDenied":{"domain":"of-bob"}}')
    assert names_of(server, "chat") == ["chat", "of-bob"]


def test_a_stranger_does_not_replace_names(server: Emulator, chat: Database) -> None:
    answer = rename(server, "[]", as_bob(server))

    assert (answer.status, text_of(answer)) == (401, f'{{"NotYourDatabase":{{"database":"{chat.identity}"}}}}')


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (
            "{}",
            422,
            "Failed to deserialize the JSON body into the target type: "
            "invalid type: map, expected a sequence at line 1 column 0",
        ),
        (
            '["a", 1]',
            422,
            "Failed to deserialize the JSON body into the target type: "
            "[1]: invalid type: integer `1`, expected a string at line 1 column 7",
        ),
        ("", 400, "Failed to parse the request body as JSON: EOF while parsing a value at line 1 column 0"),
    ],
)
def test_names_are_a_list_of_strings(server: Emulator, chat: Database, body: str, status: int, text: str) -> None:
    answer = rename(server, body, as_owner(server))

    assert (answer.status, text_of(answer)) == (status, text)


def test_v1_gives_a_name_to_an_identity_that_is_no_database(emulator: Emulator) -> None:
    emulator.reset(spacetime_profile="v1")

    assert give(emulator, "talk", database=UNKNOWN).status == 200
    assert names_of(emulator, UNKNOWN) == ["talk"]
    assert get(emulator, "/talk/identity").text == UNKNOWN
    assert get(emulator, "/talk").text == "No such database."


def test_v1_replaces_no_names_of_an_identity_that_is_no_database(emulator: Emulator) -> None:
    emulator.reset(spacetime_profile="v1")
    answer = rename(emulator, "[]", database=UNKNOWN)

    assert (answer.status, answer.header("content-type"), answer.body) == (
        404,
        "application/json",
        b'"DatabaseNotFound"',
    )


def test_newer_servers_give_a_name_to_databases_only(v2: Emulator) -> None:
    assert give(v2, "talk", database=UNKNOWN).body == b"No such database."


def test_a_name_that_is_too_long_to_keep_is_not_emulated(server: Emulator, chat: Database) -> None:
    answer = give(server, "a" * 201)

    assert answer.status == 501
    assert "keeps up to 100000 names, those of clients with up to 200 characters" in server.journal.unmatched[0].why


def test_an_unknown_identity_is_deleted_with_success(server: Emulator) -> None:
    answer = send(server, "DELETE", f"/{UNKNOWN}")

    assert (answer.status, answer.body, server.journal.unmatched) == (200, b"", [])


def test_the_owner_deletes_a_database(server: Emulator, chat: Database) -> None:
    shop = server.spacetime.add_database(OWNER, "shop")
    answer = send(server, "DELETE", "/chat", as_owner(server))

    assert (answer.status, answer.body, server.journal.unmatched) == (200, b"", [])
    assert get(server, f"/{chat.identity}").text == "No such database."
    listed = requests.get(f"{server.url}/v1/identity/{OWNER}/databases", timeout=PATIENCE).json()
    assert listed in ({"identities": [shop.identity]}, {"addresses": [shop.address]})


def test_its_websockets_are_closed(server: Emulator, chat: Database) -> None:
    shop = server.spacetime.add_database(OWNER, "shop")
    with Peer(server.url, handshake("chat")) as gone, Peer(server.url, handshake("shop")) as stays:
        gone.frames(2)
        stays.frames(2)
        send(server, "DELETE", "/chat", as_owner(server))

        assert gone.frame() == Frame(CLOSE, b"\x03\xe9module exited")
        assert [each.database for each in server.spacetime.connections] == [shop.identity]


def handshake(database: str) -> bytes:
    return request(
        "GET",
        f"/v1/database/{database}/subscribe",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: v1.json.spacetimedb",
    )


def test_the_name_of_a_deleted_database_stays(server: Emulator, chat: Database) -> None:
    send(server, "DELETE", "/chat", as_owner(server))

    assert get(server, "/chat/identity").text == chat.identity
    assert get(server, "/chat").text == "No such database."
    assert send(server, "DELETE", "/chat", as_bob(server)).status == 200


def test_a_database_that_is_added_again_has_its_identity(server: Emulator, chat: Database) -> None:
    shop = server.spacetime.add_database(OWNER, "shop", UNKNOWN)
    send(server, "DELETE", "/shop", as_owner(server))

    assert server.spacetime.add_database(OWNER, "shop").identity == shop.identity
    assert names_of(server, "shop") == ["shop"]


def test_a_locked_database_is_neither_deleted_nor_cleared(v2: Emulator) -> None:
    v2.spacetime.add_database(OWNER, "chat")
    locked = send(v2, "POST", "/chat/lock", as_owner(v2))
    refused = [send(v2, method, path, as_owner(v2)) for method, path in (("DELETE", "/chat"), ("PUT", "/chat/reset"))]

    assert (locked.status, locked.body) == (200, b"")
    assert [(each.status, text_of(each)) for each in refused] == [
        (403, "Database is locked and cannot be deleted. Run `spacetime unlock` first."),
        (403, "Database is locked and cannot be reset with --delete-data. Run `spacetime unlock` first."),
    ]


def test_an_unlocked_database_is_deleted(v2: Emulator) -> None:
    v2.spacetime.add_database(OWNER, "chat")
    answers = [
        send(v2, method, path, as_owner(v2))
        for method, path in (("POST", "/chat/lock"), ("POST", "/chat/unlock"), ("DELETE", "/chat"))
    ]

    assert [each.status for each in answers] == [200, 200, 200]


def test_a_snapshot_brings_back_what_was_deleted(emulator: Emulator) -> None:
    emulator.reset(scenario="two_friends")
    owner = bearer(emulator.actors["alice"].token)
    before = emulator.snapshot()
    send(emulator, "DELETE", "/shop", owner)
    assert get(emulator, "/shop").status_code == 404
    emulator.restore(before)

    assert get(emulator, "/shop").status_code == 200


# --- MCP --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database", ["chat", "nowhere"])
def test_a_message_to_an_mcp_server_is_json(v2: Emulator, database: str) -> None:
    v2.spacetime.add_database(OWNER, "chat")
    answers = [send(v2, "POST", f"/{database}/mcp", *headers) for headers in ((), (JSON,))]

    assert [(each.status, each.body) for each in answers] == [
        (415, b"Expected request with `Content-Type: application/json`"),
        (400, b"Failed to parse the request body as JSON: EOF while parsing a value at line 1 column 0"),
    ]


def test_a_notification_to_an_mcp_server_is_accepted_a_request_is_not_emulated(v2: Emulator) -> None:
    v2.spacetime.add_database(OWNER, "chat")
    answers = [send(v2, "POST", "/chat/mcp", JSON, body=body) for body in (b'{"method":"x"}', b"[]", b'{"id":1}')]

    assert [each.status for each in answers] == [202, 202, 501]


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


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.paths[0].startswith(DATABASE)], ids=lambda each: each.name
)
def test_what_is_counted_comes_in_one_chunk_and_nothing_else_does(emulator: Emulator, operation: Operation) -> None:
    emulator.reset(spacetime_profile="v2.14")
    alice = emulator.spacetime.create_identity()
    emulator.spacetime.add_database(alice.identity, "chat")
    path = operation.paths[0].replace(":name_or_identity", "chat").replace(":reducer", "send").replace("*path", "x")
    method = "GET" if operation.method == ANY_METHOD else operation.method

    answer = requests.request(
        method,
        f"{emulator.url}{path}",
        headers={"Authorization": f"Bearer {alice.token}", "Content-Type": "application/json"},
        data=b"[]" if method != "GET" else None,
        timeout=PATIENCE,
    )

    if answer.content:  # what is empty has a length, whoever sends it
        assert ("transfer-encoding" in answer.headers) == (operation.name in COUNTED)
