"""Headers and claims of tokens, parsed as the real server's structs. Recorded from 2.8.3 unless a source is named."""

import json
from typing import Any

import pytest

from emulator.services.rust.serde_json import JsonError
from emulator.services.spacetimedb.releases import PROFILES
from emulator.services.spacetimedb.token_json import claims, header, validated_claims

V2_8, V2_14 = PROFILES["v2.8"], PROFILES["v2.14"]


def wrong(read: Any, data: bytes, rules: Any = V2_8) -> str:
    with pytest.raises(JsonError) as caught:
        read(data, rules)
    return str(caught.value)


# --- hex_identity -----------------------------------------------------------------------------------------------------


def with_identity(value: str) -> bytes:
    """The value begins at byte 16, counted from 0."""
    return b'{"hex_identity":' + value.encode() + b',"sub":"s","iss":"localhost","iat":1}'


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("[300]", "invalid value: integer `300`, expected u8 at line 1 column 20"),
        ("[-1]", "invalid value: integer `-1`, expected u8 at line 1 column 19"),
        ('["a"]', 'invalid type: string "a", expected u8 at line 1 column 20'),
        ("[1.5]", "invalid type: floating point `1.5`, expected u8 at line 1 column 20"),
        ("[null]", "invalid type: null, expected u8 at line 1 column 21"),
        ("[true]", "invalid type: boolean `true`, expected u8 at line 1 column 21"),
        ("[[1]]", "invalid type: sequence, expected u8 at line 1 column 17"),
        ("[{}]", "invalid type: map, expected u8 at line 1 column 17"),
        ("[]", "too few elements for array at line 1 column 18"),
        ("[1]", "too few elements for array at line 1 column 19"),
        (f"[{'1,' * 32}1]", "too many elements for array at line 1 column 83"),
        (f"[{'1,' * 32}300]", "invalid value: integer `300`, expected u8 at line 1 column 84"),
        ("{}", "invalid type: map, expected a byte array or hex string at line 1 column 18"),
        ("{ }", "invalid type: map, expected a byte array or hex string at line 1 column 19"),
        ('{"a":1}', "invalid type: map, expected a byte array or hex string at line 1 column 17"),
        ('{ "a":1}', "invalid type: map, expected a byte array or hex string at line 1 column 18"),
        ("1", "invalid type: integer `1`, expected a byte array or hex string at line 1 column 17"),
    ],
)
def test_a_wrong_hex_identity_is_told_where_it_is(value: str, error: str) -> None:
    assert wrong(claims, with_identity(value)) == error


def test_hex_identity_can_be_a_list_of_32_bytes() -> None:
    assert claims(with_identity(json.dumps(list(range(32)))), V2_8)["hex_identity"] == bytes(range(32)).hex()


# --- nbf --------------------------------------------------------------------------------------------------------------


def with_nbf(value: str) -> bytes:
    """The value begins at byte 7, counted from 0."""
    return b'{"nbf":' + value.encode() + b',"sub":"s","iss":"localhost","iat":1}'


@pytest.mark.parametrize(
    ("value", "column"), [('["x"]', 9), ("[1]", 9), ("[ 1]", 10), ('{"a":1}', 9), ('{ "a":1}', 10), ("[[]]", 9)]
)
def test_an_nbf_with_something_in_it_ends_the_second_parse(value: str, column: int) -> None:
    assert wrong(validated_claims, with_nbf(value)) == f"expected `,` or `}}` at line 1 column {column}"


@pytest.mark.parametrize("value", ["[]", "{}", "[ ]", '"x"', "1.5", "-1", "null", "true"])
def test_any_other_nbf_is_accepted(value: str) -> None:
    assert "nbf" in validated_claims(with_nbf(value), V2_8)


def test_nbf_twice_is_a_duplicate_field() -> None:
    assert wrong(validated_claims, b'{"nbf":1,"nbf":2}') == "duplicate field `nbf` at line 1 column 14"


def test_another_claim_twice_is_no_fault_of_the_second_parse() -> None:
    assert validated_claims(b'{"nbf":1,"jti":1,"jti":2}', V2_8)["nbf"] == 1


# --- jwk in the header ------------------------------------------------------------------------------------------------


def with_jwk(value: str) -> bytes:
    """The value begins at byte 21, counted from 0."""
    return b'{"alg":"ES256","jwk":' + value.encode() + b"}"


OCT = '"kty":"oct","k":"AA"'
EC = '"kty":"EC","crv":"P-256","x":"AA","y":"AA"'
NO_KEY = "data did not match any variant of untagged enum AlgorithmParameters"


@pytest.mark.parametrize(
    "members",
    [
        OCT,
        EC,
        '"kty":"RSA","n":"AA","e":"AQAB"',
        '"kty":"OKP","crv":"Ed25519","x":"AA"',
        f'{OCT},"use":"odd","key_ops":["odd"],"alg":null,"x5c":["a"]',
        f'{OCT},"other":[1],"other":{{}}',
        '"kty":"oct","k":"**"',
        f'{OCT},"n":1,"n":2',
        f'{OCT},"alg":"RSA-OAEP-256"',
        f'{OCT},"alg":{{"ES256":null}}',
        '"kty":{"oct":null},"k":"AA"',
    ],
)
def test_these_are_keys(members: str) -> None:
    for rules in (V2_8, V2_14):
        assert header(with_jwk(f"{{{members}}}"), rules)["alg"] == "ES256"


@pytest.mark.parametrize(
    "members",
    [
        "",
        '"kty":"EC"',
        '"kty":"ec","crv":"P-256","x":"AA","y":"AA"',
        '"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"',
        '"kty":"OKP","crv":"X25519","x":"AA"',
        '"kty":"oct"',
        '"kty":"oct","k":1',
        '"kty":"oct","kty":"oct","k":"AA"',
        '"kty":"oct","k":"AA","k":"AA"',
        '"kty":1',
        '"k":"AA"',
    ],
)
def test_an_object_that_is_no_key_is_refused_up_to_2_9_and_accepted_after(members: str) -> None:
    data = with_jwk(f"{{{members}}}")

    assert wrong(header, data) == f"{NO_KEY} at line 1 column {len(data) - 1}"
    assert header(data, V2_14)["alg"] == "ES256"


@pytest.mark.parametrize(
    ("member", "error"),
    [
        ('"use":1', "invalid type: integer `1`, expected a string"),
        ('"kid":[]', "invalid type: sequence, expected a string"),
        ('"x5u":{}', "invalid type: map, expected a string"),
        ('"x5t":true', "invalid type: boolean `true`, expected a string"),
        ('"x5t#S256":1.5', "invalid type: floating point `1.5`, expected a string"),
        ('"key_ops":"sign"', 'invalid type: string "sign", expected a sequence'),
        ('"x5c":{}', "invalid type: map, expected a sequence"),
        ('"x5c":[1]', "invalid type: integer `1`, expected a string"),
        ('"x5c":[null]', "invalid type: null, expected a string"),
        ('"alg":1', "invalid type: integer `1`, expected string or map"),
        ('"alg":{}', "invalid value: map, expected map with a single key"),
        ('"alg":{"ES256":1}', "invalid type: integer `1`, expected unit"),
        ('"use":"sig","use":"sig"', "duplicate field `use`"),
    ],
)
def test_a_wrong_common_member_is_told_at_the_end_of_the_key(member: str, error: str) -> None:
    """The last three and the list of null: source of the JWT library and of serde."""
    data = with_jwk(f"{{{member},{OCT}}}")

    for rules in (V2_8, V2_14):
        assert wrong(header, data, rules) == f"{error} at line 1 column {len(data) - 1}"


def test_a_common_member_is_judged_before_the_kind_of_key() -> None:
    assert "invalid type: integer `1`, expected a string" in wrong(header, with_jwk('{"kty":"ec","use":1}'))


@pytest.mark.parametrize(("value", "found"), [("[]", "sequence"), ("[{}]", "sequence")])
def test_a_list_is_no_key(value: str, found: str) -> None:
    for rules in (V2_8, V2_14):
        assert (
            wrong(header, with_jwk(value), rules) == f"invalid type: {found}, expected struct Jwk at line 1 column 21"
        )


def test_a_null_key_is_none() -> None:
    assert header(with_jwk("null"), V2_8)["jwk"] is None


@pytest.mark.parametrize("name", ["x", "crit", "enc"])
def test_members_that_a_release_does_not_know_are_skipped_up_to_2_9(name: str) -> None:
    assert header(b'{"alg":"ES256","%b":[1e999,{"a":"\\ud800"}]}' % name.encode(), V2_8)["alg"] == "ES256"
