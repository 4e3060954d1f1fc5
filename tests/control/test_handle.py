"""The handle: what a test changes in the world."""

import jwt
import pytest
import requests

from emulator import Config, Emulator, Misconfigured
from emulator.services.spacetimedb.model import identity_of
from tests.limits import LIMIT


def verify(emulator: Emulator, identity: str, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{emulator.url}/v1/identity/{identity}/verify", headers=headers, timeout=LIMIT)


def test_an_identity_of_the_handle_equals_one_of_the_api(emulator: Emulator) -> None:
    made = emulator.spacetime.create_identity(subject="alice", email="Alice@Example.com", databases=2, role="admin")

    assert made.identity == identity_of("localhost", "alice")
    assert verify(emulator, made.identity, made.token).status_code == 204
    assert emulator.spacetime.email_of(made.identity) == "alice@example.com"
    assert jwt.decode(made.token, options={"verify_signature": False})["role"] == "admin"
    listed = requests.get(f"{emulator.url}/v1/identity/{made.identity}/databases", timeout=LIMIT).json()
    assert len(listed["addresses"]) == 2


def test_a_token_can_be_issued_expired(emulator: Emulator) -> None:
    token = emulator.spacetime.issue_token(subject="alice", expires_in=-72)

    assert verify(emulator, identity_of("localhost", "alice"), token).text == "Invalid token: ExpiredSignature"


def test_a_token_can_be_issued_for_any_subject(emulator: Emulator) -> None:
    token = emulator.spacetime.issue_token(subject="bob", issuer="https://auth.example.com", audience="web")

    assert verify(emulator, identity_of("https://auth.example.com", "bob"), token).status_code == 204
    assert jwt.decode(token, options={"verify_signature": False})["aud"] == ["web"]


@pytest.mark.parametrize("profile", ["v1", "v2.8", "v2.14", "documented"])
def test_a_token_with_a_null_exp_is_made_and_accepted_in_every_profile(emulator: Emulator, profile: str) -> None:
    emulator.reset(spacetime_profile=profile)

    token = emulator.spacetime.issue_token(subject="alice", null_exp=True)

    claims = jwt.decode(token, options={"verify_signature": False})
    assert (list(claims)[-1], claims["exp"]) == ("exp", None)
    assert verify(emulator, claims["hex_identity"], token).status_code == 204


@pytest.mark.parametrize(("profile", "null"), [("v1", True), ("v2.8", True), ("v2.14", False), ("documented", False)])
def test_a_token_without_an_end_is_as_the_profile_has_it(emulator: Emulator, profile: str, null: bool) -> None:
    emulator.reset(spacetime_profile=profile)

    claims = jwt.decode(emulator.spacetime.issue_token(subject="alice"), options={"verify_signature": False})

    assert ("exp" in claims) is null


def test_a_token_has_an_end_or_a_null_exp(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="null_exp has no place"):
        emulator.spacetime.issue_token(subject="alice", expires_in=60, null_exp=True)


def test_a_claim_the_server_knows_is_no_extra_claim(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="'iat' is not an extra claim"):
        emulator.spacetime.issue_token(subject="alice", iat=5)


@pytest.mark.parametrize(
    ("claims", "headers", "text"),
    [
        ({"sub": 5}, None, "invalid type: integer `5`, expected a string"),
        ({"sub": "s", "iss": "localhost", "iat": 1}, {"alg": "none"}, "unknown variant `none`"),
        ({"sub": "s", "iss": "localhost", "iat": 1}, {"alg": "PS512"}, "InvalidAlgorithm"),
        ({}, {}, "missing field `alg`"),
        ({"sub": float("nan")}, None, "expected value"),
    ],
)
def test_any_claims_can_be_signed(
    emulator: Emulator, claims: dict[str, object], headers: dict[str, object] | None, text: str
) -> None:
    token = emulator.spacetime.sign(claims, headers)

    assert text in verify(emulator, "0" * 64, token).text


def test_a_database_wants_an_owner_that_is_one(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="expected a byte array or hex string"):
        emulator.spacetime.add_database("alice")


def test_a_key_is_issued_and_revoked(emulator: Emulator) -> None:
    key = emulator.intuition.issue_api_key("0x81")
    row = emulator.intuition.create_identity(display_name="JP", creator="0x81", image="i")
    url = f"{emulator.url}/identity/{row.id}"

    assert requests.get(url, headers={"x-api-key": key}, timeout=LIMIT).json()["image"] == "i"
    emulator.intuition.revoke_api_key(key)
    assert requests.get(url, headers={"x-api-key": key}, timeout=LIMIT).status_code == 401
    with pytest.raises(KeyError):
        emulator.intuition.revoke_api_key(key)


def test_both_apis_use_one_clock(emulator: Emulator) -> None:
    emulator.clock.freeze()
    emulator.clock.advance(3600)
    now = emulator.clock.now()

    answer = requests.get(f"{emulator.url}/v1/ping", timeout=LIMIT)

    assert answer.headers["date"] == now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert emulator.journal.exchanges[0].at == now


def test_a_reset_that_can_not_be_leaves_the_world(emulator: Emulator) -> None:
    made = emulator.spacetime.create_identity(email="a@b.c")

    with pytest.raises(Misconfigured):
        emulator.reset(Config(spacetime_profile="v3"))

    assert emulator.spacetime.email_of(made.identity) == "a@b.c"


def test_what_a_fixture_gives_is_an_emulator(emulator: Emulator) -> None:
    assert isinstance(emulator, Emulator)
    assert not isinstance(emulator.url, Emulator)
