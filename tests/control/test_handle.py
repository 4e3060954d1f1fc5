"""The handle: what a test changes in the world."""

from datetime import timedelta

import jwt
import pytest
import requests

import emulator as emulator_package
from emulator import Config, Emulator, Misconfigured
from emulator.control.remote import RemoteEmulator
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
    with pytest.raises(ValueError, match="owner: expected an identity of 64 hex digits, got 'alice'"):
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


PEOPLE = {"alice": {"issuer": "https://a.example", "subject": "al", "audience": "web", "claims": {"role": "admin"}}}


@pytest.fixture(params=["in process", "by URL"])
def handle(request: pytest.FixtureRequest, emulator: Emulator) -> Emulator:
    emulator.load({"version": 1, "spacetime": {"identities": PEOPLE}, "intuition": {"api_keys": {"ci": None}}})
    return emulator if request.param == "in process" else RemoteEmulator(emulator.url)


def test_an_actor_issues_more_tokens_of_its_own(handle: Emulator) -> None:
    alice = handle.actors["alice"]

    token = alice.issue_token(expires_in=-100, role="guest", team=7)

    claims = jwt.decode(token, options={"verify_signature": False})
    assert (alice.subject, alice.issuer) == ("al", "https://a.example")
    assert (claims["sub"], claims["iss"], claims["aud"]) == ("al", "https://a.example", ["web"])
    assert (claims["role"], claims["team"], claims["exp"] - claims["iat"]) == ("guest", 7, -100)


def test_an_actor_without_an_identity_has_no_tokens(handle: Emulator) -> None:
    with pytest.raises(AttributeError, match="ci has no identity"):
        handle.actors["ci"].issue_token()


def test_an_identity_of_the_handle_issues_more_tokens_of_its_own(emulator: Emulator) -> None:
    made = emulator.spacetime.create_identity(subject="bob", role="admin")

    claims = jwt.decode(made.issue_token(expires_in=timedelta(hours=1)), options={"verify_signature": False})

    assert (made.subject, made.issuer, claims["sub"], claims["role"]) == ("bob", "localhost", "bob", "admin")
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize(("expires_in", "status"), [(-1, 204), (-59, 204), (-100, 401)])
def test_a_token_is_good_for_a_minute_longer(emulator: Emulator, expires_in: int, status: int) -> None:
    emulator.clock.freeze()
    token = emulator.spacetime.issue_token(subject="alice", expires_in=expires_in)

    assert verify(emulator, identity_of("localhost", "alice"), token).status_code == status


def test_a_repr_helps_in_a_traceback(emulator: Emulator) -> None:
    emulator.reset(seed=7, freeze_at="2024-02-15T05:47:17Z")
    requests.get(f"{emulator.url}/v1/ping", timeout=LIMIT)

    assert repr(emulator) == f"<Emulator {emulator.url} seed=7 documented 1 exchange>"
    assert repr(emulator.clock) == "<Clock 2024-02-15T05:47:17.000000Z frozen>"
    assert repr(emulator.journal) == "<Journal 1 exchange>"
    assert "eyJ" not in repr(emulator.spacetime.create_identity())
    assert repr(RemoteEmulator("http://127.0.0.1:1")) == "<Emulator http://127.0.0.1:1 in another process>"


def test_the_seed_is_that_of_the_current_world(handle: Emulator) -> None:
    handle.reset(seed=8)

    assert handle.seed == 8


def test_the_bytes_of_the_journal_are_a_setting(emulator: Emulator) -> None:
    emulator.reset(journal_bytes=2000)
    for _ in range(9):
        requests.get(f"{emulator.url}/v1/ping", timeout=LIMIT)

    assert len(emulator.journal) < 4
    with pytest.raises(AssertionError, match="raise journal_bytes"):
        emulator.journal.assert_requested("GET /v1/ping", times=9)
    with pytest.raises(AssertionError, match="raise journal_bytes"):
        RemoteEmulator(emulator.url).journal.assert_requested("GET /v1/ping", times=9)
    assert "raise journal_bytes" in emulator.report()


def test_an_assertion_about_a_path_that_is_no_route_says_so(handle: Emulator) -> None:
    with pytest.raises(AssertionError, match=r"There is no such route: .* did you mean 'POST /v1/identity'"):
        handle.journal.assert_requested("POST", "/v1/identiy")


def test_a_misspelt_name_of_the_package_is_told_the_right_one() -> None:
    with pytest.raises(AttributeError, match="did you mean 'Emulator'"):
        emulator_package.Emulater  # type: ignore[attr-defined] # noqa: B018
