"""The cause of a difference, in words."""

import pytest

from emulator.conformance.causes import cause
from emulator.conformance.compare import MINTED, Difference, difference
from tests.unit.conformance.test_tokens import token

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nallow: GET,HEAD\r\ncontent-length: 5\r\n\r\n"
OK = HEAD + b"hello"
JSON = b'HTTP/1.1 200 OK\r\n\r\n{"code":401,"error":"it is missing","rows":[1]}'


def said(expected: bytes, *found: bytes, masks: tuple[str, ...] = ()) -> str:
    wrong = difference(expected, found, masks)
    assert wrong is not None
    return cause(wrong)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"200 OK", b"404 OK", "the status is `404`, not `200`"),
        (b"HTTP/1.1", b"HTTP/1.0", "the response's protocol is `HTTP/1.0`, not `HTTP/1.1`"),
        (b"200 OK", b"200 Fine", "the reason beside the status is `Fine`, not `OK`"),
        (b"HTTP/1.1 200 OK", b"SSH-2.0", "what comes is no HTTP response"),
        (b"allow: GET,HEAD\r\n", b"", "the head lacks `allow`"),
        (b"\r\nallow", b"\r\nserver: x\r\nvia: y\r\nallow", "the head has `server`, `via`, which is not expected"),
        (b"allow: GET,HEAD\r\n", b"allow: GET,HEAD\r\nallow: PUT\r\n", "the head has `allow`, which is not expected"),
        (
            b"content-type: text/plain\r\nallow: GET,HEAD",
            b"allow: GET,HEAD\r\ncontent-type: text/plain",
            "the head has `content-type` in another place",
        ),
        (b"text/plain", b"text/html", "`content-type` in the head is `text/html`, not `text/plain`"),
        (b"GET,HEAD", b"GET", "`allow` in the head is `GET`, not `GET,HEAD`"),
        (b"GET,HEAD", b"GET,PUT,HEAD", "`allow` in the head has `PUT`, which is not expected"),
        (b"GET,HEAD", b"GET, HEAD", "`allow` in the head is `GET, HEAD`, not `GET,HEAD`"),
        (b"content-type", b"Content-Type", "the head has `content-type` written in another way"),
        (b"content-length: 5", b"content-length: 6", "`content-length` in the head is `6`, not `5`"),
        (b"content-length: 5", b"transfer-encoding: chunked", "the body is sent in chunks, not with `content-length`"),
        (b"hello", b"hullo", "the body's text has `hullo` where `hello` is expected"),
        (b"hello", b"hello, you", "the body's text has `, ` where its end is expected"),
        (b"hello", b"", "the body is empty"),
    ],
)
def test_what_differs_is_named(old: bytes, new: bytes, words: str) -> None:
    assert said(OK, OK.replace(old, new)) == words


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"code":401,', b"", "the JSON of the body lacks `code`"),
        (b'"code":401', b'"code":401,"id":1', "the JSON of the body has `id`, which is not expected"),
        (b'"code":401', b'"code":403', "`code` in the JSON of the body is `403`, not `401`"),
        (b"it is missing", b"it is wrong", "`error` in the JSON of the body is `it is wrong`, not `it is missing`"),
        (b"[1]", b"[2]", "`rows` in the JSON of the body has another value"),
        (b":401", b": 401", "the JSON of the body is written in another way"),
    ],
)
def test_of_a_json_body_the_member_is_named(old: bytes, new: bytes, words: str) -> None:
    assert said(JSON, JSON.replace(old, new)) == words


DATE = b"date: Thu, 26 Nov 2026 20:11:49 GMT\r\n"
IDENTITY = "c2" * 32


def with_token(claims: str, *, in_head: bool) -> bytes:
    """A response with a token for a new identity, in its body or its head."""
    made = token(f'{{"hex_identity":"{IDENTITY}","sub":"0c0c0c0c-0c0c-4c0c-8c0c-0c0c0c0c0c0c"{claims}}}')
    if not in_head:
        return b'HTTP/1.1 200 OK\r\n%b\r\n{"identity":"%b","token":"%b"}' % (DATE, IDENTITY.encode(), made)
    names = b"spacetime-identity: %b\r\nspacetime-identity-token: %b\r\n" % (IDENTITY.encode(), made)
    return b"HTTP/1.1 404 Not Found\r\n%b%b\r\n" % (names, DATE)


@pytest.mark.parametrize("in_head", [False, True])
@pytest.mark.parametrize(
    ("expected", "found", "words"),
    [
        (',"exp":null', "", "the payload of a token lacks `exp`"),
        ("", ',"exp":null', "the payload of a token has `exp`, which is not expected"),
        (',"exp":null', ',"exp":1795727509', "`exp` in the payload of a token is `<number>`, not `null`"),
        (',"iat":1795723909', ',"iat":1795720000', "`iat` in the payload of a token is `<number>`, not `<now>`"),
    ],
)
def test_of_a_token_the_claim_is_named_wherever_the_token_is(
    expected: str, found: str, words: str, in_head: bool
) -> None:
    one, other = (with_token(claims, in_head=in_head) for claims in (expected, found))

    assert said(one, other, masks=MINTED) == words


def test_a_response_that_is_missing_or_one_too_many_is_named() -> None:
    assert said(OK) == "there is no response"
    assert said(OK, OK, OK) == "there is a response more than expected: `HTTP/1.1 200 OK`"


def test_what_varies_from_case_to_case_does_not_tell_causes_apart() -> None:
    one, other = (
        said(OK.replace(b"hello", b"Expired at %d" % time), OK.replace(b"hello", b"Expired at %d" % (time + 1)))
        for time in (1795723909, 1795724000)
    )

    assert one == other


@pytest.mark.parametrize(
    ("expected", "found", "words"),
    [
        (b"82 abc", b"82 abd", "the payload of a binary frame is another"),
        (b"82 abc", b"88 \x03\xea", "on the WebSocket comes a close frame, not a binary frame"),
        (b"more", b"nothing", "on the WebSocket comes nothing, not more"),
        (b"the end of the connection", b"c1 x", "on the WebSocket comes a frame that begins with c1, not the end"),
    ],
)
def test_a_frame_is_named_by_its_kind(expected: bytes, found: bytes, words: str) -> None:
    assert cause(Difference("frame", expected, found, (expected, found))).startswith(words)


def test_the_end_of_a_connection_is_told() -> None:
    wrong = Difference("connection", b"the connection ends", b"the connection stays open", (b"", b""))

    assert cause(wrong) == "the connection stays open; expected: the connection ends"
