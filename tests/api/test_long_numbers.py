"""Numbers of more digits than Python makes an integer of, wherever a request can hold one."""

import json

import pytest
import requests

from emulator import Emulator
from emulator.services.rust import base64url
from emulator.services.spacetimedb.signing_keys import SigningKey
from tests.client import KEY
from tests.conftest import API_KEY
from tests.raw import RawAnswer, exchange, request
from tests.waiting import PATIENCE

LONG = "9" * 5000
SEED = 7


def sent(emulator: Emulator, claims: str, header: str = '{"typ":"JWT","alg":"ES256"}') -> RawAnswer:
    """The answer to a token with these claims, signed with the server's key."""
    token = SigningKey.from_seed(SEED).sign_token(base64url.encode(header.encode()), claims.encode())
    return exchange(emulator.url, request("POST", "/v1/identity/websocket-token", f"Authorization: Bearer {token}"))


OUT_OF_RANGE = {
    "v2": "Invalid token: JSON error: number out of range at line 1 column {}",
    "documented": "Invalid token: JSON error: number out of range at line 1 column {}",
    "v1": 'TokenError(Error(Json(Error("number out of range", line: 1, column: {}))))',
}


@pytest.mark.parametrize("profile", OUT_OF_RANGE)
@pytest.mark.parametrize("claim", ["iat", "exp"])
def test_a_time_is_out_of_range(emulator: Emulator, profile: str, claim: str) -> None:
    emulator.reset(seed=SEED, spacetime_profile=profile)

    answer = sent(emulator, f'{{"{claim}":{LONG},"sub":"a","iss":"localhost"}}')

    assert (answer.status, answer.body.decode()) == (401, OUT_OF_RANGE[profile].format(7 + len(LONG)))


@pytest.mark.parametrize("profile", ["v2", "documented"])
@pytest.mark.parametrize("claim", ["sub", "aud", "hex_identity", "anything"])
def test_any_other_claim_is_out_of_range(emulator: Emulator, profile: str, claim: str) -> None:
    emulator.reset(seed=SEED, spacetime_profile=profile)

    answer = sent(emulator, f'{{"{claim}":{LONG}}}')

    assert (answer.status, answer.body.decode()) == (401, OUT_OF_RANGE[profile].format(len(claim) + 4 + len(LONG)))


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        ("sub", "invalid type: number, expected a string"),
        ("hex_identity", "invalid type: map, expected a byte array or hex string"),
        ("aud", "data did not match any variant of untagged enum Audience"),
    ],
)
def test_under_v1_it_is_a_number(emulator: Emulator, claim: str, text: str) -> None:
    emulator.reset(seed=SEED, spacetime_profile="v1")

    answer = sent(emulator, f'{{"{claim}":{LONG}}}')

    assert (answer.status, answer.body.decode().startswith(f'TokenError(Error(Json(Error("{text}", ')) == (401, True)


@pytest.mark.parametrize(
    "number", [LONG, f"-{LONG}", f"[{LONG}]", f'{{"a":{LONG}}}', f"1e{LONG}", "18446744073709551616"]
)
def test_under_v1_an_extra_claim_keeps_its_digits(emulator: Emulator, number: str) -> None:
    emulator.reset(seed=SEED, spacetime_profile="v1")

    answer = sent(emulator, f'{{"x":{number},"sub":"a","iss":"localhost","iat":1}}')

    claims = base64url.decode(json.loads(answer.body)["token"].split(".")[1]).decode()
    assert claims.endswith(f',"x":{number}}}')


@pytest.mark.parametrize("profile", ["v2.14", "documented"])
def test_a_header_field_that_nobody_knows_is_read_by_the_newest_rules(emulator: Emulator, profile: str) -> None:
    emulator.reset(seed=SEED, spacetime_profile=profile)
    answer = sent(emulator, '{"sub":"a","iss":"localhost","iat":1}', f'{{"alg":"ES256","x":{LONG}}}')

    assert answer.status == 401
    assert "number out of range" in answer.body.decode()


@pytest.mark.parametrize("profile", ["v2.8", "v1"])
def test_a_header_field_that_nobody_knows_is_not_looked_at(emulator: Emulator, profile: str) -> None:
    emulator.reset(seed=SEED, spacetime_profile=profile)
    answer = sent(emulator, '{"sub":"a","iss":"localhost","iat":1}', f'{{"alg":"ES256","x":{LONG}}}')

    assert answer.status == 200


@pytest.mark.parametrize(("profile", "text"), [("v2", "number out of range"), ("v1", "number, expected a string")])
def test_a_header_field_that_is_a_text_is_refused(emulator: Emulator, profile: str, text: str) -> None:
    emulator.reset(seed=SEED, spacetime_profile=profile)
    answer = sent(emulator, '{"sub":"a","iss":"localhost","iat":1}', f'{{"alg":"ES256","kid":{LONG}}}')

    assert answer.status == 401
    assert text in answer.body.decode()


@pytest.mark.parametrize("name", ["display_name", "anything"])
@pytest.mark.parametrize("number", [LONG, f"-{LONG}", f"[{LONG}]"])
def test_a_body_is_read_as_serde_json_reads_it(emulator: Emulator, name: str, number: str) -> None:
    body = f'{{"{name}":{number},"creator":"0x81"}}'

    answer = requests.post(
        f"{emulator.url}/identity", body, headers=KEY | {"Content-Type": "application/json"}, timeout=PATIENCE
    )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/identities?limit={}",
        "/identities?page={}",
        "/identities?offset={}",
        "/identity/{}",
        "/_emulator/journal/{}/curl",
        "/_emulator/journal?status={}",
    ],
)
def test_a_target_is_answered(emulator: Emulator, path: str) -> None:
    answer = exchange(emulator.url, request("GET", path.format(LONG), f"x-api-key: {API_KEY}"))

    assert 200 <= answer.status < 500
