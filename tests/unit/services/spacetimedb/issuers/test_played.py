"""Providers that the emulator plays: their keys, tokens and documents, for the server and for other libraries."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from joserfc import jwt as jose
from joserfc.jwk import KeySet as JoseKeySet

from emulator.services.rust import base64url
from emulator.services.spacetimedb.issuers import played as played_module
from emulator.services.spacetimedb.issuers.played import ALGORITHMS, PlayedProvider
from emulator.services.spacetimedb.refusals import TokenRefused
from emulator.services.spacetimedb.store import Store
from tests.worlds import make_world

URL = "https://auth.example.com"
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def store(profile: str = "v2.14", seed: int = 7) -> Store:
    return make_world(freeze_at=NOW, spacetime_profile=profile, seed=seed).spacetime


def played(known: Store, algorithm: str | None = None, url: str = URL) -> PlayedProvider:
    takes_all = algorithm in ("ES256K", "ES512")
    found = known.issuers.register(url, algorithm=algorithm, accept_as_server=takes_all)
    assert isinstance(found, PlayedProvider)
    return found


def header_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64url.decode(token.partition(".")[0]))
    return found


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64url.decode(token.split(".")[1]))
    return found


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_says_who_issued_it_for_whom_and_when() -> None:
    token = played(store()).issue_token(subject="alice", audience="my-app", expires_in=60, email="a@example.com")

    assert header_of(token) == {"typ": "JWT", "alg": "ES256", "kid": "es256-1"}
    assert claims_of(token) == {
        "iss": URL,
        "sub": "alice",
        "iat": int(NOW.timestamp()),
        "aud": "my-app",
        "exp": int(NOW.timestamp()) + 60,
        "email": "a@example.com",
    }


def test_without_an_end_a_token_never_expires() -> None:
    assert "exp" not in claims_of(played(store()).issue_token(subject="alice"))


@pytest.mark.parametrize("profile", ["v1", "v2.8", "v2.14", "documented"])
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_server_accepts_the_tokens_of_both_algorithms(profile: str, algorithm: str) -> None:
    known = store(profile)

    assert known.read(played(known, algorithm).issue_token(subject="alice")).issuer == URL


def test_a_key_for_another_algorithm_counts_as_published_from_the_beginning() -> None:
    known = store()
    issuer = played(known)
    known.read(issuer.issue_token(subject="alice"))

    assert known.read(issuer.issue_token(subject="alice", algorithm="RS256")).subject == "alice"


def test_a_key_for_another_algorithm_that_comes_after_a_rotation_waits_as_the_others() -> None:
    known = store()
    issuer = played(known)
    known.read(issuer.issue_token(subject="alice"))
    issuer.rotate_key()

    with pytest.raises(TokenRefused, match="Specified key ID not found"):
        known.read(issuer.issue_token(subject="alice", algorithm="RS256"))


def test_a_snapshot_has_the_keys_that_were_added_to_the_cache() -> None:
    known = store()
    issuer = played(known)
    known.read(issuer.issue_token(subject="alice"))
    issuer.issue_token(subject="alice", algorithm="RS256")

    [cached] = known.issuers.state().cached

    assert [each["kid"] for each in json.loads(cached.jwks)["keys"]] == ["es256-1", "rs256-1"]


def test_registering_makes_no_rsa_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(played_module, "_rsa_key", None)

    assert played(store(seed=9), "RS256").algorithm == "RS256"


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 10**13])
def test_a_life_that_no_token_has_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="expires_in"):
        played(store()).issue_token(subject="alice", expires_in=seconds)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_verifies_in_pyjwt_with_the_published_key(algorithm: str) -> None:
    issuer = played(store(), algorithm)
    token = issuer.issue_token(subject="alice")

    [jwk] = [each for each in issuer.jwks["keys"] if each["kid"] == header_of(token)["kid"]]

    assert jwt.PyJWK(jwk).key is not None
    options: Any = {"verify_aud": False, "verify_iat": False}
    assert jwt.decode(token, jwt.PyJWK(jwk), algorithms=[algorithm], options=options)["sub"] == "alice"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "ES384", "PS384"])
def test_another_library_finds_the_key_in_the_set(algorithm: str) -> None:
    issuer = played(store(), algorithm)
    token = issuer.issue_token(subject="alice")

    found = jose.decode(token, JoseKeySet.import_key_set(issuer.jwks), algorithms=[algorithm])

    assert found.claims["sub"] == "alice"


def test_a_key_that_kills_the_set_is_not_published() -> None:
    known = store()
    issuer = played(known)
    issuer.issue_token(subject="alice", algorithm="ES256K")

    assert [each["kid"] for each in issuer.jwks["keys"]] == ["es256-1"]
    assert known.read(issuer.issue_token(subject="alice")).subject == "alice"


def test_an_algorithm_whose_key_kills_the_set_is_refused_for_a_provider() -> None:
    with pytest.raises(ValueError, match=r"refuses the whole key set .* keys\[0\]"):
        store().issuers.register(URL, algorithm="ES256K")


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(ValueError, match="algorithm is 'ES255'; it must be one of ES256, "):
        played(store()).issue_token(subject="alice", algorithm="ES255")


def test_a_token_can_have_any_id_or_none() -> None:
    issuer = played(store())

    assert header_of(issuer.issue_token(subject="alice", kid="mine"))["kid"] == "mine"
    assert "kid" not in header_of(issuer.issue_token(subject="alice", kid=None))


def test_a_header_can_say_another_algorithm_than_it_is_signed_with() -> None:
    token = played(store()).issue_token(subject="alice", headers={"alg": "RS256", "typ": None, "crit": ["x"]})

    assert header_of(token) == {"alg": "RS256", "kid": "es256-1", "crit": ["x"]}


def test_the_id_of_an_old_key_has_it_sign() -> None:
    known = store()
    issuer = played(known)
    old = issuer.issue_token(subject="alice")
    issuer.rotate_key()

    assert issuer.issue_token(subject="alice", kid="es256-1") == old


def test_claims_are_put_over_the_standard_ones() -> None:
    assert claims_of(played(store()).issue_token(subject="alice", iss="x", iat=1))["iss"] == "x"


# --- keys -------------------------------------------------------------------------------------------------------------


def test_keys_come_from_the_seed_and_the_url() -> None:
    same, again = played(store()), played(store())
    seed, url = played(store(seed=8)), played(store(), url="https://other.example.com")

    assert same.document == again.document
    assert len({each.document for each in (same, seed, url)}) == 3


def test_tokens_of_both_algorithms_are_the_same_at_each_run() -> None:
    tokens = [played(store()).issue_token(subject="alice", algorithm=algorithm) for algorithm in ("ES256", "RS256") * 2]

    assert tokens[:2] == tokens[2:]


def test_an_rsa_key_from_a_seed_is_the_same_on_every_machine() -> None:
    [key] = played(store(), "RS256").jwks["keys"]

    assert (len(base64url.decode(key["n"])), key["n"][:12], key["e"]) == (256, RSA_OF_SEED_7, "AQAB")


RSA_OF_SEED_7 = "3RY7BenPWuok"


def test_a_rotation_withdraws_the_old_keys_or_keeps_them() -> None:
    issuer = played(store())
    seen = []
    for keep in (False, True, True):
        issuer.rotate_key(keep=keep)
        seen.append([each["kid"] for each in issuer.jwks["keys"]])

    assert seen == [["es256-2"], ["es256-3", "es256-2"], ["es256-4", "es256-3", "es256-2"]]


# --- documents --------------------------------------------------------------------------------------------------------


def test_the_discovery_document_has_what_openid_connect_requires() -> None:
    found = played(store()).discovery("http://127.0.0.1:1/keys")

    assert (found["issuer"], found["jwks_uri"]) == (URL, "http://127.0.0.1:1/keys")
    assert {
        "authorization_endpoint",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    } <= set(found)


def test_own_keys_can_be_published_by_their_ids() -> None:
    issuer = played(store())
    issuer.rotate_key()

    issuer.publish(["es256-1", {"kty": "XX"}])

    assert [each.get("kid") for each in issuer.jwks["keys"]] == ["es256-1", None]


def test_a_rotation_publishes_its_own_keys_again() -> None:
    issuer = played(store())
    issuer.publish([])

    issuer.rotate_key()

    assert [each["kid"] for each in issuer.jwks["keys"]] == ["es256-2"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["es256-2"], "has no key 'es256-2'; it has es256-1"),
        ([{"x": object()}], "the key set is no JSON"),
        ([{"x": "x" * 2**20}], "at most 1048576 are allowed"),
    ],
)
def test_what_can_not_be_published_is_refused(keys: Any, said: str) -> None:
    issuer = played(store())

    with pytest.raises(ValueError, match=said):
        issuer.publish(keys)

    assert [each["kid"] for each in issuer.jwks["keys"]] == ["es256-1"]


# --- registration -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["", "localhost", "auth.example.com", "file:///x", "http:/x", "x" * 3000, 5])
def test_what_the_server_never_fetches_is_no_issuer(url: Any) -> None:
    with pytest.raises(ValueError, match="issuer"):
        store().issuers.register(url)


def test_since_2_10_the_scheme_is_in_lower_case() -> None:
    assert store("v2.8").issuers.register("HTTPS://auth.example.com").url == "HTTPS://auth.example.com"
    with pytest.raises(ValueError, match="begin with http:// or https://"):
        store("v2.14").issuers.register("HTTPS://auth.example.com")


@pytest.mark.parametrize("other", [URL, f"{URL}/", "https://AUTH.example.com:443", "https://auth.example.com//"])
def test_two_providers_can_not_have_the_same_documents(other: str) -> None:
    known = store()
    known.issuers.register(URL)

    with pytest.raises(ValueError, match=f"the issuer {URL} is registered already"):
        known.issuers.register(other)


def test_keys_that_the_server_refuses_are_refused_with_the_key_that_does_it() -> None:
    known = store("v2.8")

    with pytest.raises(ValueError, match=r"\(profile v2.8\) refuses .* keys\[0\]: it has no `kid`.*accept_as_server"):
        known.issuers.register(URL, jwks={"keys": [{"kty": "oct", "k": "AA"}]})
    assert not known.issuers


def test_they_are_taken_when_that_is_what_is_tested() -> None:
    known = store("v2.8")

    known.issuers.register(URL, jwks={"keys": [{"kty": "oct", "k": "AA"}]}, accept_as_server=True)

    assert known.issuers.find(URL) is not None


def test_an_issuer_is_of_one_kind() -> None:
    with pytest.raises(ValueError, match="only one of them"):
        store().issuers.register(URL, jwks=[], fetch=True)


# --- what is imported -------------------------------------------------------------------------------------------------


def test_pyjwt_is_imported_for_a_played_provider_only() -> None:
    script = """
import sys
from tests.worlds import make_world
issuers = make_world().spacetime.issuers
issuers.register("https://a.example.com", jwks=[])
assert "jwt" not in sys.modules
issuers.register("https://b.example.com")
assert "jwt" in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_server_without_issuers_imports_no_more_than_their_names() -> None:
    script = """
import sys
from emulator import running_in_thread
with running_in_thread() as emulator:
    emulator.spacetime.issue_token(subject="alice")
found = {name.partition(".issuers.")[2] for name in sys.modules if "spacetimedb.issuers." in name}
assert found <= {"key_set", "state"} and "jwt" not in sys.modules, found
"""
    subprocess.run([sys.executable, "-c", script], check=True)
