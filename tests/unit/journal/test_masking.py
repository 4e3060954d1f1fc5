"""Texts for people: secrets masked, one printable line, in a time that grows as the text does."""

from time import thread_time
from urllib.parse import quote

import pytest

from emulator.journal.masking import (
    is_secret,
    mask,
    mask_body,
    mask_target,
    printable,
    readable,
    sent_secrets,
    without_excerpt,
)
from tests.measuring import quickest

SECRET = "hunter2hunter2"
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6NjB9.c2ln"
JWT_WITH_BLANKS = "eyAiYWxnIjogIkVTMjU2IiB9.eyAic3ViIjogImFsaWNlIiB9.c2ln"

NAMES = ["sig", "signature", "mnemonic", "pin", "credential", "secret", "private_key", "password", "token", "key"]


def spellings(name: str) -> list[str]:
    camel = f"user{name.title().replace('_', '')}"
    return [name, name.upper(), name.title(), f"my_{name}", f"x-{name}", camel, camel.lower(), f"{name}s", f"{name}_2"]


SECRETS = [spelling for name in NAMES for spelling in spellings(name)]


def test_names_of_secrets_are_known_in_any_case_and_joint() -> None:
    more = ["X-Amz-Signature", "apiKey", "APIKEY", "accessToken", "Cookie", "PINCode"]

    assert [name for name in SECRETS + more if not is_secret(name)] == []


@pytest.mark.parametrize("name", ["ping", "shipping", "design", "assigned_to", "name", "identity", "sub", "KeyError"])
def test_other_names_are_no_secrets(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        "{name}={value}",
        "{name}={value}&a=1",
        "a=1&{name}={value}",
        "a=1;{name}={value}",
        "/v1/ping?{name}={value}",
        "it was '{name}={value}' here",
        '{{"{name}":"{value}"}}',
        '{{"a": 1, "{name}" : "{value}", "b": 2}}',
        '{{"{name}":"{value}',
        '{{"a":{{"{name}":["{value}",{{"b":"{value}"}}]}}}}',
        "{{'{name}': '{value}'}}",
        '{{\\"{name}\\":\\"a\\\\\\"{value}\\"}}',
        "{name}: {value}",
        "a: b\r\n{name}: {value}\r\nc: d",
        "a: b\n{name}:{value}",
    ],
)
def test_a_value_is_masked_by_its_name(text: str) -> None:
    for name in SECRETS:
        made = text.format(name=name, value=SECRET)

        assert SECRET not in mask(made)
        assert SECRET not in mask_body(made)


@pytest.mark.parametrize(
    "text",
    [
        JWT,
        f"a{JWT}",
        f"/identity/{JWT}/verify",
        f"'{JWT}'",
        f"{JWT}, {JWT}",
        JWT[:40],
        JWT_WITH_BLANKS,
        f"x={JWT_WITH_BLANKS}",
    ],
)
def test_a_token_is_masked_wherever_it_is(text: str) -> None:
    masked = mask(text)

    assert text[-20:-5] not in masked
    assert "***" in masked


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Basic"])
def test_what_follows_a_scheme_is_masked(scheme: str) -> None:
    assert mask(f"sent {scheme} dG9rZW46aHVudGVyMg== here") == f"sent {scheme} *** here"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"password":"a\\"b\\\\","c":"d"}', '{"password":"***","c":"d"}'),
        ('{"pin": 1234, "a": 5}', '{"pin": ***, "a": 5}'),
        ('{"token":null,"key":""}', '{"token":null,"key":""}'),
        ('{"\\u0074oken":"abc"}', '{"\\u0074oken":"***"}'),
        ("api_key=a b'c\"d&e=f", "api_key=***&e=f"),
        ("user[password]=x&user[name]=y", "user[password]=***&user[name]=y"),
        ("%74oken=x", "%74oken=***"),
    ],
)
def test_what_stands_beside_a_secret_stays(text: str, masked: str) -> None:
    assert mask_body(text) == masked


def test_a_field_of_a_multipart_form_is_masked() -> None:
    def part(name: str) -> str:
        return f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{SECRET}\r\n'

    assert mask_body(f"{part('password')}{part('a')}--B--\r\n").count(SECRET) == 1


@pytest.mark.parametrize(
    "url",
    ["https://{}@a.example/b", "https://{}@a.example:1", "postgres://{}@a/b", "https:\\/\\/{}@a", "x=http://{}@a"],
)
@pytest.mark.parametrize("userinfo", ["user:hunter22", "user:hun%40ter22", "user:@hunter22", "hunter22", ":hunter22"])
def test_the_userinfo_of_a_url_is_masked(url: str, userinfo: str) -> None:
    assert mask(f'see "{url.format(userinfo)}" here') == f'see "{url.format("***")}" here'


@pytest.mark.parametrize("text", ["https://a.example/@b", "https://a.example, b@c", "a: //b", "https://a?b@c"])
def test_a_url_without_userinfo_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize("name", ["pass%FFword", "%FF", "passw\\u006frd%80"])
def test_the_value_of_a_name_that_is_no_text_is_masked(name: str) -> None:
    assert mask_target(f"/a?{name}={SECRET}&b=c") == f"/a?{name}=***&b=c"


def test_encoded_json_in_a_query_is_masked() -> None:
    encoded = quote(f'{{"token":"{SECRET}"}}')

    assert mask_target(f"/v1/ping?filter={encoded}&a=1") == "/v1/ping?filter=***&a=1"


@pytest.mark.parametrize(
    "text",
    [
        "GET /v1/identity/websocket-token: no such route",
        "the issuer is 'x', and the emulator does not fetch keys; with its own key: the signature is wrong",
        "signature: signed by a key that was rotated 0 s ago",
        "signature: an ES256 signature has 64 bytes (r and s), this has 3",
        "Invalid token: JSON error: expected `,` or `}` at line 1 column 2",
        "`x-api-key` was never issued here, or was revoked; 00000000-0000-4000-8000-000000000001 is valid",
        "no `Authorization` header and no usable `?token=`",
        "the header says Basic, profile v2 takes only Bearer",
        "http://api-key-host:3000/v1/ping",
        "/v1/shipping?design=1&ping=2",
        "KeyError: 'x'",
    ],
)
def test_sentences_stay(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize("text", [f'{{"token":"{SECRET}"}}', f"token={SECRET}&a=b", f"x-api-key: {SECRET}", JWT])
def test_what_is_masked_stays_as_it_is(text: str) -> None:
    assert mask(mask(text)) == mask(text)


# --- lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("char", ["\n", "\r", "\x1b", "\0", "\x7f", "\x9b", "\u2028", "\u202e", "\ud800", "\u200b"])
def test_nothing_begins_a_line_or_steers_a_terminal(char: str) -> None:
    assert printable(f"a{char}b").isprintable()
    assert readable(f"a{char}b").isprintable()


def test_a_long_text_is_cut() -> None:
    assert readable("x" * 501) == "x" * 500 + "…"


def test_a_secret_that_is_cut_is_masked_all_the_same() -> None:
    for length in range(1, 60):
        assert SECRET[:6] not in readable(f'a {{"password":"{SECRET}"}}', length)
        assert JWT[10:14] not in readable(f"a {JWT}", length)


def test_what_was_sent_as_a_secret_is_masked_anywhere() -> None:
    secrets = sent_secrets([("Accept", "0123456789ab"), ("X-Api-Key", SECRET), ("Cookie", "a=bbbbbbbbbbbbb; c=d")])

    assert readable(f"/a/{SECRET}/bbbbbbbbbbbbb/0123456789ab", secrets=secrets) == "/a/***/***/0123456789ab"


def test_of_a_sent_secret_that_is_cut_nothing_is_left() -> None:
    assert readable(f"/a/{SECRET}", 16, secrets=[SECRET]) == "/a/***…"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Invalid header token:\n\n  b'Authorization : Bearer x'\n                ^", "Invalid header token"),
        ("Data after `Connection: close`:\n\n  b'secret'\n  ^", "Data after `Connection: close`"),
        ("Invalid HTTP header: b'secret'", "Invalid HTTP header"),
        ("Got more than 65536 bytes when reading: b'secret'.", "Got more than 65536 bytes when reading"),
        ("400, message:\n  Bad chunk size: b'secret'", "Bad chunk size"),
        ('Bad status line "secret"', "Bad status line"),
        ("Missing 'Host' header in request.", "Missing `Host` header in request."),
        ("", ""),
    ],
)
def test_excerpts_of_the_parsers_errors_are_dropped(said: str, kept: str) -> None:
    assert without_excerpt(said) == kept


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit",
    [
        "eyJ",
        "a",
        "<",
        "key=<",
        "<key",
        ":key",
        "://@",
        "://",
        "\\",
        '"',
        ":",
        '":',
        "token=\\",
        '"token":"\\',
        '["key":',
        "%25",
        "bearer ",
    ],
)
def test_the_time_grows_as_the_text_does(unit: str) -> None:
    """More of them are in tests/slow."""
    once, twice = quickest(
        lambda: mask("key " + unit * (16_384 // len(unit))),
        lambda: mask("key " + unit * (32_768 // len(unit))),
        times=3,
        clock=thread_time,
    )

    assert twice < 3 * once + 0.002
