"""Key sets are accepted or refused as a whole, by the rules of the release."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.services.spacetimedb.issuers.jwks import KeySetRefused, read_key_set
from emulator.services.spacetimedb.issuers.key_set import KeySet
from emulator.services.spacetimedb.releases import PROFILES
from tests.foreign_cases import OCT, A, B, ed_key, rsa_key

OLD, NEW = PROFILES["v2.8"], PROFILES["v2.14"]


def read(keys: Any, profile: str = "v2.14") -> KeySet:
    document = keys if isinstance(keys, bytes) else json.dumps({"keys": keys}).encode()
    return read_key_set(document, PROFILES[profile])


def refusal(keys: Any, profile: str = "v2.14") -> str:
    with pytest.raises(KeySetRefused) as caught:
        read(keys, profile)
    return str(caught.value)


def test_keys_keep_the_order_of_the_document() -> None:
    found = read([B.named("b"), rsa_key(2048).named("r"), A.named("a"), ed_key().named("e")])

    assert [(each.kid, each.key.family) for each in found.keys] == [
        ("b", "EC"),
        ("r", "RSA"),
        ("a", "EC"),
        ("e", "OKP"),
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([A.named("a"), B.named("b", kty="XX")], "keys[1]: data did not match any variant"),
        ([A.named("a"), B.named("b", x="AA=")], "keys[1], the key 'b': `x` is not unpadded base64url"),
        ([A.named("a", use=5)], "keys[0]: invalid type: integer `5`, expected a string"),
        ([5], "keys[0]: invalid type: integer `5`, expected struct Jwk"),
        (b'{"keys":{}}', "the key set: invalid type: map, expected a sequence"),
        (b"{}", "the key set: missing field `keys`"),
        (b'{"keys":[],"keys":[]}', "duplicate field `keys`"),
        (b"", "EOF while parsing a value"),
        (b'{"keys":[]} x', "trailing characters"),
        (b"\xff", "expected value"),
        (b'{"keys":[{"odd":' + b"[" * 100_000, "recursion limit exceeded"),
    ],
)
def test_a_set_that_is_refused_names_the_key_that_does_it(keys: Any, said: str) -> None:
    assert said in refusal(keys)


def test_a_set_can_be_a_list_of_the_list_of_keys() -> None:
    """As serde reads every struct."""
    document = json.dumps([[A.named("a")]]).encode()

    assert [each.kid for each in read(document).keys] == ["a"]


def test_up_to_2_9_a_key_needs_an_id() -> None:
    assert "keys[0]: it has no `kid`" in refusal([A.named(None)], "v2.8")
    assert [each.kid for each in read([A.named(None)]).keys] == [None]


def test_up_to_2_9_an_unknown_alg_is_refused() -> None:
    assert "keys[0]: unknown variant `ES512`" in refusal([A.named("a", alg="ES512")], "v2.8")
    assert len(read([A.named("a", alg="ES512")]).keys) == 1


def test_shared_secrets_are_used_up_to_2_9_and_left_out_since() -> None:
    assert [len(read([OCT.named("o"), A.named("a")], profile).keys) for profile in ("v2.8", "v2.14")] == [2, 1]


def test_a_shared_secret_needs_its_member_everywhere() -> None:
    assert "did not match" in refusal([{"kid": "o", "kty": "oct"}])


def test_of_two_equal_ids_the_last_counts_up_to_2_9_and_the_first_since() -> None:
    message = b"x"
    signature = A.sign(message)

    found = [read([A.named("a"), B.named("a")], profile).candidates("a") for profile in ("v2.8", "v2.14")]

    assert [[each.key.verifies(message, signature) for each in keys] for keys in found] == [[False], [True]]


def test_without_an_id_every_key_is_tried_also_the_second_of_two_equal_ones() -> None:
    assert len(read([A.named("a"), B.named("a")]).candidates(None)) == 2


def test_an_id_that_no_key_has_leads_to_the_keys_without_one() -> None:
    found = read([A.named("a"), B.named(None)])

    assert [each.kid for each in found.candidates("zz")] == [None]


def test_the_curve_of_a_key_is_not_looked_at() -> None:
    """The JWT library makes a point of P-256 of any x and y (`from_ec_components`)."""
    [key] = read([A.named("a", crv="P-384")]).keys

    assert key.key.verifies(b"x", A.sign(b"x"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=10,
)
MEMBERS = ("kid", "kty", "crv", "x", "y", "n", "e", "k", "alg", "use", "key_ops", "x5c", "x5t", "x5t#S256", "x5u")
VALUES = ("EC", "RSA", "oct", "OKP", "P-256", "Ed25519", "ES256", "AQAB", A.jwk["x"], "", "=")
jwks = st.dictionaries(st.sampled_from(MEMBERS), st.sampled_from(VALUES) | json_values, max_size=8)
good = st.sampled_from([A.named("a"), B.named("b"), OCT.named("o"), ed_key().named("e")])
changed = st.builds(lambda key, change: key | change, good, jwks)
profiles = st.sampled_from(sorted(PROFILES))


@given(st.lists(good | changed | jwks | json_values, max_size=4), profiles)
def test_any_list_of_keys_is_accepted_or_refused_as_a_whole(keys: list[Any], profile: str) -> None:
    document = json.dumps({"keys": keys}).encode()
    try:
        found = read_key_set(document, PROFILES[profile])
    except KeySetRefused as refused:
        assert str(refused)
        return

    assert len(found.keys) <= len(keys)
    for each in found.keys:
        assert not each.key.verifies(b"x", b"y")
        assert each.key.is_usable in (True, False)


@given(json_values | st.binary(max_size=40), profiles)
def test_any_document_is_accepted_or_refused(document: Any, profile: str) -> None:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    try:
        assert isinstance(read_key_set(data, PROFILES[profile]), KeySet)
    except KeySetRefused as refused:
        assert str(refused)


@given(st.lists(good, min_size=1, max_size=3), changed, profiles)
def test_one_more_key_takes_a_set_away_whole_or_is_taken_beside_it(
    keys: list[Any], one: dict[str, Any], profile: str
) -> None:
    before = read_key_set(json.dumps({"keys": keys}).encode(), PROFILES[profile])
    try:
        after = read_key_set(json.dumps({"keys": [*keys, one]}).encode(), PROFILES[profile])
    except KeySetRefused:
        return

    assert {each.kid for each in before.keys} <= {each.kid for each in after.keys}


@given(st.binary(max_size=300), st.binary(max_size=8), st.binary(max_size=70))
def test_any_numbers_make_a_key_that_answers(modulus: bytes, exponent: bytes, signature: bytes) -> None:
    from emulator.services.spacetimedb.issuers.keys import EcKey, RsaKey

    assert not RsaKey(modulus, exponent, (1024, 4096)).verifies(b"x", signature)
    assert not EcKey(modulus[:32], signature).verifies(b"x", signature)
