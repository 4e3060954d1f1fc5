import hmac
import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from emulator import Misconfigured
from emulator.rust import base64url
from emulator.spacetime.credentials import Keyring, SigningKey, r_and_s
from emulator.spacetime.model import Claims, TokenRefused, identity_of
from emulator.spacetime.validation import _any_claims, _minted_claims, _read_carefully
from tests.conftest import write_key_pair

NOW = 1_795_307_846
KEY = SigningKey.from_entropy(b"a" * 64)
OTHER_KEY = SigningKey.from_entropy(b"b" * 64)
ALICE = Claims(identity_of("localhost", "alice"), "alice", "localhost", ("spacetimedb",), NOW)


def signed(claims: dict[str, Any] | bytes, header: dict[str, Any] | None = None, key: SigningKey = KEY) -> str:
    """Any token at all, signed with ES256 whatever its header says."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    first = json.dumps(header or {"typ": "JWT", "alg": "ES256"}, separators=(",", ":")).encode()
    message = f"{base64url.encode(first)}.{base64url.encode(payload)}"
    return f"{message}.{base64url.encode(key.sign(message.encode()))}"


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims with some changed; `...` takes one away."""
    merged = {"sub": "alice", "iss": "localhost", "iat": NOW} | changes
    return {name: value for name, value in merged.items() if value is not ...}


def refusal(token: str, keyring: Keyring | None = None, now: int = NOW) -> TokenRefused:
    with pytest.raises(TokenRefused) as caught:
        (keyring or Keyring(KEY)).read(token, now)
    return caught.value


# --- made -------------------------------------------------------------------------------------------------------------


def test_the_header_is_always_the_same() -> None:
    assert KEY.mint(ALICE).startswith("eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.")


def test_the_claims_come_in_the_real_servers_order_and_exp_is_null() -> None:
    payload = KEY.mint(ALICE).split(".")[1]

    assert urlsafe_b64decode(payload + "==").decode() == (
        '{"hex_identity":"c20035600353a2e93544d898c6ed0eac323e200c0468300f22958f8b472a265d","sub":"alice",'
        '"iss":"localhost","aud":["spacetimedb"],"iat":1795307846,"exp":null}'
    )


def test_the_same_claims_make_the_same_token() -> None:
    assert KEY.mint(ALICE) == KEY.mint(ALICE)


def test_extra_claims_come_last() -> None:
    token = KEY.mint(Claims(ALICE.identity, "alice", "localhost", (), NOW, NOW + 60, {"role": "admin"}))

    assert list(jwt.decode(token, options={"verify_signature": False})) == [
        "hex_identity",
        "sub",
        "iss",
        "aud",
        "iat",
        "exp",
        "role",
    ]


def test_pyjwt_verifies_the_signature() -> None:
    token = KEY.mint(ALICE)

    assert jwt.api_jws.decode(token, KEY.public_pem, algorithms=["ES256"])


def test_joserfc_verifies_the_signature() -> None:
    token = KEY.mint(ALICE)

    assert jws.deserialize_compact(token, ECKey.import_key(KEY.public_pem), algorithms=["ES256"]).payload


halves = st.integers(1, 2**256 - 1) | st.integers(1, 2**16)


@given(halves, halves)
def test_r_and_s_have_32_bytes_each_however_small_they_are(r: int, s: int) -> None:
    assert r_and_s(encode_dss_signature(r, s)) == r.to_bytes(32) + s.to_bytes(32)


def test_standard_libraries_refuse_exp_null_as_they_do_with_the_real_servers_tokens() -> None:
    token = KEY.mint(ALICE)

    with pytest.raises(jwt.DecodeError, match="exp"):
        jwt.decode(token, KEY.public_pem, algorithms=["ES256"], audience="spacetimedb")


def test_the_one_liner_of_the_docs_reads_a_token_that_never_expires() -> None:
    token, pem = KEY.mint(ALICE), KEY.public_pem

    found = jwt.decode(
        token, pem, ["ES256"], options={"verify_exp": False, "verify_iat": False}, audience="spacetimedb"
    )

    assert found["sub"] == "alice"


def test_the_public_key_is_178_bytes_of_spki_in_pem() -> None:
    assert len(KEY.public_pem) == 178
    assert KEY.public_pem.startswith(b"-----BEGIN PUBLIC KEY-----\n")


# --- read -------------------------------------------------------------------------------------------------------------


def test_a_minted_token_reads_as_what_was_minted() -> None:
    assert Keyring(KEY).read(KEY.mint(ALICE), NOW) == ALICE


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
)


@given(minted, st.sampled_from([(b"", b""), (b":null", b":-0"), (b",", b", "), (b'"iat"', b'"iss"'), (b"[", b"[[")]))
def test_what_is_read_quickly_is_what_is_read_carefully(said: Claims, change: tuple[bytes, bytes]) -> None:
    payload = msgspec.json.encode(said.payload()).replace(*change)

    quick = _minted_claims(payload)

    assert quick is None or (quick, quick.identity) == _any_claims(_read_carefully(payload, "payload"))


@given(st.text(min_size=1, max_size=9), st.text(min_size=1, max_size=9), st.none() | seconds)
def test_what_this_server_mints_is_read_quickly(subject: str, issuer: str, expires_at: int | None) -> None:
    said = Claims(identity_of(issuer, subject), subject, issuer, ("one", "two"), NOW, expires_at)

    assert _minted_claims(msgspec.json.encode(said.payload())) == said


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
    found = Keyring(KEY).read(signed(good), NOW)

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
    found = Keyring(KEY).read(signed(claims(iss="https://auth.example.com")), NOW)

    assert found.identity == identity_of("https://auth.example.com", "alice")


def test_a_foreign_issuer_signed_by_another_key_can_not_be_asked() -> None:
    refused = refusal(signed(claims(iss="https://auth.example.com"), key=OTHER_KEY))

    assert refused.text == "Error fetching public key for issuer https://auth.example.com"


def test_a_token_found_good_once_is_still_judged_by_the_time() -> None:
    keyring, token = Keyring(KEY), signed(claims(exp=NOW))
    keyring.read(token, NOW)

    assert refusal(token, keyring, NOW + 61).text == "Invalid token: ExpiredSignature"


def test_the_memory_of_good_tokens_is_bounded() -> None:
    keyring = Keyring(KEY)

    for number in range(3 * keyring._REMEMBERED // 2):
        keyring._good[str(number)] = ALICE
    keyring.read(signed(claims()), NOW)

    assert len(keyring._good) == 1


# --- why --------------------------------------------------------------------------------------------------------------


def test_an_expired_token_tells_for_how_long() -> None:
    refused = refusal(signed(claims(exp=NOW - 72)))

    assert refused.why == "expired 72 s ago by the emulator's clock, the 60 s leeway used up"


def test_a_rotated_key_is_told_from_a_strange_one() -> None:
    keyring = Keyring(KEY)
    keyring.rotate(OTHER_KEY, NOW)

    refused = refusal(signed(claims()), keyring, NOW + 3)

    assert refused.text == "Invalid token: InvalidSignature"
    assert refused.why == "signed by a key that was rotated away 3 s ago"


def test_a_strange_key_is_called_strange() -> None:
    assert "signed by a key this emulator never had" in refusal(signed(claims(), key=OTHER_KEY)).why


def test_a_stripped_signature_is_called_empty() -> None:
    token = signed(claims()).rpartition(".")[0] + "."

    assert refusal(token).why == "the signature is empty"


# --- a user's keys ----------------------------------------------------------------------------------------------------


def test_a_users_pair_is_loaded_and_its_public_half_kept_verbatim(tmp_path: Path) -> None:
    private_path, public_path = write_key_pair(tmp_path, 12345)
    public_path.write_bytes(b"# mine\r\n" + public_path.read_bytes())

    key = SigningKey.from_files(private_path, public_path)

    assert key.public_pem.startswith(b"# mine\r\n")


def test_what_another_library_signs_with_a_users_key_is_good(tmp_path: Path) -> None:
    private_path, public_path = write_key_pair(tmp_path, 12345)
    keyring = Keyring(SigningKey.from_files(private_path, public_path))

    token = jwt.encode(claims(), private_path.read_bytes(), "ES256")

    assert token != jwt.encode(claims(), private_path.read_bytes(), "ES256"), "signed with chance, as most libraries do"
    assert keyring.read(token, NOW).subject == "alice"


def test_a_pair_that_does_not_match_is_refused(tmp_path: Path) -> None:
    private_path, _ = write_key_pair(tmp_path, 12345)
    (tmp_path / "other").mkdir()
    _, other_public = write_key_pair(tmp_path / "other", 54321)

    with pytest.raises(Misconfigured, match="is not the public half of"):
        SigningKey.from_files(private_path, other_public)


def test_a_key_of_another_curve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="not a P-256 key"):
        SigningKey.from_files(*write_key_pair(tmp_path, 12345, ec.SECP384R1()))


def test_an_rsa_key_is_refused(tmp_path: Path) -> None:
    private_path, public_path = write_key_pair(tmp_path, 12345)
    rsa_key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - nothing is protected by it
    private_path.write_bytes(
        rsa_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )

    with pytest.raises(Misconfigured, match="not a P-256 key"):
        SigningKey.from_files(private_path, public_path)


def test_a_file_that_is_no_key_is_refused_by_name(tmp_path: Path) -> None:
    private_path, public_path = write_key_pair(tmp_path, 12345)
    public_path.write_text("hello")

    with pytest.raises(Misconfigured, match=r"id_ecdsa\.pub: not an unencrypted public key in PEM form"):
        SigningKey.from_files(private_path, public_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"can't read the private key: .*nowhere"):
        SigningKey.from_files(tmp_path / "nowhere", tmp_path / "nowhere.pub")
