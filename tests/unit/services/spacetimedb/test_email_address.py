import pytest

from emulator.services.spacetimedb.email_address import fault


@pytest.mark.parametrize(
    "address", ["a@b", "a+b@c.d", '"q x"@c.d', '"q\\"x"@c.d', "a@[127.0.0.1]", "é@b.c", "a@é.c", f"{'a' * 64}@b.c"]
)
def test_these_are_addresses(address: str) -> None:
    assert fault(address) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "Missing separator character '@'."),
        ("abc", "Missing separator character '@'."),
        ("@b.c", "Local part is empty."),
        ('""@b.c', "Local part is empty."),
        ("a@", "Domain is empty."),
        ("Name <a@b.c>", "Invalid character."),
        (".a@b", "Invalid character."),
        ("a@b@c", "Invalid character."),
        ("a b@c.d", "Invalid character."),
        ('"a"b"@c.d', "Invalid character."),
        ("a@b c", "Invalid character."),
        ("a@[b c]", "Invalid character."),
        ("a@b..c", "A sub-domain is empty."),
        (f"{'a' * 65}@b.c", "Local part is too long. Length limit: 64"),
        (f"{'é' * 33}@b.c", "Local part is too long. Length limit: 64"),
        (f"a@{'b.' * 127}c", "Domain is too long. Length limit: 254"),
        (f"a@{'b' * 64}.c", "A sub-domain is too long. Length limit: 63"),
    ],
)
def test_these_are_invalid_with_the_error_of_the_crate(address: str, reason: str) -> None:
    assert fault(address) == reason
