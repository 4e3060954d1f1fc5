import pytest

from emulator.services.intuition.api_keys import ApiKey, authenticate
from emulator.services.intuition.refusals import Unauthorized
from tests.conftest import API_KEY

KNOWN = {API_KEY: ApiKey(API_KEY, "0x01"), "abcdef00-0000-4000-8000-000000000000": ApiKey("abcdef00", "0x02")}


def test_a_known_key_is_its_owners() -> None:
    assert authenticate(API_KEY, None, KNOWN.get).wallet == "0x01"


def test_the_api_key_decides_when_both_headers_are_sent() -> None:
    assert authenticate(API_KEY, "Basic nonsense", KNOWN.get).wallet == "0x01"


@pytest.mark.parametrize(
    ("key", "authorization", "text"),
    [
        (None, None, "`Authorization` header  or Api Key is missing"),
        ("", None, "`x-api-key` is invalid"),
        ("nonsense", None, "`x-api-key` is invalid"),
        ("nonsense", "Bearer x", "`x-api-key` is invalid"),
        (None, "Basic x", "`Authorization` header must be a bearer token"),
        (None, "bearer x", "`Authorization` header must be a bearer token"),
        (None, "Bearer\tx", "`Authorization` header must be a bearer token"),
        (None, "Bearer é", "`Authorization` header contains invalid characters"),
        (None, "Bearer x", "Bearer token invalid or expired"),
    ],
)
def test_bad_credentials_get_the_documented_words(key: str | None, authorization: str | None, text: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        authenticate(key, authorization, KNOWN.get)

    assert (caught.value.status, caught.value.text) == (401, text)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "`x-api-key` is empty; is the variable it comes from set?"),
        ("undefined", "`x-api-key` is the text 'undefined': a variable that was not replaced"),
        ("${INTUITION_API_KEY}", "`x-api-key` begins with `$`: a variable that was not replaced"),
        ("{{key}}", "`x-api-key` begins with `{{`: a variable that was not replaced"),
        (f"{API_KEY}\\n", "`x-api-key` ends in a newline"),
        (f'"{API_KEY}"', "`x-api-key` is a valid key inside quotes or spaces"),
        ("ABCDEF00-0000-4000-8000-000000000000", "`x-api-key` is a valid key in upper case; keys are lower case"),
        ("0", f"`x-api-key` was never issued here, or was revoked; {API_KEY} is valid"),
    ],
)
def test_the_reason_names_the_usual_mistake(key: str, why: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        authenticate(key, None, KNOWN.get)

    assert caught.value.why == why
