"""SpacetimeDB's API through the socket, mostly in the profile `documented`."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
import requests

from emulator import Config, Emulator, running_in_thread
from emulator.services.spacetimedb.model import identity_of
from tests.raw import exchange, request
from tests.waiting import PATIENCE

SOMEBODY = identity_of("localhost", "somebody")


def new_identity(emulator: Emulator) -> tuple[str, str]:
    body = requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE).json()
    return body["identity"], body["token"]


def basic(token: str, user: str = "token") -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{token}'.encode()).decode()}"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def verify(emulator: Emulator, identity: str, **options: Any) -> requests.Response:
    return requests.get(f"{emulator.url}/v1/identity/{identity}/verify", timeout=PATIENCE, **options)


def emails_stored(emulator: Emulator) -> int:
    state = requests.get(f"{emulator.url}/_emulator/state", timeout=PATIENCE).json()
    found: int = state["spacetime"]["emails"]
    return found


# --- create and trade -------------------------------------------------------------------------------------------------


def test_a_new_identity_belongs_to_its_token(emulator: Emulator) -> None:
    answer = requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE)

    claims = jwt.decode(answer.json()["token"], options={"verify_signature": False})
    assert answer.json()["identity"] == claims["hex_identity"] == identity_of(claims["iss"], claims["sub"])
    assert (claims["iss"], claims["aud"], "exp" in claims) == ("localhost", ["spacetimedb"], False)


@pytest.mark.parametrize(("profile", "bytes_"), [("v1", 476), ("v2.8", 476), ("v2.14", 461), ("documented", 461)])
def test_the_answer_to_a_new_identity_is_shorter_without_exp(emulator: Emulator, profile: str, bytes_: int) -> None:
    emulator.reset(spacetime_profile=profile)

    assert len(requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE).content) == bytes_


def test_bad_credentials_and_bodies_do_not_keep_anyone_from_an_identity(emulator: Emulator) -> None:
    answer = requests.post(
        f"{emulator.url}/v1/identity?token=x", headers=bearer("x"), data=b"\xff" * 9, timeout=PATIENCE
    )

    assert answer.status_code == 200


def test_a_bare_identity_leaves_nothing_behind(emulator: Emulator) -> None:
    new_identity(emulator)

    assert emails_stored(emulator) == 0


@pytest.mark.parametrize("scheme", [basic, bearer])
def test_a_token_is_traded_for_one_of_sixty_seconds(emulator: Emulator, scheme: Any) -> None:
    identity, token = new_identity(emulator)

    answer = requests.post(f"{emulator.url}/v1/identity/websocket-token", headers=scheme(token), timeout=PATIENCE)

    assert (answer.status_code, len(answer.content)) == (200, 406)
    claims = jwt.decode(answer.json()["token"], options={"verify_signature": False})
    assert claims["hex_identity"] == identity
    assert claims["exp"] == claims["iat"] + 60


def test_pyjwt_takes_a_websocket_token_whole_with_a_second_of_leeway(emulator: Emulator) -> None:
    _, token = new_identity(emulator)
    short = requests.post(f"{emulator.url}/v1/identity/websocket-token", headers=bearer(token), timeout=PATIENCE).json()
    pem = requests.get(f"{emulator.url}/v1/identity/public-key", timeout=PATIENCE).content

    claims = jwt.decode(short["token"], pem, ["ES256"], audience="spacetimedb", issuer="localhost", leeway=1)

    assert claims["sub"]


def test_a_websocket_token_can_be_traded_again(emulator: Emulator) -> None:
    _, token = new_identity(emulator)
    url = f"{emulator.url}/v1/identity/websocket-token"
    short = requests.post(url, headers=bearer(token), timeout=PATIENCE).json()["token"]

    assert requests.post(url, headers=bearer(short), timeout=PATIENCE).status_code == 200


def test_the_public_key_is_served_under_the_documented_type(emulator: Emulator) -> None:
    answer = requests.get(f"{emulator.url}/v1/identity/public-key", timeout=PATIENCE)

    assert answer.headers["content-type"] == "application/pem-certificate-chain"
    assert answer.content.startswith(b"-----BEGIN PUBLIC KEY-----")


# --- verify, the page's three answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [basic, bearer])
def test_a_token_of_this_identity_is_204_and_empty(emulator: Emulator, scheme: Any) -> None:
    identity, token = new_identity(emulator)

    answer = verify(emulator, identity, headers=scheme(token))

    assert (answer.status_code, answer.content) == (204, b"")


def test_a_204_has_no_length_unless_head_asked(emulator: Emulator) -> None:
    identity, token = new_identity(emulator)
    target, header = f"/v1/identity/{identity}/verify", f"Authorization: Bearer {token}"

    got = exchange(emulator.url, request("GET", target, header))
    headed = exchange(emulator.url, request("HEAD", target, header))

    assert got.names == ["vary", "access-control-allow-origin", "date"]
    assert headed.names == ["vary", "access-control-allow-origin", "content-length", "date"]


def test_the_token_may_be_in_the_query(emulator: Emulator) -> None:
    identity, token = new_identity(emulator)

    assert verify(emulator, identity, params={"token": token}).status_code == 204


def test_the_identity_may_be_in_upper_case(emulator: Emulator) -> None:
    identity, token = new_identity(emulator)

    assert verify(emulator, identity.upper(), headers=bearer(token)).status_code == 204


def test_a_token_of_another_identity_is_400_and_empty(emulator: Emulator) -> None:
    _, token = new_identity(emulator)

    answer = verify(emulator, SOMEBODY, headers=bearer(token))

    assert (answer.status_code, answer.content) == (400, b"")


def test_an_invalid_identity_is_400_before_the_token_is_read(emulator: Emulator) -> None:
    answer = verify(emulator, "zz", headers={"Authorization": "nonsense"})

    assert (answer.status_code, answer.text) == (
        400,
        'Invalid URL: invalid value: string "zz", expected a byte array or hex string',
    )


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({}, "Authorization required"),
        ({"Authorization": "Basic"}, "Authorization is invalid: malformed token"),
        ({"Authorization": "Basic !!!"}, "Authorization is invalid: malformed token"),
        ({"Authorization": "Basic dG9rZW46YQ"}, "Authorization is invalid: malformed token"),
        ({"Authorization": "Basic dG9rZW4="}, "Authorization is invalid: malformed token"),
        (basic("x", user="somebody"), "Authorization is invalid: malformed token"),
        ({"Authorization": "Token x"}, "Authorization is invalid: malformed token"),
        ({"Authorization": "Bearer"}, "Authorization is invalid: malformed token"),
        (bearer("x"), "Invalid token: InvalidToken"),
        (basic("x"), "Invalid token: InvalidToken"),
        (basic("a.b.c"), "Invalid token: Base64 error: Invalid input length: 1"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_everything_wrong_with_the_credentials_is_401(emulator: Emulator, headers: dict[str, str], text: str) -> None:
    answer = verify(emulator, SOMEBODY, headers=headers)

    assert (answer.status_code, answer.text) == (401, text)


def test_an_expired_token_is_401(emulator: Emulator) -> None:
    identity, token = new_identity(emulator)
    short = requests.post(f"{emulator.url}/v1/identity/websocket-token", headers=bearer(token), timeout=PATIENCE).json()
    emulator.clock.advance(122)

    answer = verify(emulator, identity, headers=bearer(short["token"]))

    assert (answer.status_code, answer.text) == (401, "Invalid token: ExpiredSignature")


def test_a_rotated_key_makes_old_tokens_401(emulator: Emulator) -> None:
    identity, token = new_identity(emulator)
    emulator.spacetime.rotate_key()

    answer = verify(emulator, identity, headers=bearer(token))

    assert (answer.status_code, answer.text) == (401, "Invalid token: InvalidSignature")


# --- set-email --------------------------------------------------------------------------------------------------------


def set_email(emulator: Emulator, identity: str, query: str, **options: Any) -> requests.Response:
    return requests.post(f"{emulator.url}/v1/identity/{identity}/set-email{query}", timeout=PATIENCE, **options)


def test_setting_an_email_is_200_and_empty_and_stored_in_lower_case(emulator: Emulator) -> None:
    identity, token = new_identity(emulator)

    answer = set_email(emulator, identity, "?email=Alice%2BX@Example.com", headers=basic(token))

    assert (answer.status_code, answer.content) == (200, b"")
    assert emulator.spacetime.email_of(identity) == "alice+x@example.com"
    assert emails_stored(emulator) == 1


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "missing field `email`"),
        ("?Email=a@b.c", "missing field `email`"),
        ("?email=a@b.c&email=a@b.c", "duplicate field `email`"),
        ("?email=abc", "invalid value: string \"abc\", expected Missing separator character '@'."),
        ("?email=a+b@c.d", 'invalid value: string "a b@c.d", expected Invalid character.'),
        ("?email=%22%0A", 'invalid value: string "\\"\\n", expected Missing separator character \'@\'.'),
        ("?email=x&email=y", "invalid value: string \"x\", expected Missing separator character '@'."),
    ],
)
def test_a_bad_query_is_400_and_nothing_is_stored(emulator: Emulator, query: str, text: str) -> None:
    identity, token = new_identity(emulator)

    answer = set_email(emulator, identity, query, headers=bearer(token))

    assert (answer.status_code, answer.text) == (400, f"Failed to deserialize query string: {text}")
    assert emails_stored(emulator) == 0


def test_the_email_of_another_identity_is_401_and_empty(emulator: Emulator) -> None:
    _, token = new_identity(emulator)

    answer = set_email(emulator, SOMEBODY, "?email=a@b.c", headers=bearer(token))

    assert (answer.status_code, answer.content) == (401, b"")


def test_the_checks_of_set_email_come_in_order(emulator: Emulator) -> None:
    _, token = new_identity(emulator)

    assert "Invalid URL" in set_email(emulator, "zz", "").text
    assert set_email(emulator, SOMEBODY, "").text == "Authorization required"
    assert "missing field" in set_email(emulator, SOMEBODY, "", headers=bearer(token)).text


# --- databases, ping, health ------------------------------------------------------------------------------------------


def test_databases_are_addresses_of_32_digits(emulator: Emulator) -> None:
    database = emulator.spacetime.add_database(SOMEBODY)

    answer = requests.get(f"{emulator.url}/v1/identity/{SOMEBODY}/databases", timeout=PATIENCE)

    assert answer.json() == {"addresses": [database.address]}


def test_an_unknown_identity_has_no_databases(emulator: Emulator) -> None:
    answer = requests.get(f"{emulator.url}/v1/identity/{SOMEBODY}/databases", timeout=PATIENCE)

    assert answer.content == b'{"addresses":[]}'


def test_ping_needs_no_credentials_but_takes_the_pages(emulator: Emulator) -> None:
    _, token = new_identity(emulator)

    assert requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE).status_code == 200
    assert requests.get(f"{emulator.url}/v1/ping", headers=basic(token), timeout=PATIENCE).status_code == 200


def test_ping_refuses_a_malformed_header_as_v2_does(emulator: Emulator) -> None:
    assert (
        requests.get(f"{emulator.url}/v1/ping", headers={"Authorization": "Basic x"}, timeout=PATIENCE).status_code
        == 400
    )


def test_health_names_the_server_spoken_for(emulator: Emulator) -> None:
    assert requests.get(f"{emulator.url}/v1/health", timeout=PATIENCE).content == (
        b'{"package_name":"spacetimedb-client-api","version":"2.14.0","nodes":[0],"schedulable":true}'
    )


# --- the real servers -------------------------------------------------------------------------------------------------


def test_v2_lists_database_identities(v2: Emulator) -> None:
    database = v2.spacetime.add_database(SOMEBODY)

    answer = requests.get(f"{v2.url}/v1/identity/{SOMEBODY}/databases", timeout=PATIENCE)

    assert answer.json() == {"identities": [database.identity]}


@pytest.fixture(scope="module")
def v1() -> Any:
    with running_in_thread(Config(spacetime_profile="v1", freeze_at=datetime(2026, 1, 1, tzinfo=UTC))) as emulator:
        yield emulator


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("x", "TokenError(Error(InvalidToken))"),
        ("a.b.c", "TokenError(Error(Base64(InvalidLength(1))))"),
        ("e30.e30.e30", 'TokenError(Error(Json(Error("missing field `alg`", line: 1, column: 2))))'),
    ],
)
def test_v1_tells_of_a_bad_token_in_debug_form(v1: Emulator, token: str, text: str) -> None:
    assert verify(v1, SOMEBODY, headers=bearer(token)).text == text


def test_v1_names_its_version(v1: Emulator) -> None:
    assert requests.get(f"{v1.url}/v1/health", timeout=PATIENCE).json()["version"] == "1.12.0"
