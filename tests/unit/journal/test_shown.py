"""What others get to see of exchanges: everything, or without secrets."""

import gzip
import zlib
from typing import Any

import msgspec
import pytest

from emulator.journal.exchange import Exchange, Message, head_of
from emulator.journal.frames import Frame, Frames
from emulator.journal.shown import Shown

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6NjB9.c2ln"
KEY = "0000-1111-2222-3333"
NOTHING = Message(b"", b"", 0)


def exchange(body: bytes = b"", **changes: Any) -> Exchange:
    head = head_of([(b"Authorization", f"Bearer {TOKEN}".encode()), (b"X-Api-Key", KEY.encode())])
    sent, got = Message(head, body, len(body)), Message(b"", KEY.encode(), 20)
    given = {"operation": "", "why": f"because of {KEY}", **changes}
    return Exchange(1, "GET", f"/a/{KEY}?token={TOKEN}&b=c", "", sent, 401, got, given["why"], 0, 0.0)


def test_secrets_are_nowhere_in_an_exchange() -> None:
    made = exchange(f'{{"password": "hunter22", "note": "{KEY}"}}'.encode())

    found = Shown.of([made], secrets=False).exchange(made)

    assert (found["path"], found["query"], found["why"]) == ("/a/***", "token=***&b=c", "because of ***")
    assert found["request"]["headers"] == [("Authorization", "Bearer ***"), ("X-Api-Key", "***")]
    assert found["request"]["body"] == '{"password": "***", "note": "***"}'
    assert found["response"]["body"] == "***"


def test_asked_for_they_are_as_they_were_sent() -> None:
    made = exchange(b"\xff")

    assert Shown.of([made], secrets=True).exchange(made) == made.to_json()


def test_a_secret_sent_once_is_masked_in_every_exchange() -> None:
    later = Exchange(2, "GET", f"/b/{KEY}", "", Message(b"", b"", 0), 200, Message(b"", b"", 0), "", 0, 0.0)

    assert Shown.of([exchange(), later], secrets=False).exchange(later)["path"] == "/b/***"


def test_a_secret_is_masked_however_many_longer_ones_were_sent() -> None:
    many = [
        Exchange(2, "GET", "/", "", Message(head_of([(b"x-key", b"%050d" % place)]), b"", 0), 200, NOTHING, "", 0, 0.0)
        for place in range(200)
    ]

    assert Shown.of([exchange(), *many], secrets=False).exchange(exchange())["path"] == "/a/***"


HIDDEN = b'{"password": "hunter22"}'
NO_TEXT = [
    HIDDEN.decode().encode("utf-16"),
    HIDDEN.decode().encode("utf-16-le"),
    HIDDEN.decode().encode("utf-32-be"),
    gzip.compress(HIDDEN, mtime=0),
    zlib.compress(HIDDEN),
    HIDDEN.replace(b"ssw", b"ss\xffw"),
    HIDDEN.replace(b"ssw", b"ss\0w"),
    b"\xff" + KEY.encode(),
]


@pytest.mark.parametrize("body", NO_TEXT)
def test_bytes_that_are_no_text_are_left_out(body: bytes) -> None:
    made = exchange(body)

    found = Shown.of([made], secrets=False).exchange(made)["request"]

    left_out = "bytes that are no text, left out: they may hold secrets; use secrets=True or --secrets to see them"
    assert found["body"] == f"{len(body)} {left_out}"
    assert "base64" not in found


def test_a_text_that_is_cut_inside_a_character_is_still_shown() -> None:
    kept = b'{"password": "hunter22"}' + "é".encode()[:1]
    made = exchange()
    made = msgspec.structs.replace(made, request=Message(b"", kept, 20_000))

    body = Shown.of([made], secrets=False).exchange(made)["request"]["body"]

    assert body.startswith('{"password": "***"}')


def test_frames_are_masked() -> None:
    frames = Frames()
    frames.add(Frame("server", 0, "text", f'{{"token": "{TOKEN}"}}', 20))
    made = Exchange(1, "GET", "/", "", Message(b"", b"", 0), 101, Message(b"", b"", 0), "", 0, 0.0, websocket=frames)

    [frame] = Shown.of([made], secrets=False).exchange(made)["websocket"]["frames"]

    assert frame["text"] == '{"token": "***"}'
    assert frames.kept[0].text == f'{{"token": "{TOKEN}"}}'


def test_a_value_is_masked_by_the_name_of_its_member() -> None:
    value = {
        "api_key": "short",
        "rotate_key": True,
        "n": 1,
        "deep": [{"token": "x"}, f"see {TOKEN}"],
        "empty": {"key": ""},
    }

    assert Shown(mask=True, known=()).json(value) == {
        "api_key": "***",
        "rotate_key": True,
        "n": 1,
        "deep": [{"token": "***"}, "see ***"],
        "empty": {"key": ""},
    }
