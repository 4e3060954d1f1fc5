"""The journal has the reason of an error; the response never does."""

import bz2
import gzip
import re
import zlib

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
        ("GET", "/v1/identities", [], "no such route; did you mean /v1/identity?"),
        ("GET", "/v1/idenity/abc/verify", [], "no such route; did you mean /v1/identity/:identity/verify?"),
        ("GET", "/v1/identities/all", [], "no such route; a stub can answer it"),
        ("GET", "/identitys", [], "no such route; did you mean /identity?"),
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


JSON = "Content-Type: application/json"
DRAFT = b'{"display_name": "JP", "creator": "0x81"}'


def why_body(emulator: Emulator, body: bytes, *headers: str) -> str:
    exchange(emulator.url, request("POST", "/identity", f"x-api-key: {API_KEY}", JSON, *headers, body=body))
    return emulator.journal[-1].why


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (gzip.compress(DRAFT, mtime=0), "the body is gzip, which the service does not decompress"),
        (zlib.compress(DRAFT), "the body is deflate, which the service does not decompress"),
        (zlib.compress(DRAFT, 9), "the body is deflate, which the service does not decompress"),
        (bz2.compress(DRAFT), "the body is bzip2, which the service does not decompress"),
        (b"\x28\xb5\x2f\xfd\x00", "the body is zstd, which the service does not decompress"),
        (DRAFT.decode().encode("utf-16"), "the body is UTF-16; the service takes UTF-8"),
        (DRAFT.decode().encode("utf-16-le"), "the body is UTF-16; the service takes UTF-8"),
        (DRAFT.decode().encode("utf-32-be"), "the body is UTF-32; the service takes UTF-8"),
        (b"\xef\xbb\xbf" + DRAFT, "the body begins with a byte-order mark"),
        (b" ", "the body is empty"),
        (b"[%b]" % DRAFT, "the body is a list of 1; the service takes one object, like {"),
        (b"[]", "the body is a list of 0; the service takes one object"),
        (b"5", "the body is 5; the service takes an object"),
        (b'"{}"', "it was encoded twice"),
        (b"{'display_name': 'JP'}", "single quotes, as Python prints a dict"),
        (b"display_name=JP&creator=0x81", "the body is a form, not JSON"),
        (b'--b\r\nContent-Disposition: form-data; name="a"\r\n', "a form with parts"),
        (b"<identity/>", "the body is XML or HTML"),
        (b'{"displayName": "JP", "creator": "0x81"}', "you sent `displayName`; the field is `display_name`"),
        (
            b'{"DisplayName": "JP", "Creator": "0x81"}',
            "you sent `Creator`; the field is `creator`; you sent `DisplayName`",
        ),
        (b'{"dispaly_name": "JP", "creator": "0x81"}', "you sent `dispaly_name`; the field is `display_name`"),
        (b'{"name": "JP"}', "`creator` is missing; `display_name` is missing"),
        (b'{"display_name": 5, "creator": "0x81"}', "`display_name` is 5; it must be text"),
        (b'{"display_name": ["JP"], "creator": "0x81"}', "`display_name` is a list; it must be text"),
        (b'{"display_name": null, "creator": "0x81"}', "`display_name` is null; it must be text"),
        (b'{"creator": "0x81", "creator": "0x82"}', "`creator` is there twice"),
        (b'{"display_name": "JP"', "the text ends too early"),
    ],
)
def test_a_refused_body_is_called_what_it_is(emulator: Emulator, body: bytes, reason: str) -> None:
    why = why_body(emulator, body)

    assert reason in why
    assert not re.search("struct|expected|invalid type|elements|EOF", why), "nobody needs to know Rust"


@pytest.mark.parametrize(("encoding", "name"), [("br", "brotli"), ("deflate", "deflate"), ("zstd", "zstd")])
def test_a_content_encoding_is_believed(emulator: Emulator, encoding: str, name: str) -> None:
    why = why_body(emulator, b"\x0b\x02\x80", f"Content-Encoding: {encoding}")

    assert why == f"the body is {name}, which the service does not decompress"


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2 is not spoken here; have the client use HTTP/1.1"),
        (b"\x16\x03\x01\x00\xca\x01\x00\x00\xc6\x03\x03" + b"x" * 200, "TLS is not spoken here; use http://"),
    ],
)
def test_another_protocol_is_named(emulator: Emulator, sent: bytes, reason: str) -> None:
    with connect(emulator.url) as connection:
        connection.sendall(sent)
        read_answer(connection)

    assert reason in emulator.journal[-1].why


def test_a_row_of_an_earlier_world_is_named_as_such(emulator: Emulator) -> None:
    row = emulator.intuition.create_identity(display_name="JP", creator="0x81")
    for _ in range(3):
        emulator.reset()

    for name in (row.id, row.identity_id):
        reason = why(emulator, "GET", f"/identity/{name}", f"x-api-key: {API_KEY}")
        assert reason == f"{name!r} was made before the last reset; put it into the config's scenario"


def test_a_key_of_an_earlier_world_is_named_as_such(emulator: Emulator) -> None:
    key = emulator.intuition.issue_api_key("0x81")
    emulator.reset()

    reason = why(emulator, "GET", "/identity/7", f"x-api-key: {key}")

    assert reason == "`x-api-key` was issued before the last reset; put it into the config's scenario"


def test_a_key_that_was_revoked_in_this_world_is_not_of_an_earlier_one(emulator: Emulator) -> None:
    key = emulator.intuition.issue_api_key("0x81")
    emulator.intuition.revoke_api_key(key)

    assert "or was revoked" in why(emulator, "GET", "/identity/7", f"x-api-key: {key}")


def test_actors_are_named_in_the_place_of_their_identities(emulator: Emulator) -> None:
    emulator.load({"version": 1, "spacetime": {"identities": {"alice": None, "bob": None}}})
    alice, bob = emulator.actors["alice"], emulator.actors["bob"]

    reason = why(emulator, "GET", f"/v1/identity/{alice.identity}/verify", f"Authorization: Bearer {bob.token}")

    assert reason == "the token belongs to bob, the path names alice"


def test_a_claim_of_a_wrong_type_is_told_without_rust(emulator: Emulator) -> None:
    token = emulator.spacetime.sign({"sub": 5, "iss": "localhost", "iat": 1})

    reason = why(emulator, "POST", "/v1/identity/websocket-token", f"Authorization: Bearer {token}")

    assert "`sub` is 5; it must be text" in reason
