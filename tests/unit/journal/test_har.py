"""The journal as HAR 1.2, against the schema of npm's har-schema."""

import gzip
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from referencing import Registry, Resource

from emulator.journal.exchange import Exchange, Message, head_of
from emulator.journal.frames import Frame, Frames
from emulator.journal.har import har
from tests.unit.journal.test_shown import NO_TEXT

DATA = Path(__file__).parents[2] / "data" / "har-1.2-schema.json.gz"
URL = "http://127.0.0.1:3000"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6NjB9.c2ln"
JSON = {"content-type": "application/json"}


def message(body: bytes = b"", size: int | None = None, **headers: str) -> Message:
    head = head_of((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return Message(head, body, len(body) if size is None else size)


def exchange(
    method: str = "GET", target: str = "/v1/ping", sent: Message | None = None, got: Message | None = None, **more: Any
) -> Exchange:
    status, why = more.pop("status", 200), more.pop("why", "")
    return Exchange(
        3, method, target, "", sent or message(), status, got or message(), why, 1_700_000_000_250_000, 0.0125, **more
    )


def entry(made: Exchange, *, secrets: bool = False) -> Any:
    [found] = har([made], URL, secrets=secrets)["log"]["entries"]
    return found


def websocket() -> Frames:
    frames = Frames()
    frames.add(Frame("server", 1_700_000_001_500_000, "text", f'{{"token": "{TOKEN}"}}', 20))
    frames.add(Frame("client", 1_700_000_002_000_000, "binary", "Subscribe é", 9))
    frames.add(Frame("client", 1_700_000_002_000_000, "close", "1000", 2))
    return frames


@pytest.mark.parametrize("body", NO_TEXT)
def test_bytes_that_are_no_text_are_left_out(body: bytes) -> None:
    found = entry(exchange("POST", sent=message(body), got=message(body)))

    left_out = f"{len(body)} bytes that are no text, left out"
    assert found["request"]["postData"]["text"].startswith(left_out)
    assert found["response"]["content"]["text"].startswith(left_out)


ODD = [
    exchange(),
    exchange("OPTIONS", "*"),
    exchange("GET", "http://elsewhere/a b?%zz=[1]&é#x"),
    exchange("PÖST", "/a\udcff?b=c&d&=&&", sent=message(b"\xff\xfe", x_api_key="0000-1111-2222")),
    exchange(status=0, fault="hang", actor="alice"),
    exchange(status=599, why="because"),
    exchange(status=101, websocket=websocket()),
    exchange("POST", sent=message(b'{"a": 1}', 20_000, content_type="application/json"), got=message(b"x" * 9, 99)),
]


def test_it_is_valid_har() -> None:
    schemas = json.loads(gzip.decompress(DATA.read_bytes()))
    registry: Registry[Any] = Registry().with_resources((each["$id"], Resource.from_contents(each)) for each in schemas)
    whole = {"$schema": "http://json-schema.org/draft-06/schema#", "$ref": "har.json#"}
    validator = jsonschema.Draft6Validator(whole, registry=registry, format_checker=jsonschema.FormatChecker())

    document = json.loads(json.dumps(har(ODD, URL), ensure_ascii=True))
    assert [error.message for error in validator.iter_errors(document)] == []
    assert len(document["log"]["entries"]) == len(ODD)


def test_an_empty_journal_is_an_empty_log() -> None:
    log = har([], URL)["log"]

    assert (log["version"], log["creator"]["name"], log["entries"]) == ("1.2", "identity-emulator", [])


def test_time_and_timings_are_in_milliseconds_and_the_moment_is_the_emulators() -> None:
    found = entry(exchange())

    assert found["startedDateTime"] == "2023-11-14T22:13:20.250000Z"
    assert (found["time"], found["timings"]) == (12.5, {"send": 0, "wait": 12.5, "receive": 0})


def test_the_reason_is_a_comment_and_the_rest_are_members_of_our_own() -> None:
    found = entry(exchange(status=503, why="fault: status 503", fault="status 503", actor="alice"))

    assert found["comment"] == "fault: status 503"
    assert (found["_number"], found["_fault"], found["_actor"]) == (3, "status 503", "alice")
    assert found["response"]["statusText"] == "Service Unavailable"


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/v1/ping", f"{URL}/v1/ping"),
        ("/a%20b?c=%41", f"{URL}/a%20b?c=%41"),
        ("/a b?%zz=[1]", f"{URL}/a%20b?%25zz=%5B1%5D"),
        ("*", f"{URL}/*"),
    ],
)
def test_the_address_is_a_uri(target: str, url: str) -> None:
    assert entry(exchange(target=target))["request"]["url"] == url


def test_the_query_is_decoded() -> None:
    found = entry(exchange(target="/identities?creator=a%20b&limit=&x"))

    assert found["request"]["queryString"] == [
        {"name": "creator", "value": "a b"},
        {"name": "limit", "value": ""},
        {"name": "x", "value": ""},
    ]


SECRET = exchange(
    "POST",
    f"/v1/database/chat/subscribe?token={TOKEN}",
    sent=message(b'{"password": "hunter2"}', authorization=f"Bearer {TOKEN}", x_api_key="0000-1111-2222"),
    got=message(f'{{"token":"{TOKEN}","echo":"0000-1111-2222"}}'.encode(), set_cookie="a=b"),
    websocket=websocket(),
)


def test_secrets_are_masked_wherever_they_are() -> None:
    text = json.dumps(entry(SECRET))

    assert not [secret for secret in (TOKEN, "hunter2", "0000-1111-2222", "a=b") if secret in text]
    assert {"name": "authorization", "value": "Bearer ***"} in entry(SECRET)["request"]["headers"]


def test_secrets_are_there_when_asked_for() -> None:
    found = entry(SECRET, secrets=True)

    assert {"name": "authorization", "value": f"Bearer {TOKEN}"} in found["request"]["headers"]
    assert found["request"]["postData"]["text"] == '{"password": "hunter2"}'
    assert {"name": "token", "value": TOKEN} in found["request"]["queryString"]


def test_frames_are_as_chromium_writes_them() -> None:
    found = entry(exchange(status=101, websocket=websocket()), secrets=True)

    assert found["_resourceType"] == "websocket"
    text, binary, close = found["_webSocketMessages"]
    assert text == {"type": "receive", "time": 1_700_000_001.5, "opcode": 1, "data": f'{{"token": "{TOKEN}"}}'}
    assert (binary["type"], binary["opcode"], b64decode(binary["data"]).decode()) == ("send", 2, "Subscribe é")
    assert (close["opcode"], close["data"]) == (8, "1000")


def test_a_body_that_was_cut_says_so() -> None:
    found = entry(exchange("POST", sent=message(b"12345", 20_000, content_type="text/plain")))

    assert found["request"]["bodySize"] == 20_000
    assert found["request"]["postData"] == {
        "mimeType": "text/plain",
        "text": "12345",
        "comment": "20000 bytes, of which 5 were kept",
    }
