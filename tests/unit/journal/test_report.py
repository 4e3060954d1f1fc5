"""Exchanges in reports."""

from base64 import b64encode

import pytest
from msgspec import structs

from emulator.journal.exchange import Exchange, Message, head_of
from emulator.journal.report import claims, curl, report, short
from emulator.services.rust import base64url
from tests.unit.journal.test_shown import NO_TEXT

BIDI = "\u202e"
URL = "http://127.0.0.1:41235"
# {"sub":"alice","exp":60}
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6NjB9.c2ln"


def exchange(
    method: str = "GET", target: str = "/v1/ping", headers: dict[str, str] | None = None, body: bytes = b""
) -> Exchange:
    head = head_of((name.encode(), value.encode()) for name, value in (headers or {}).items())
    sent = Message(head, body[:16_384], len(body))
    return Exchange(1, method, target, "", sent, 401, Message(b"", b"no", 2), "because", 50_000_000, 0.0012)


@pytest.mark.parametrize(
    ("made", "command"),
    [
        (exchange(), f"curl -i {URL}/v1/ping"),
        (exchange("HEAD"), f"curl -i --head {URL}/v1/ping"),
        (exchange("POST", "/a?b=[c]"), f"curl -i -X POST --globoff '{URL}/a?b=[c]'"),
        (exchange(target="/a/../b"), f"curl -i --path-as-is {URL}/a/../b"),
        (exchange(headers={"Host": "x", "X-A": "it's"}), f"curl -i {URL}/v1/ping -H 'X-A: it'\"'\"'s'"),
        (exchange("POST", body=b'{"a":1}'), f"curl -i -X POST {URL}/v1/ping -H Content-Type: --data-raw '{{\"a\":1}}'"),
    ],
)
def test_a_curl_repeats_the_request(made: Exchange, command: str) -> None:
    assert curl(made, URL) == command


@pytest.mark.parametrize(
    ("made", "masked", "shown"),
    [
        (exchange(headers={"Authorization": f"Bearer {TOKEN}"}), "Bearer ***'", f"Bearer {TOKEN}'"),
        (exchange(headers={"Authorization": TOKEN}), "Authorization: ***'", f"Authorization: {TOKEN}'"),
        (exchange(headers={"X-Api-Key": "0000"}), "X-Api-Key: ***'", "X-Api-Key: 0000'"),
        (exchange(target=f"/v1/ping?a=b&token={TOKEN}"), "a=b&token=***'", f"token={TOKEN}'"),
        (exchange("POST", body=TOKEN.encode()), "--data-raw '***'", f"--data-raw {TOKEN}"),
    ],
)
def test_secrets_are_masked_unless_asked_for(made: Exchange, masked: str, shown: str) -> None:
    assert curl(made, URL).endswith(masked)
    assert TOKEN not in curl(made, URL)
    assert curl(made, URL, secrets=True).endswith(shown)


@pytest.mark.parametrize(
    "made",
    [
        exchange(target=f"/identity/{TOKEN}/verify"),
        exchange(target="/v1/ping?api_key=0123456789abcdef&x=1"),
        exchange(headers={"X-Auth-Token": "0123456789abcdef"}),
        exchange(headers={"Proxy-Authorization": "Basic 0123456789abcdef"}),
        exchange(headers={"Authorization": f"{TOKEN} 0123456789abcdef"}),
        exchange("POST", body=b'{"password": "0123456789abcdef", "a": 1}'),
        exchange("POST", body=b"api_key=0123456789abcdef&a=1"),
        exchange("POST", body=b"a=1&sig=0123456789abcdef"),
        exchange(
            "POST", body=b'--B\r\nContent-Disposition: form-data; name="pin"\r\n\r\n0123456789abcdef\r\n--B--\r\n'
        ),
        exchange(target="/v1/ping?X-Amz-Signature=0123456789abcdef"),
        exchange(headers={"X-Mnemonic": "0123456789abcdef"}),
        exchange("POST", "/identity/0123456789abcdef", headers={"x-api-key": "0123456789abcdef"}),
    ],
)
def test_no_secret_is_in_a_report_wherever_it_was_sent(made: Exchange) -> None:
    text = report([made], URL) + short([made])

    assert TOKEN not in text
    assert "0123456789abcdef" not in text


def test_control_characters_do_not_reach_the_terminal() -> None:
    forged = base64url.encode(b'{"iss":"a\\n#99 POST /forged -> 200\\u001b[31m"}')
    made = exchange(headers={"Authorization": f"Bearer a.{forged}.c"})

    assert "\x1b" not in report([made], URL)
    assert "\n#99" not in report([made], URL)


def test_the_report_says_that_a_body_was_cut() -> None:
    assert curl(exchange("POST", body=b"x" * 20_000), URL).endswith(
        "the body had 20000 bytes, of which 16384 were kept"
    )


@pytest.mark.parametrize(
    "made",
    [
        exchange(headers={"Authorization": f"Bearer {TOKEN}"}),
        exchange(headers={"Authorization": f"Basic {b64encode(f'token:{TOKEN}'.encode()).decode()}"}),
        exchange(target=f"/v1/ping?token={TOKEN}"),
    ],
)
def test_claims_are_read_wherever_the_token_is(made: Exchange) -> None:
    assert claims(made) == {"sub": "alice", "exp": 60}


@pytest.mark.parametrize("value", ["Bearer x", "Bearer a.!.c", "Basic !", "Bearer a.W10.c", "Bearer"])
def test_what_is_no_token_has_no_claims(value: str) -> None:
    assert claims(exchange(headers={"Authorization": value})) is None


def test_the_time_left_is_by_the_emulators_clock() -> None:
    assert "(10 s left)" in report([exchange(headers={"Authorization": f"Bearer {TOKEN}"})], URL)


def test_a_report_of_nothing_says_so() -> None:
    assert report([], URL) == f"{URL}: nothing was requested"


def test_the_short_form_names_the_refused() -> None:
    assert short([exchange()]) == "#1 GET /v1/ping -> 401: because"
    assert short([]) == "0 exchanges without errors"


def many(*kinds: tuple[int, int]) -> list[Exchange]:
    """As many exchanges of each status as are given: `(500, 200)` are 500 good ones."""
    found: list[Exchange] = []
    for count, status in kinds:
        for _ in range(count):
            made = exchange("POST", "/v1/identity", body=b'{"a":1}' if status >= 400 else b"")
            why = f"because of {len(found)}" if status >= 400 else ""
            body = b'{"n":%d}' % len(found)
            changes = {"number": len(found) + 1, "status": status, "why": why, "after": len(found) / 1000}
            found.append(structs.replace(made, **changes, response=Message(b"", body, len(body))))
    return found


def test_a_refused_exchange_among_hundreds_is_there_in_full() -> None:
    text = report(many((500, 200), (1, 401), (200, 200)), URL)

    assert "701 exchanges, 1 of them refused" in text
    assert "#501 POST /v1/identity -> 401  (after 0.500 s, 1.2 ms)" in text
    assert "why: because of 500" in text
    assert f"curl -i -X POST {URL}/v1/identity -H Content-Type: --data-raw" in text


def test_equal_exchanges_that_follow_each_other_are_one_line() -> None:
    lines = report(many((482, 200), (1, 401), (3, 200)), URL).splitlines()

    assert [line.partition("->")[0].strip() for line in lines[lines.index("all exchanges:") + 1 :]] == [
        "#1 POST /v1/identity",
        "#483 POST /v1/identity",
        "#484 POST /v1/identity",
    ]
    assert lines[-3].endswith("× 482")
    assert lines[-1].endswith("× 3")


def test_the_last_body_received_is_shown_with_its_json_indented() -> None:
    assert 'last body received:\n  #2\n    {\n      "n": 1\n    }\n' in report(many((2, 200)), URL)


def test_the_first_line_is_the_world_and_the_second_counts() -> None:
    lines = report(many((2, 200)), URL, heading="seed=42 v2.14; again: serve\n--seed 42").splitlines()

    assert lines[:2] == ["seed=42 v2.14; again: serve\\n--seed 42", "2 exchanges, 0 of them refused"]


def test_a_report_says_why_exchanges_are_missing() -> None:
    assert "7 exchanges were dropped; raise journal_bytes" in report(
        many((1, 200)), URL, lost="7 exchanges were dropped; raise journal_bytes"
    )


def test_of_many_refused_exchanges_the_last_are_shown_and_the_others_counted() -> None:
    text = report(many((400, 401)), URL)

    assert "#400 POST" in text
    assert "earlier, for which there is no room" in text


def test_marks_that_turn_the_text_around_are_escaped() -> None:
    made = structs.replace(many((1, 401))[0], why=f"a{BIDI}b", response=Message(b"", f'["{BIDI}"]'.encode(), 7))

    assert BIDI not in report([made], URL)
    assert "\\u202e" in report([made], URL)


def test_a_long_request_is_repeated_by_a_control_route() -> None:
    made = structs.replace(exchange("POST", body=b"a" * 16_384), number=7)

    assert f"curl -s {URL}/_emulator/journal/7/curl | sh" in report([made], URL)


@pytest.mark.parametrize("body", [b"'\\%\n", "é€😀".encode(), b"-n", bytes(range(1, 128))])
def test_a_masked_curl_has_the_very_bytes_of_what_needs_no_mask(body: bytes) -> None:
    assert curl(exchange("POST", body=body), URL) == curl(exchange("POST", body=body), URL, secrets=True)


@pytest.mark.parametrize("body", NO_TEXT)
def test_of_bytes_that_are_no_text_a_report_has_the_size_alone(body: bytes) -> None:
    made = structs.replace(exchange("POST", body=body), status=401, why="x", response=Message(b"", body, len(body)))

    for text in (report([made], URL), curl(made, URL)):
        assert f"{len(body)} bytes that are no text, left out" in text
        assert "hunter22" not in text.replace("\\", "").replace("x00", "").replace("000", "")
    assert curl(made, URL, secrets=True).startswith("printf ")


def test_the_limits_are_settings() -> None:
    text = report(many((400, 401)), URL, lines=30, size=3000)

    assert len(text.splitlines()) <= 30
    assert len(text.encode()) <= 3000
