"""`identity-emulator token`."""

from typing import Any

import msgspec
import pytest

from emulator.services.spacetimedb.model import STANDARD_HEADER, Claims, identity_of
from emulator.services.spacetimedb.signing_keys import SigningKey
from tests.cli.command import run

ALICE = Claims(identity_of("localhost", "alice"), "alice", "localhost", ("spacetimedb",), 1)


def minted(**changes: Any) -> str:
    return SigningKey.from_entropy(b"a" * 64).mint(msgspec.structs.replace(ALICE, **changes))


def test_a_token_is_decoded() -> None:
    status, output = run("token", "decode", minted())

    assert status == 0
    assert '"sub": "alice"' in output
    assert f"identity: {ALICE.identity}, matches iss and sub" in output
    assert output.endswith("expires:  never\n")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"expires_at": 1000}, " s ago; refused"),
        ({"expires_at": 9_000_000_000}, "expires:  in "),
        ({"identity": "0" * 64}, "is not c20035600353a2e9"),
    ],
)
def test_decode_says_why_a_token_is_invalid(changes: dict[str, Any], line: str) -> None:
    assert line in run("token", "decode", minted(**changes))[1]


def test_a_token_that_can_not_be_read_points_at_the_byte() -> None:
    assert run("token", "decode", "e30.e30.e30") == (
        1,
        "Error: Invalid token: JSON error: missing field `alg` at line 1 column 2\n"
        "the header is {}: `alg` is missing at line 1 column 2\n",
    )


@pytest.mark.parametrize("claim", ["exp", "anything"])
def test_a_number_of_thousands_of_digits_is_an_error_in_one_line(claim: str) -> None:
    payload = f'{{"{claim}":{"9" * 5000},"sub":"alice","iss":"localhost"}}'.encode()
    token = SigningKey.from_entropy(b"a" * 64).sign_token(STANDARD_HEADER, payload)

    status, output = run("token", "decode", token)

    assert status == 1
    assert "Invalid token: JSON error: number out of range at line 1 column" in output
    assert "Traceback" not in output
