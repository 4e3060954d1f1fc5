"""The recorded answers of tests/data, byte for byte under `v2`."""

import re
from base64 import b64decode
from typing import Any

import pytest

from emulator import Emulator
from tests.conftest import data
from tests.raw import RawAnswer, exchange

# What aiohttp's parser refuses before anybody is asked; docs/fidelity.md says so.
BEYOND_THE_PARSER = {"missing Host", "line feeds only", "unknown method", "raw UTF-8 path"}

Row = dict[str, Any]


def rows(compare: str) -> list[Any]:
    return [
        pytest.param(row, id=row["name"])
        for row in data("http_raw.json")["rows"]
        if row["compare"] == compare and row["name"] not in BEYOND_THE_PARSER
    ]


def request_of(row: Row) -> bytes:
    if "request_b64" in row:
        return b64decode(row["request_b64"])
    return b"GET /v1/ping HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 500_000 + b"\r\n\r\n"  # described, not stored


def response_of(row: Row) -> RawAnswer:
    head, blank, body = b64decode(row["response_b64"]).partition(b"\r\n\r\n")
    return RawAnswer(head + blank, body)


@pytest.mark.parametrize("row", rows("all"))
def test_the_whole_answer_is_the_recorded_one(v2: Emulator, row: Row) -> None:
    answer = exchange(v2.url, request_of(row))

    assert answer.whole == response_of(row).whole


@pytest.mark.parametrize("row", rows("head"))
def test_the_head_is_the_recorded_one(v2: Emulator, row: Row) -> None:
    answer = exchange(v2.url, request_of(row))

    assert _without_length(answer.head) == _without_length(response_of(row).head)


def _without_length(head: bytes) -> bytes:
    return re.sub(rb"content-length: \d+\r\n", b"", head)


@pytest.mark.parametrize("kind", ["payload", "header", "segments", "path"])
def test_every_recorded_mutation_gets_the_recorded_status_and_text(v2: Emulator, kind: str) -> None:
    different = []
    for row_kind, request, status, content_type, body in data("fuzz_open.json")["rows"]:
        if row_kind != kind:
            continue
        answer = exchange(v2.url, b64decode(request))
        expected = (int(status), content_type, None if body is None else b64decode(body))
        if (answer.status, answer.header("content-type"), None if body is None else answer.body) != expected:
            different.append((b64decode(request), answer.whole, expected))

    assert different == []
