"""Other Python libraries take the default profile's tokens: given key, algorithm and audience, nothing switched off.

`iat` is rounded to the next second by half, so a verifier that judges it needs a second of leeway.
"""

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import joserfc.errors
import joserfc.jwt
import jwt
import pytest
import requests
from joserfc.jwk import ECKey

from emulator import Emulator
from tests.waiting import PATIENCE

with warnings.catch_warnings(record=True):  # authlib says that joserfc is to replace it
    authlib_jose: Any = import_module("authlib.jose")

Verify = Callable[[str, bytes], Any]


def pyjwt(token: str, pem: bytes) -> Any:
    return jwt.decode(token, pem, algorithms=["ES256"], audience="spacetimedb", issuer="localhost", leeway=1)


def with_joserfc(token: str, pem: bytes) -> Any:
    claims = joserfc.jwt.decode(token, ECKey.import_key(pem), algorithms=["ES256"]).claims
    registry = joserfc.jwt.JWTClaimsRegistry(
        leeway=1, aud={"essential": True, "value": "spacetimedb"}, iss={"essential": True, "value": "localhost"}
    )
    registry.validate(claims)
    return claims


def with_authlib(token: str, pem: bytes) -> Any:
    options = {"aud": {"essential": True, "value": "spacetimedb"}, "iss": {"essential": True, "value": "localhost"}}
    claims = authlib_jose.JsonWebToken(["ES256"]).decode(token, pem, claims_options=options)
    claims.validate(leeway=1)
    return claims


VERIFIERS = pytest.mark.parametrize(
    "verify",
    [
        pytest.param(pyjwt, id="PyJWT"),
        pytest.param(with_joserfc, id="joserfc"),
        pytest.param(with_authlib, id="authlib"),
    ],
)


def public_key(emulator: Emulator) -> bytes:
    return requests.get(f"{emulator.url}/v1/identity/public-key", timeout=PATIENCE).content


@VERIFIERS
def test_the_token_of_a_new_identity_is_taken(emulator: Emulator, verify: Verify) -> None:
    made = requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE).json()

    assert verify(made["token"], public_key(emulator))["hex_identity"] == made["identity"]


@VERIFIERS
def test_a_websocket_token_is_taken(emulator: Emulator, verify: Verify) -> None:
    token = emulator.spacetime.issue_token(subject="alice", role="admin")
    url, headers = f"{emulator.url}/v1/identity/websocket-token", {"Authorization": f"Bearer {token}"}

    short = requests.post(url, headers=headers, timeout=PATIENCE).json()["token"]

    assert verify(short, public_key(emulator))["role"] == "admin"


@VERIFIERS
def test_a_null_exp_is_refused_as_from_servers_up_to_2_9(emulator: Emulator, verify: Verify) -> None:
    token = emulator.spacetime.issue_token(subject="alice", null_exp=True)

    # PyJWT 2.10 raises TypeError.
    with pytest.raises((jwt.InvalidTokenError, TypeError, joserfc.errors.JoseError, authlib_jose.errors.JoseError)):
        verify(token, public_key(emulator))
