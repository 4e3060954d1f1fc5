import pytest

from emulator.services.spacetimedb.model import Database, NotAnIdentity, identity_of, parse_identity
from tests.conftest import data


@pytest.mark.parametrize("row", data("identities.json"), ids=lambda row: f"{row['iss']}|{row['sub']}")
def test_an_identity_follows_from_issuer_and_subject(row: dict[str, str]) -> None:
    assert identity_of(row["iss"], row["sub"]) == row["identity"]


def test_names_beyond_ascii_are_hashed_as_utf8() -> None:
    assert identity_of("localhost", "é|ü") == "c200b56b5140231ebe1b665ca98e18c549574b0b14878d987cf2eb81dcfcbec1"


def test_an_identity_may_be_written_in_upper_case() -> None:
    identity = identity_of("localhost", "alice")

    assert parse_identity(identity.upper()) == identity


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zz", 'invalid value: string "zz", expected a byte array or hex string'),
        ("c20", 'invalid value: string "c20", expected a byte array or hex string'),
        ("c2 00", 'invalid value: string "c2 00", expected a byte array or hex string'),
        ("0x" + "0" * 64, f'invalid value: string "0x{"0" * 64}", expected a byte array or hex string'),
        ("", "too few elements for array"),
        ("00" * 31, "too few elements for array"),
        ("00" * 33, "too many elements for array"),
    ],
)
def test_what_is_no_identity_is_refused_in_serdes_words(text: str, sentence: str) -> None:
    with pytest.raises(NotAnIdentity) as caught:
        parse_identity(text)

    assert str(caught.value) == sentence


def test_a_database_has_an_identity_of_the_same_form_and_a_32_digit_address() -> None:
    database = Database.new(b"chance", identity_of("localhost", "alice"))

    assert database.identity.startswith("c200")
    assert len(bytes.fromhex(database.identity)) == 32
    assert len(bytes.fromhex(database.address)) == 16
