"""What counts as a difference between two responses, and what a mask hides."""

import json
from base64 import urlsafe_b64encode

import pytest

from emulator.conformance.compare import MINTED, difference, responses_in

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1\r\ndate: %s\r\n\r\n"
BEFORE, AT, LATER = (b"Thu, 26 Nov 2026 20:11:%d GMT" % second for second in (48, 49, 50))
RESPONSE = HEAD % AT + b"x"
NOW = 1_795_723_909


def test_equal_responses_do_not_differ() -> None:
    assert difference(RESPONSE, [RESPONSE], ()) is None


@pytest.mark.parametrize(
    ("change", "to"),
    [
        (b"200 OK", b"200 Fine"),
        (b"content-type", b"Content-Type"),
        (b"text/plain\r\n", b"text/plain\r\nserver: x\r\n"),
        (b"\r\n\r\nx", b"\r\n\r\ny"),
        (b"content-type: text/plain\r\ncontent-length: 1", b"content-length: 1\r\ncontent-type: text/plain"),
    ],
    ids=["reason", "case", "one more", "body", "order"],
)
def test_every_byte_counts(change: bytes, to: bytes) -> None:
    assert difference(RESPONSE, [RESPONSE.replace(change, to)], MINTED)


def test_a_difference_is_told_by_the_line_and_not_by_its_length() -> None:
    other = RESPONSE.replace(b"content-length: 1", b"content-length: 2").replace(b"\r\n\r\nx", b"\r\n\r\nyy")

    assert str(difference(RESPONSE, [other], MINTED)) == "b'yy', not b'x'"


def test_a_missing_response_is_a_difference() -> None:
    assert difference(RESPONSE, [], MINTED)


def test_one_response_too_many_is_a_difference() -> None:
    assert difference(RESPONSE, [RESPONSE, RESPONSE], MINTED)


def test_responses_on_one_connection_are_told_apart() -> None:
    assert responses_in(RESPONSE * 3) == [RESPONSE] * 3


def test_the_date_is_masked_by_name() -> None:
    assert difference(RESPONSE, [HEAD % LATER + b"x"], ())
    assert difference(RESPONSE, [HEAD % LATER + b"x"], ("date",)) is None


def test_headers_that_were_not_recorded_are_masked_by_name() -> None:
    brief = b"HTTP/1.1 200 \r\ncontent-type: text/plain\r\n\r\nx"

    assert difference(brief, [RESPONSE], ("other headers", "reason")) is None


# --- tokens -----------------------------------------------------------------------------------------------------------


def answer(*, at: bytes = AT, signature: str = "a" * 86, claims: str = "", life: int = 60) -> bytes:
    payload = f'{{"hex_identity":"c2","sub":"s","iat":{NOW},"exp":{NOW + life}{claims}}}'
    parts = [urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in ('{"alg":"ES256"}', payload)]
    return HEAD % at + json.dumps({"token": ".".join([*parts, signature])}, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("recorded", "other"),
    [
        (answer(), answer(signature="b" * 86)),
        (answer(claims=',"a":1.50,"b":2'), answer(claims=',"b":2,"a":1.50')),
        (answer(), answer(at=BEFORE)),
    ],
    ids=["signature", "order of the caller's claims", "rounded up"],
)
def test_what_is_minted_may_vary(recorded: bytes, other: bytes) -> None:
    assert difference(recorded, [other], MINTED) is None


@pytest.mark.parametrize("second", [b"12:49", b"11:50", b"11:47"], ids=["old", "a second before", "two seconds after"])
def test_a_token_is_as_old_as_the_response(second: bytes) -> None:
    assert difference(answer(), [answer(at=b"Thu, 26 Nov 2026 20:%b GMT" % second)], MINTED)


@pytest.mark.parametrize(
    ("one", "other"),
    [(',"a":1.50', ',"a":1.5'), (',"a":{}', ',"a":[]'), (',"a":"1"', ',"a":1'), (',"a":1,"a":1', ',"a":1')],
)
def test_the_text_of_a_claim_counts(one: str, other: str) -> None:
    assert difference(answer(claims=one), [answer(claims=other)], MINTED)


def test_a_token_is_valid_for_exactly_as_long() -> None:
    assert difference(answer(), [answer(life=61)], MINTED)


def test_a_created_identity_is_random_and_the_same_in_answer_and_token() -> None:
    assert difference(_created("ab"), [_created("cd")], MINTED) is None
    assert difference(_created("ab"), [_created("cd", "ef")], MINTED)


def _created(identity: str, claimed: str = "") -> bytes:
    number = int(identity, 16)
    payload = {"hex_identity": (claimed or identity) * 32, "sub": f"feaf38fa-{number:04x}-457d-83b3-71b2096b590b"}
    token = urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    body = {"identity": identity * 32, "token": f"e30.{token}.{'a' * 86}"}
    return HEAD % AT + json.dumps(body, separators=(",", ":")).encode()


_SUBJECT = '"feaf38fa-0001-457d-83b3-71b2096b590b"'


def with_token(token: bytes, *, at: bytes = AT) -> bytes:
    return HEAD % at + b'{"identity":"%b","token":"%b"}' % (b"ab" * 32, token)


def segment(text: str) -> bytes:
    return urlsafe_b64encode(text.encode()).rstrip(b"=")


@pytest.mark.parametrize(
    "found",
    [
        with_token(b"!!.??." + b"x" * 86),
        with_token(b"eyJhIjox.eyJhIjox." + b"x" * 86),
        with_token(b"e30.x." + b"x" * 86),
        with_token(b"e30._w." + b"x" * 86),
        with_token(b"e30.%b.%b" % (segment("[1,2]"), b"x" * 86)),
        with_token(b"e30.%b.%b" % (segment(f'[["hex_identity","{"ab" * 32}"],["sub",{_SUBJECT}]]'), b"x" * 86)),
        with_token(b"e30.%b.%b" % (segment("[" * 5_000), b"x" * 86)),
        with_token(b"e30.e30." + b"x" * 86, at=b"yesterday, or so"),
        with_token(b"e30.e30." + b"x" * 86, at=b"Thu, 26 Nov 99999 20:11:49 GMT"),
        HEAD.replace(b"date", b"spacetime-identity-token: notatoken\r\ndate") % AT + b"{}",
        HEAD.replace(b"date", b"spacetime-identity-token: a.b\r\ndate") % AT + b"{}",
        HEAD.replace(b"date", b"spacetime-identity-token: a.\xff.c\r\ndate") % AT + b"{}",
    ],
    ids=[
        "no base64url",
        "half an object",
        "half a byte",
        "no UTF-8",
        "a list",
        "a list of pairs",
        "nesting",
        "no date",
        "a date that is none",
        "a header without segments",
        "a header of two",
        "a header with other bytes",
    ],
)
def test_what_is_malformed_differs(found: bytes) -> None:
    assert difference(_created("ab"), [found], MINTED)


# --- what a page says -------------------------------------------------------------------------------------------------


def of_a_page(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join((b"HTTP/1.1 200 OK", *headers, b"", body))


@pytest.mark.parametrize(
    ("mask", "said", "found"),
    [
        ("values", b'{"a":"b","c":1}', b'{ "a": "other", "c": 2 }'),
        ("values", b'{"token":"eyJ0.eyJ0.c2ln"}', b'{"token":"eyJ1.eyJ1.c2lo"}'),
        ("values", b'{"data":[{"a":1}]}', b'{"data":[{"a":2},{"a":3}]}'),
        ("blanks", b'{"a":"b","c":[1,2]}', b'{"a": "b", "c": [1, 2]}\n'),
        (
            "row",
            b'{"id":"f9","identity_hash":"x","created_at":"2024-02-15T05:47:17.289011Z","vault_id":"1"}',
            b'{"id":"0b","identity_hash":"0x12","created_at":"2026-11-27T05:20:00.000000Z","vault_id":"77"}',
        ),
    ],
)
def test_what_a_page_leaves_open_may_vary(mask: str, said: bytes, found: bytes) -> None:
    assert difference(of_a_page(said), [of_a_page(found)], (mask,)) is None


@pytest.mark.parametrize(
    ("mask", "said", "found"),
    [
        ("values", b'{"a":"b","c":1}', b'{"c":1,"a":"b"}'),
        ("values", b'{"a":"1"}', b'{"a":1}'),
        ("values", b'{"a":null}', b"{}"),
        ("values", b'{"token":"eyJ0.eyJ0.c2ln"}', b'{"token":"opaque"}'),
        ("values", b'{"data":[]}', b'{"data":[1]}'),
        ("values", b'{"a":"b"}', b"no JSON"),
        ("blanks", b'{"a":"b"}', b'{"a":"B"}'),
        ("row", b'{"created_at":"2024-02-15T05:47:17.289011Z"}', b'{"created_at":"2024-02-15T05:47:17Z"}'),
        ("row", b'{"status":"complete"}', b'{"status":"pending"}'),
    ],
)
def test_what_a_page_says_counts(mask: str, said: bytes, found: bytes) -> None:
    assert difference(of_a_page(said), [of_a_page(found)], (mask,))


def test_chunks_and_the_case_of_names_were_not_noted_where_other_headers_were_not() -> None:
    said = of_a_page(b"hello world", b"content-type: text/plain")
    found = of_a_page(
        b"6;x=y\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n", b"Content-Type: text/plain", b"Transfer-Encoding: chunked"
    )

    assert difference(said, [found], ("other headers",)) is None
