import hmac
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.services.rust import base64url
from emulator.services.spacetimedb.issuers.key_set import KeySet, NamedKey, NoKeys
from emulator.services.spacetimedb.model import Claims, identity_of
from emulator.services.spacetimedb.refusals import TokenRefused
from emulator.services.spacetimedb.releases import PROFILES, Release
from emulator.services.spacetimedb.signing_keys import Keyring, SigningKey
from emulator.services.spacetimedb.token_validation import any_claims, minted_claims

NOW = 1_795_307_846
MICROS = 1_000_000
V2_8, V2_14 = PROFILES["v2.8"], PROFILES["v2.14"]
KEY = SigningKey.from_entropy(b"a" * 64)
OTHER_KEY = SigningKey.from_entropy(b"b" * 64)
THIRD_KEY = SigningKey.from_entropy(b"c" * 64)
ALICE = Claims(identity_of("localhost", "alice"), "alice", "localhost", ("spacetimedb",), NOW)


def signed(claims: dict[str, Any] | bytes, header: dict[str, Any] | None = None, key: SigningKey = KEY) -> str:
    """Any token at all, signed with ES256 whatever its header says."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    first = json.dumps(header or {"typ": "JWT", "alg": "ES256"}, separators=(",", ":")).encode()
    message = f"{base64url.encode(first)}.{base64url.encode(payload)}"
    return f"{message}.{base64url.encode(key.sign(message.encode()))}"


def claims(**changes: Any) -> dict[str, Any]:
    """Valid claims with some changed; `...` removes one."""
    merged = {"sub": "alice", "iss": "localhost", "iat": NOW} | changes
    return {name: value for name, value in merged.items() if value is not ...}


def read(token: str, keyring: Keyring | None = None, now: float = NOW, rules: Release = V2_8) -> Claims:
    """`now` is in seconds."""
    return (keyring or Keyring(KEY)).read(token, round(now * MICROS), rules)


def refusal(token: str, keyring: Keyring | None = None, now: float = NOW, rules: Release = V2_8) -> TokenRefused:
    with pytest.raises(TokenRefused) as caught:
        read(token, keyring, now, rules)
    return caught.value


# --- read -------------------------------------------------------------------------------------------------------------


def test_a_minted_token_reads_as_what_was_minted() -> None:
    assert read(KEY.mint(ALICE)) == ALICE


seconds = st.integers(-(2**63), 2**63 - 1)
minted = st.builds(
    Claims,
    st.sampled_from([ALICE.identity, "c200", ALICE.identity.upper()]),
    st.text(max_size=9),
    st.text(max_size=9),
    st.lists(st.text(max_size=3), max_size=2).map(tuple),
    seconds,
    st.none() | seconds,
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=1),
    st.booleans(),
)


@given(minted, st.sampled_from([(b"", b""), (b":null", b":-0"), (b",", b", "), (b'"iat"', b'"iss"'), (b"[", b"[[")]))
def test_what_is_read_quickly_is_what_is_read_carefully(said: Claims, change: tuple[bytes, bytes]) -> None:
    payload = msgspec.json.encode(said.payload()).replace(*change)

    quick = minted_claims(payload)

    assert quick is None or (quick, quick.identity) == any_claims(payload, V2_8)


@given(st.text(min_size=1, max_size=9), st.text(min_size=1, max_size=9), st.none() | seconds)
def test_what_this_server_mints_is_read_quickly(subject: str, issuer: str, expires_at: int | None) -> None:
    said = Claims(identity_of(issuer, subject), subject, issuer, ("one", "two"), NOW, expires_at)

    assert minted_claims(msgspec.json.encode(said.payload())) == said


def test_a_negative_zero_is_a_float_as_serde_json_reads_it() -> None:
    payload = b'{"sub":"alice","iss":"localhost","iat":-0}'

    assert "invalid type: floating point `-0.0`, expected i64" in refusal(signed(payload)).text


def test_nesting_beyond_measure_is_no_json() -> None:
    payload = b'{"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"

    assert refusal(signed(payload)).text == "Invalid token: JSON error: recursion limit exceeded at line 1 column 132"


@pytest.mark.parametrize(
    "good",
    [
        claims(),
        claims(exp=None),
        claims(exp=-1),
        claims(exp=NOW - 60),
        claims(iat=NOW + 3600),
        claims(nbf=NOW + 3600),
        claims(aud="one"),
        claims(aud=["one", "two"]),
        claims(sub="a" * 128),
        claims(iss="https://auth.example.com"),
        claims(hex_identity=identity_of("localhost", "alice").upper()),
        claims(hex_identity=list(bytes.fromhex(identity_of("localhost", "alice")))),
        claims(hex_identity=None),
        claims(role={"deep": [1.5, {"er": None}]}),
        claims(sub="back\\slash é"),
    ],
    ids=lambda good: json.dumps(good)[:60],
)
def test_these_claims_are_accepted(good: dict[str, Any]) -> None:
    found = read(signed(good))

    assert (found.subject, found.issuer) == (good["sub"], good["iss"])


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (claims(exp=NOW - 61), "Invalid token: ExpiredSignature"),
        (claims(sub=""), "Subject empty"),
        (claims(sub="é" * 65), f'Subject too long: "{"é" * 65}"'),
        (claims(iss=""), "Error fetching public key for issuer "),
        (claims(iss="a" * 129), f"Error fetching public key for issuer {'a' * 129}"),
        (claims(sub=..., iss=...), "Invalid token: JSON error: missing field `sub` at line 1 column 19"),
        (
            claims(iat=1.0),
            "Invalid token: JSON error: invalid type: floating point `1.0`, expected i64 at line 1 column 47",
        ),
        (claims(iat=True), "Invalid token: JSON error: invalid type: boolean `true`, expected i64 at line 1 column 48"),
        (
            claims(iat=2**63),
            "Invalid token: JSON error: invalid value: integer `9223372036854775808`, expected i64 at line 1 column 63",
        ),
        (
            claims(hex_identity="0" * 64),
            f"Identity mismatch: token identity Identity({'0' * 64}) does not match computed identity "
            "Identity(c20035600353a2e93544d898c6ed0eac323e200c0468300f22958f8b472a265d)",
        ),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)
def test_these_claims_are_refused(bad: dict[str, Any], text: str) -> None:
    assert refusal(signed(bad)).text == text


@pytest.mark.parametrize("alg", ["RS256", "HS256"])
def test_a_token_that_claims_another_family_has_an_invalid_signature(alg: str) -> None:
    assert refusal(signed(claims(), {"alg": alg})).text == "Invalid token: InvalidSignature"


def test_an_hs256_token_is_refused_even_when_made_with_the_public_key_as_secret() -> None:
    header, payload = base64url.encode(b'{"alg":"HS256"}'), base64url.encode(json.dumps(claims()).encode())
    mac = hmac.digest(KEY.public_pem, f"{header}.{payload}".encode(), "sha256")

    assert refusal(f"{header}.{payload}.{base64url.encode(mac)}").text == "Invalid token: InvalidSignature"


@pytest.mark.parametrize("alg", ["ES384", "HS384", "HS512", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"])
def test_other_algorithms_are_refused_by_name(alg: str) -> None:
    assert refusal(signed(claims(), {"alg": alg})).text == "Invalid token: InvalidAlgorithm"


def test_alg_none_is_no_algorithm() -> None:
    assert refusal(signed(claims(), {"alg": "none"})).text == (
        "Invalid token: JSON error: unknown variant `none`, expected one of `HS256`, `HS384`, `HS512`, `ES256`, "
        "`ES384`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `EdDSA` at line 1 column 13"
    )


def test_a_fault_of_time_wins_over_a_fault_of_signature() -> None:
    assert refusal(signed(claims(exp=1), key=OTHER_KEY)).text == "Invalid token: ExpiredSignature"


def test_a_fault_of_form_wins_over_a_fault_of_signature() -> None:
    assert "missing field `iat`" in refusal(signed(claims(iat=...), key=OTHER_KEY)).text


def test_a_foreign_issuer_signed_by_our_key_is_accepted() -> None:
    found = read(signed(claims(iss="https://auth.example.com")))

    assert found.identity == identity_of("https://auth.example.com", "alice")


def test_a_foreign_issuer_signed_by_another_key_can_not_be_reached() -> None:
    refused = refusal(signed(claims(iss="https://auth.example.com"), key=OTHER_KEY))

    assert refused.text == "Error fetching public key for issuer https://auth.example.com"


FOREIGN = "https://auth.example.com"
TOO_LONG = "https://auth.example.com/" + "x" * 110
ITS_KEYS = KeySet((NamedKey("k", OTHER_KEY),))


def of_issuer(token: str, rules: Release = V2_14) -> TokenRefused:
    """The refusal of a token whose issuer has the other key."""
    with pytest.raises(TokenRefused) as caught:
        Keyring(KEY).read(token, NOW * MICROS, rules, lambda _: ITS_KEYS)
    return caught.value


def test_a_foreign_issuer_signed_by_its_key_is_accepted() -> None:
    token = signed(claims(iss=FOREIGN), key=OTHER_KEY)

    assert Keyring(KEY).read(token, NOW * MICROS, V2_14, lambda _: ITS_KEYS).issuer == FOREIGN


def test_the_cache_of_valid_tokens_has_none_of_a_foreign_key() -> None:
    keyring, token = Keyring(KEY), signed(claims(iss=FOREIGN), key=OTHER_KEY)
    keyring.read(token, NOW * MICROS, V2_14, lambda _: ITS_KEYS)

    with pytest.raises(TokenRefused, match="Error fetching"):
        keyring.read(token, NOW * MICROS, V2_14, lambda _: NoKeys("it is down"))


@pytest.mark.parametrize(
    ("token", "old", "new"),
    [
        (signed(claims(iss=FOREIGN, exp=1), key=OTHER_KEY), "ExpiredSignature", "ExpiredSignature"),
        (signed(claims(iss=FOREIGN, exp=1), key=THIRD_KEY), "ExpiredSignature", "InvalidSignature"),
        (signed(claims(iss=FOREIGN), {"alg": "ES384"}, key=OTHER_KEY), "InvalidAlgorithm", "InvalidAlgorithm"),
    ],
)
def test_the_order_of_checks_is_that_of_the_release_for_foreign_keys_too(token: str, old: str, new: str) -> None:
    found = [of_issuer(token, rules).text for rules in (V2_8, V2_14)]

    assert found == [f"Invalid token: {old}", f"Invalid token: {new}"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"iss": TOO_LONG}, f'Issuer too long: "{TOO_LONG}"'),
        ({"iss": TOO_LONG, "sub": ""}, f'Issuer too long: "{TOO_LONG}"'),
        ({"sub": ""}, "Subject empty"),
    ],
)
def test_lengths_are_checked_once_the_issuers_key_has_signed(changes: dict[str, Any], text: str) -> None:
    token = signed(claims(**{"iss": FOREIGN} | changes), key=OTHER_KEY)

    assert of_issuer(token).text == text


def test_localhost_has_no_other_key_than_the_servers() -> None:
    assert of_issuer(signed(claims(), key=OTHER_KEY)).text == "Invalid token: InvalidSignature"


def test_a_faulty_form_wins_over_the_issuers_keys() -> None:
    assert "missing field `iat`" in of_issuer(signed(claims(iss=FOREIGN, iat=...), key=OTHER_KEY)).text


def test_a_token_found_valid_once_still_expires() -> None:
    keyring, token = Keyring(KEY), signed(claims(exp=NOW))
    read(token, keyring)

    assert refusal(token, keyring, NOW + 61).text == "Invalid token: ExpiredSignature"


def test_the_first_check_that_fails_is_named() -> None:
    forged = signed(claims(exp=1), key=OTHER_KEY)

    assert (refusal(forged).check, refusal(forged, rules=V2_14).check) == ("expiry", "signature")


@pytest.mark.parametrize(
    ("token", "check"),
    [
        ("a.b", "segments"),
        ("!.b.c", "header"),
        (signed(claims(), {"typ": "JWT"}), "header"),
        ("eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.!.", "payload"),
        (signed(claims(sub=...)), "claims"),
        (signed(claims(nbf=[1])), "nbf"),
        (signed(claims(), {"alg": "ES384"}), "algorithm"),
        (signed(claims(), key=OTHER_KEY), "signature"),
        (signed(claims(exp=1)), "expiry"),
        (signed(claims(sub="")), "lengths"),
        (signed(claims(hex_identity="0" * 64)), "identity"),
        (signed(claims(iss="https://auth.example.com"), key=OTHER_KEY), "issuer"),
    ],
)
def test_each_check_can_fail(token: str, check: str) -> None:
    refused = refusal(token, rules=V2_14)

    assert (refused.check, refused.reason) == (check, f"{check}: {refused.why}")


def test_a_foreign_issuers_reason_names_the_check_that_failed_with_our_key() -> None:
    refused = refusal(signed(claims(iss="https://auth.example.com"), key=OTHER_KEY))

    assert "with its own key: signature: changed after it was signed" in refused.why


def test_the_cache_of_valid_tokens_is_bounded() -> None:
    keyring = Keyring(KEY)

    for number in range(3 * keyring._CACHED // 2):
        keyring._valid[str(number)] = (ALICE, None)
    read(signed(claims()), keyring)

    assert len(keyring._valid) == 1


# --- why --------------------------------------------------------------------------------------------------------------


def test_an_expired_token_tells_for_how_long() -> None:
    refused = refusal(signed(claims(exp=NOW - 72)))

    assert refused.why == "expired 72 s ago by the emulator's clock, after the leeway of 60 s"


def test_the_reason_distinguishes_a_rotated_key_from_a_foreign_one() -> None:
    keyring = Keyring(KEY)
    keyring.rotate(OTHER_KEY, NOW)

    refused = refusal(signed(claims()), keyring, NOW + 3)

    assert refused.text == "Invalid token: InvalidSignature"
    assert refused.why == "signed by a key that was rotated 3 s ago"


def test_a_strange_key_is_called_strange() -> None:
    assert "signed by a key this emulator never had" in refusal(signed(claims(), key=OTHER_KEY)).why


def test_a_stripped_signature_is_called_empty() -> None:
    token = signed(claims()).rpartition(".")[0] + "."

    assert refusal(token).why == "the signature is empty"
