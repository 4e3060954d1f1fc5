"""Signing keys: their tokens, and key files of the user."""

from base64 import urlsafe_b64decode
from pathlib import Path

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
from emulator.services.spacetimedb.model import Claims, identity_of
from emulator.services.spacetimedb.refusals import TokenRefused
from emulator.services.spacetimedb.releases import DEFAULT, PROFILES
from emulator.services.spacetimedb.signing_keys import Keyring, SigningKey, r_and_s
from tests.conftest import write_key_pair

NOW = 1_795_307_846
KEY = SigningKey.from_entropy(b"a" * 64)
ALICE = Claims(identity_of("localhost", "alice"), "alice", "localhost", ("spacetimedb",), NOW)


# --- made -------------------------------------------------------------------------------------------------------------


def test_the_header_is_always_the_same() -> None:
    assert KEY.mint(ALICE).startswith("eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.")


@pytest.mark.parametrize(("null_exp", "end"), [(False, "}"), (True, ',"exp":null}')])
def test_the_claims_come_in_the_real_servers_order(null_exp: bool, end: str) -> None:
    payload = KEY.mint(msgspec.structs.replace(ALICE, null_exp=null_exp)).split(".")[1]

    assert urlsafe_b64decode(payload + "==").decode() == (
        '{"hex_identity":"c20035600353a2e93544d898c6ed0eac323e200c0468300f22958f8b472a265d","sub":"alice",'
        f'"iss":"localhost","aud":["spacetimedb"],"iat":1795307846{end}'
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


def test_the_public_key_is_178_bytes_of_spki_in_pem() -> None:
    assert len(KEY.public_pem) == 178
    assert KEY.public_pem.startswith(b"-----BEGIN PUBLIC KEY-----\n")


# --- a user's keys ----------------------------------------------------------------------------------------------------


def test_a_users_pair_is_loaded_and_its_public_half_kept_verbatim(tmp_path: Path) -> None:
    private_path, public_path = write_key_pair(tmp_path, 12345)
    public_path.write_bytes(b"# mine\r\n" + public_path.read_bytes())

    key = SigningKey.from_files(private_path, public_path)

    assert key.public_pem.startswith(b"# mine\r\n")


def test_a_token_signed_by_another_library_with_a_users_key_is_valid(tmp_path: Path) -> None:
    private_path, public_path = write_key_pair(tmp_path, 12345)
    keyring = Keyring(SigningKey.from_files(private_path, public_path))

    claims = {"sub": "alice", "iss": "localhost", "iat": NOW}

    token = jwt.encode(claims, private_path.read_bytes(), "ES256")

    assert token != jwt.encode(claims, private_path.read_bytes(), "ES256"), "signed with chance, as most libraries do"
    assert keyring.read(token, NOW * 1_000_000, PROFILES[DEFAULT]).subject == "alice"


def test_halves_of_two_pairs_are_taken_and_no_token_is_valid_as_on_the_real_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    private_path, _ = write_key_pair(tmp_path, 12345)
    (tmp_path / "other").mkdir()
    _, other_public = write_key_pair(tmp_path / "other", 54321)

    key = SigningKey.from_files(private_path, other_public)

    with pytest.raises(TokenRefused, match="InvalidSignature") as refused:
        Keyring(key).read(key.mint(ALICE), NOW * 1_000_000, PROFILES[DEFAULT])
    assert refused.value.reason.endswith("the public key from the file is not that of the private one")
    assert "is not the public key of" in caplog.text


def test_a_token_of_the_public_half_is_valid_then(tmp_path: Path) -> None:
    private_path, _ = write_key_pair(tmp_path, 12345)
    (tmp_path / "other").mkdir()
    other_private, other_public = write_key_pair(tmp_path / "other", 54321)
    theirs = SigningKey.from_files(other_private, other_public)

    key = SigningKey.from_files(private_path, other_public)

    assert Keyring(key).read(theirs.mint(ALICE), NOW * 1_000_000, PROFILES[DEFAULT]).subject == "alice"


def test_a_private_key_in_the_older_form_is_refused_with_the_command_that_converts_it(tmp_path: Path) -> None:
    private_path, public_path = write_key_pair(tmp_path, 12345)
    key = serialization.load_pem_private_key(private_path.read_bytes(), password=None)
    private_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )

    with pytest.raises(Misconfigured, match=r"not in PKCS #8, .*`openssl pkcs8 -topk8"):
        SigningKey.from_files(private_path, public_path)


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
