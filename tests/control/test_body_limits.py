"""How large the bodies of control calls can be."""

import json

import pytest
import requests

from emulator import Emulator
from emulator.control.api import bodies
from tests.control.calls import JSON, call
from tests.raw import exchange
from tests.waiting import PATIENCE

KIB, MIB = 1024, 1024 * 1024

LIMITS = [
    ("POST", "/clock", 64 * KIB),
    ("POST", "/faults", 64 * KIB),
    ("DELETE", "/faults", 64 * KIB),
    ("POST", "/spacetime/tokens", 64 * KIB),
    ("POST", "/intuition/api-keys", 64 * KIB),
    ("DELETE", "/intuition/api-keys", 64 * KIB),
    ("POST", "/intuition/status", 64 * KIB),
    ("POST", "/intuition/lifecycle", 64 * KIB),
    ("POST", "/reset", MIB),
    ("POST", "/scenario", MIB),
    ("PUT", "/snapshot", 64 * MIB),
]


def head(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} /_emulator{path} HTTP/1.1", "Host: 127.0.0.1", JSON, *lines, "", ""]).encode()


@pytest.mark.parametrize(("method", "path", "limit"), LIMITS)
def test_a_longer_body_is_413_before_it_is_sent(emulator: Emulator, method: str, path: str, limit: int) -> None:
    answer = exchange(emulator.url, head(method, path, f"Content-Length: {limit + 1}"))

    words = f"{limit // MIB} MiB" if limit >= MIB else "64 KiB"
    assert (answer.status, json.loads(answer.body)["hint"]) == (413, f"the limit is {words}")


@pytest.mark.parametrize(("method", "path", "limit"), [each for each in LIMITS if each[2] <= MIB])
def test_a_body_of_that_length_is_read(emulator: Emulator, method: str, path: str, limit: int) -> None:
    body = '{"x": 1' + " " * (limit - 8) + "}"

    assert call(emulator.url, method, path, JSON, body=body).status == 400


def test_a_longer_body_in_chunks_is_413_too(emulator: Emulator) -> None:
    block = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    sent = head("POST", "/clock", "Transfer-Encoding: chunked") + 3 * block

    assert exchange(emulator.url, sent).status == 413


def test_the_openapi_document_tells_the_limits(emulator: Emulator) -> None:
    paths = requests.get(f"{emulator.url}/_emulator/openapi.json", timeout=PATIENCE).json()["paths"]
    told = {
        (method, path): paths[f"/_emulator{path}"][method.lower()]["responses"]["413"]["description"]
        for method, path, _ in LIMITS
    }

    assert told == {
        (method, path): f"the body has more than {bodies.in_words(limit)}" for method, path, limit in LIMITS
    }


@pytest.mark.parametrize("body", [b'{"advance": "\xff"}', b"\xff\xfe{\x00", b'{"advance": 1e999}', b"[" * 60_000])
def test_a_body_that_is_no_json_is_400(emulator: Emulator, body: bytes) -> None:
    url = f"{emulator.url}/_emulator/clock"

    answer = requests.post(url, body, headers={"Content-Type": "application/json"}, timeout=PATIENCE)

    assert answer.status_code == 400


MANY: dict[str, str] = {
    "lists": '{"version": 1, "seed": [' + "[]," * 3_100_000 + "[]]}",
    "objects": '{"version": 1, "seed": [' + "{}," * 3_100_000 + "{}]}",
    "numbers": '{"version": 1, "seed": [' + "1," * 3_100_000 + "1]}",
}


@pytest.mark.parametrize("kind", MANY)
def test_a_snapshot_of_very_many_small_values_is_413(emulator: Emulator, kind: str) -> None:
    url = f"{emulator.url}/_emulator/snapshot"

    answer = requests.put(url, MANY[kind], headers={"Content-Type": "application/json"}, timeout=PATIENCE)

    assert (answer.status_code, answer.json()["error"]) == (413, "the body has more than 3000000 values")
