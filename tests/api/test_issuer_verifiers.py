"""Python libraries verify a played issuer's tokens by the key set that the emulator serves, nothing switched off."""

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import joserfc.jwt
import jwt
import pytest
import requests
from joserfc.jwk import KeySet

from emulator import Emulator
from emulator.control.issuers import Issuer
from tests.waiting import PATIENCE

with warnings.catch_warnings(record=True):  # authlib says that joserfc is to replace it
    authlib_jose: Any = import_module("authlib.jose")

Verify = Callable[[str, Issuer, str], Any]
CLERK = "https://clerk.example.com"


def discovered(issuer: Issuer) -> dict[str, Any]:
    """The key set, found as a strict client does."""
    document = requests.get(issuer.discovery_url, timeout=PATIENCE).json()
    assert document["issuer"] == issuer.url
    found: dict[str, Any] = requests.get(document["jwks_uri"], timeout=PATIENCE).json()
    return found


def pyjwt(token: str, issuer: Issuer, algorithm: str) -> Any:
    key = jwt.PyJWKClient(issuer.jwks_url).get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=[algorithm], audience="app", issuer=issuer.url)


def with_joserfc(token: str, issuer: Issuer, algorithm: str) -> Any:
    keys = KeySet.import_key_set(discovered(issuer))  # type: ignore[arg-type]
    claims = joserfc.jwt.decode(token, keys, algorithms=[algorithm]).claims
    joserfc.jwt.JWTClaimsRegistry(aud={"essential": True, "value": "app"}).validate(claims)
    return claims


def with_authlib(token: str, issuer: Issuer, algorithm: str) -> Any:
    keys = authlib_jose.JsonWebKey.import_key_set(discovered(issuer))
    options = {"aud": {"essential": True, "value": "app"}, "iss": {"essential": True, "value": issuer.url}}
    claims = authlib_jose.JsonWebToken([algorithm]).decode(token, keys, claims_options=options)
    claims.validate()
    return claims


@pytest.mark.parametrize("url", [CLERK, None], ids=["Clerk", "its own address"])
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
@pytest.mark.parametrize(
    "verify",
    [
        pytest.param(pyjwt, id="PyJWT"),
        pytest.param(with_joserfc, id="joserfc"),
        pytest.param(with_authlib, id="authlib"),
    ],
)
def test_a_token_is_verified_by_the_served_key_set(
    emulator: Emulator, verify: Verify, algorithm: str, url: str | None
) -> None:
    issuer = emulator.spacetime.issuer(url, algorithm=algorithm)
    token = issuer.issue_token(subject="alice", audience="app", expires_in=60, role="admin")

    assert verify(token, issuer, algorithm)["role"] == "admin"


def test_a_withdrawn_key_verifies_nothing(emulator: Emulator) -> None:
    issuer = emulator.spacetime.issuer(CLERK)
    token = issuer.issue_token(subject="alice", audience="app", expires_in=60)
    issuer.rotate_key()

    with pytest.raises(jwt.PyJWKClientError):
        pyjwt(token, issuer, "ES256")


def test_the_key_set_of_an_issuer_that_is_down_is_not_found(emulator: Emulator) -> None:
    issuer = emulator.spacetime.issuer(CLERK)
    token = issuer.issue_token(subject="alice", audience="app", expires_in=60)
    issuer.down()

    with pytest.raises(jwt.PyJWKClientConnectionError):
        pyjwt(token, issuer, "ES256")
