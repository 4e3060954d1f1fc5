"""Tokens of recorded requests, made anew for a server with another key and another clock."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from emulator.conformance.tokens import RECORDED_KEY, BadKey, Keys, Signers, renewed, signed_tokens
from tests.conftest import data

MOMENT = datetime(2026, 11, 26, 12, tzinfo=UTC)
THEN, NOW = int(MOMENT.timestamp()), 1_900_000_000
RECORDED = ec.derive_private_key(int(data("test_key.json")["scalar"]), ec.SECP256R1())
TARGET, STRANGER = ec.derive_private_key(7, ec.SECP256R1()), ec.derive_private_key(8, ec.SECP256R1())


def private_pem(key: Any) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


def public_pem(key: Any) -> bytes:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


KEYS = Keys.of(private_pem(TARGET), public_pem(TARGET))


def encoded(text: bytes) -> bytes:
    return urlsafe_b64encode(text).rstrip(b"=")


def token(payload: str, *, header: str = '{"typ":"JWT","alg":"ES256"}', key: Any = RECORDED) -> bytes:
    """Signed with ES256, whatever its header says."""
    text = b"%b.%b" % (encoded(header.encode()), encoded(payload.encode()))
    signer = Keys(key, b"")
    return b"%b.%b" % (text, signer.sign(text))


def payload_of(made: bytes) -> str:
    segment = made.split(b".")[1]
    return urlsafe_b64decode(segment + b"=" * (-len(segment) % 4)).decode()


def sent(old: bytes, keys: Keys | None = KEYS, request: bytes = b"Bearer %b\r\n") -> bytes:
    """What is sent in the place of a token."""
    return renewed(request % old, MOMENT, NOW, Signers(keys, public_pem(TARGET))).get(old, old)


def is_signed_by(made: bytes, key: Any) -> bool:
    try:
        jwt.api_jws.decode(made.decode(), public_pem(key).decode(), ["ES256"])
    except jwt.InvalidSignatureError:
        return False
    return True


def test_a_good_token_is_signed_with_the_targets_key() -> None:
    made = sent(token('{"sub":"alice","iss":"localhost"}'))

    assert is_signed_by(made, TARGET)
    assert payload_of(made) == '{"sub":"alice","iss":"localhost"}'


def test_without_keys_a_good_token_is_left_as_it_is() -> None:
    old = token('{"sub":"alice"}')

    assert sent(old, keys=None) == old


@pytest.mark.parametrize("away", [-3600, -61, -60, 0, 60, 3600])
def test_a_time_is_as_far_from_now_as_it_was_from_its_recording(away: int) -> None:
    made = sent(token(f'{{"sub":"alice","exp":{THEN + away},"iat": {THEN}}}'))

    assert payload_of(made) == f'{{"sub":"alice","exp":{NOW + away},"iat": {NOW}}}'


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "1",
        "-5",
        "null",
        '"1795694400"',
        "1e9",
        f"{THEN}.5",
        f"{THEN}e0",
        "9223372036854775807",
        str(THEN - 200_000),
    ],
)
def test_a_time_that_means_always_or_never_or_is_none_stays(text: str) -> None:
    payload = f'{{"exp":{text}}}'

    assert payload_of(sent(token(payload))) == payload


def test_a_forged_token_stays_forged_and_its_times_move() -> None:
    old = token(f'{{"exp":{THEN + 60}}}', key=STRANGER)

    made = sent(old)

    assert payload_of(made) == f'{{"exp":{NOW + 60}}}'
    assert made.split(b".")[2] == old.split(b".")[2]
    assert not is_signed_by(made, STRANGER)
    assert not is_signed_by(made, TARGET)


def forged(secret: bytes) -> bytes:
    """With HS256, of a text that says nothing of the time."""
    text = b"%b.%b" % (encoded(b'{"alg":"HS256"}'), encoded(b'{"sub":"alice"}'))
    return b"%b.%b" % (text, encoded(hmac.digest(secret, text, "sha256")))


@pytest.mark.parametrize("keys", [KEYS, None], ids=["with keys", "without"])
def test_a_token_that_is_forged_with_the_public_key_is_forged_with_the_targets(keys: Keys | None) -> None:
    assert sent(forged(RECORDED_KEY), keys) == forged(public_pem(TARGET))
    assert sent(forged(RECORDED_KEY.strip()), keys) == forged(public_pem(TARGET).strip())
    assert sent(forged(b"secret"), keys) == forged(b"secret")


@pytest.mark.parametrize("payload", ["", "{", "[]", '{"sub":"a","sub":"b"}', '{"sub":1.50}', '{"sub":"a"} x'])
def test_a_payload_that_is_wrong_is_sent_byte_for_byte(payload: str) -> None:
    old = token(payload)

    assert sent(old).split(b".")[:2] == old.split(b".")[:2]


def test_the_header_is_sent_byte_for_byte() -> None:
    old = token("{}", header='{"alg" : "HS256","jwk":[]}')

    assert sent(old).split(b".")[0] == old.split(b".")[0]


@pytest.mark.parametrize("end", [b"", b"=", b"*", b"A" * 30])
def test_a_signature_that_is_cut_or_longer_is_no_good_one(end: bytes) -> None:
    assert signed_tokens(b"Bearer %b%b\r\n" % (token("{}")[:-1], end)) == []


def test_all_tokens_of_a_request_are_made_anew() -> None:
    one, other = token('{"sub":"a"}'), token('{"sub":"b"}')
    request = b"GET /v1/ping?token=%b HTTP/1.1\r\nAuthorization: bearer   %b\r\n\r\n" % (one, other)

    assert set(renewed(request, MOMENT, NOW, Signers(KEYS))) == {one, other}


def test_a_token_is_as_long_as_before() -> None:
    old = token(f'{{"exp":{THEN}}}')

    assert len(sent(old)) == len(old)


def test_finding_tokens_in_a_huge_head_takes_no_time() -> None:
    assert signed_tokens(b"a" * 500_000) == []  # a pattern that starts anew at each byte would need minutes


def test_the_recorded_key_is_the_one_of_the_recordings() -> None:
    assert public_pem(RECORDED) == RECORDED_KEY


@pytest.mark.parametrize(
    ("private", "public", "said"),
    [
        (b"", public_pem(TARGET), "the first is no private key in PEM"),
        (public_pem(TARGET), public_pem(TARGET), "the first is no private key in PEM"),
        (private_pem(ed25519.Ed25519PrivateKey.generate()), public_pem(TARGET), "the first is no private key of P-256"),
        (
            private_pem(ec.derive_private_key(7, ec.SECP384R1())),
            public_pem(TARGET),
            "the first is no private key of P-256",
        ),
        (private_pem(TARGET), b"\xff", "the second is no public key of P-256"),
        (
            private_pem(TARGET),
            public_pem(rsa.generate_private_key(65537, 2048)),
            "the second is no public key of P-256",
        ),
        (private_pem(TARGET), public_pem(STRANGER), "no pair"),
    ],
)
def test_keys_that_can_not_be_the_targets_are_refused(private: bytes, public: bytes, said: str) -> None:
    with pytest.raises(BadKey, match=said):
        Keys.of(private, public)


def test_a_key_with_a_password_is_refused() -> None:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

    locked = TARGET.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))

    with pytest.raises(BadKey, match="without a password"):
        Keys.of(locked, public_pem(TARGET))
