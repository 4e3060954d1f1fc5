import pytest

from emulator.services.spacetimedb.database.names import fault, identity_in

HEX = "c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38"
HYPHEN, CHARACTERS = "invalid hyphen in database name", "invalid characters in database name"


@pytest.mark.parametrize("name", ["chat", "1", "0x", "a-b", "a-1-b", "x" * 300, HEX[:-1], f"{HEX}00"])
def test_letters_digits_and_single_hyphens_are_a_name(name: str) -> None:
    assert fault(name) == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", "database names cannot be empty"),
        ("MyDB", CHARACTERS),
        ("my_db", CHARACTERS),
        ("a b", CHARACTERS),
        ("é", CHARACTERS),
        ("\0", CHARACTERS),
        ("a\n", CHARACTERS),
        ("-a", HYPHEN),
        ("a-", HYPHEN),
        ("a--b", HYPHEN),
        ("a-\n", HYPHEN),
        ("a-_", HYPHEN),
        ("a_-", CHARACTERS),
        (f"0X{HEX}", CHARACTERS),
        (HEX, "database names cannot be identities"),
        (f"0x{HEX.upper()}", "database names cannot be identities"),
    ],
)
def test_the_first_fault_of_a_name_counts(name: str, text: str) -> None:
    assert fault(name) == text


@pytest.mark.parametrize("text", [HEX, HEX.upper(), f"0x{HEX}", f"X'{HEX}"])
def test_an_identity_is_64_digits_perhaps_after_a_prefix(text: str) -> None:
    assert identity_in(text) == HEX


@pytest.mark.parametrize("text", ["", "0x", HEX[:-1], f"{HEX}00", f"0X{HEX}", f"0x0x{HEX}", f"X'{HEX}'", f"{HEX}\n"])
def test_any_other_text_is_no_identity(text: str) -> None:
    assert identity_in(text) is None
