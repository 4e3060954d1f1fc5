"""What the log says, and what it never says."""

import logging
import threading
from typing import Any

import pytest
import requests

from emulator import Emulator, running_in_thread
from tests.conftest import API_KEY
from tests.limits import LIMIT
from tests.raw import exchange, request

JSON = "Content-Type: application/json"
KEY = f"x-api-key: {API_KEY}"
SECRET = "hunter2hunter2"


@pytest.fixture(autouse=True)
def _at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "emulator")


def fields(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [each.__dict__["fields"] for each in caplog.records if each.name == "emulator"]


def told(caplog: pytest.LogCaptureFixture, emulator: Emulator) -> str:
    """All that anybody may read of what was logged and recorded as a reason."""
    reasons = [each.why for each in emulator.journal]
    return "\n".join([each.getMessage() + repr(each.__dict__) for each in caplog.records] + reasons)


def test_a_request_is_one_record_with_all_that_is_known(caplog: pytest.LogCaptureFixture, emulator: Emulator) -> None:
    emulator.faults.add("GET /v1/ping", status=503)
    exchange(emulator.url, request("GET", "/v1/ping?a=b"))

    [found] = fields(caplog)
    assert found.pop("ms") >= 0
    assert found == {
        "event": "request",
        "method": "GET",
        "path": "/v1/ping",
        "status": 503,
        "operation": "spacetime.ping",
        "actor": "",
        "fault": "GET /v1/ping: status: 503",
        "why": "fault: GET /v1/ping: status: 503",
    }


@pytest.mark.parametrize(("target", "level"), [("/v1/ping", logging.DEBUG), ("/nope", logging.INFO)])
def test_what_has_a_reason_is_logged_at_info(
    caplog: pytest.LogCaptureFixture, emulator: Emulator, target: str, level: int
) -> None:
    exchange(emulator.url, request("GET", target))

    assert [each.levelno for each in caplog.records] == [level]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/reset", {"seed": 8}, 200),
        ("POST", "/clock", {"advance": 5}, 200),
        ("DELETE", "/journal", None, 200),
        ("POST", "/spacetime/rotate-key", None, 200),
        ("POST", "/reset", {"sed": 8}, 400),
        ("GET", "/nope", None, 404),
    ],
)
def test_who_changed_something_is_logged(
    caplog: pytest.LogCaptureFixture, emulator: Emulator, method: str, path: str, body: object, status: int
) -> None:
    caplog.set_level(logging.INFO, "emulator")
    url = f"{emulator.url}/_emulator{path}"
    requests.request(method, url, json=body, headers={"User-Agent": "my-test/1"}, timeout=LIMIT)

    [found] = fields(caplog)
    assert (found["event"], found["method"], found["path"]) == ("control", method, f"/_emulator{path}")
    assert found["status"] == status
    assert found["why"].endswith("by 127.0.0.1 my-test/1")


def test_who_only_looked_is_logged_at_debug(caplog: pytest.LogCaptureFixture, emulator: Emulator) -> None:
    requests.get(f"{emulator.url}/_emulator/state", timeout=LIMIT)

    assert [each.levelno for each in caplog.records] == [logging.DEBUG]


LEAKS = {
    "a blank before the colon": f"GET /v1/ping HTTP/1.1\r\nHost: x\r\nAuthorization : {SECRET}\r\n\r\n",
    "a folded line": f"GET /v1/ping HTTP/1.1\r\nHost: x\r\nAuthorization:\r\n {SECRET}\r\n\r\n",
    "a NUL": f"GET /v1/ping HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET}\0\r\n\r\n",
    "an ESC": f"GET /v1/ping HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET}\x1b[31m\r\n\r\n",
    "more than was to come": f"GET /v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n{SECRET}\r\n",
    "a line too long": f"GET /v1/ping HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET}{'x' * 70_000}\r\n\r\n",
    "a length that is none": f"GET /v1/ping HTTP/1.1\r\nHost: x\r\nContent-Length: {SECRET}\r\n\r\n",
    "a status line that is none": f"GET /v1/ping HTTP/1.1 {SECRET}\r\nHost: x\r\n\r\n",
    "a method that is none": f"{SECRET} x y\r\nHost: x\r\n\r\n",
    "a target that is none": f"GET nope?token={SECRET} HTTP/1.1\r\nHost: x\r\n\r\n",
    "a chunk that is none": f"POST /identity HTTP/1.1\r\nHost: x\r\n{KEY}\r\n{JSON}\r\n"
    f"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde{SECRET}\r\n",
    "a key with a dollar": f"POST /identity HTTP/1.1\r\nHost: x\r\nx-api-key: ${SECRET}\r\n\r\n",
    "a key in braces": f"POST /identity HTTP/1.1\r\nHost: x\r\nx-api-key: {{{{{SECRET}}}}}\r\n\r\n",
    "a key of nobody": f"POST /identity HTTP/1.1\r\nHost: x\r\nx-api-key: {SECRET}\r\n\r\n",
    "a key that is in the path too": f"GET /{SECRET}/x HTTP/1.1\r\nHost: x\r\nx-api-key: {SECRET}\r\n\r\n",
    "a bare token": f"POST /v1/identity/websocket-token HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET}\r\n\r\n",
    "a scheme that is a token": f"POST /v1/identity/websocket-token HTTP/1.1\r\nHost: x\r\n"
    f"Authorization: {SECRET} x\r\n\r\n",
    "a key as a scheme": f"POST /identity HTTP/1.1\r\nHost: x\r\nAuthorization: {SECRET} x\r\n\r\n",
    "the query": f"GET /nope?pin={SECRET} HTTP/1.1\r\nHost: x\r\n\r\n",
    "the path": f"GET /nope;sig={SECRET} HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", LEAKS.values(), ids=LEAKS.keys())
def test_no_secret_is_told(caplog: pytest.LogCaptureFixture, emulator: Emulator, sent: str) -> None:
    exchange(emulator.url, sent.encode())
    logged = "\n".join(each.getMessage() + repr(each.__dict__) for each in caplog.records)

    assert len(emulator.journal) == 1
    assert fields(caplog)
    assert SECRET[:8] not in logged


@pytest.mark.parametrize("name", [name for name in LEAKS if "path" not in name])
def test_no_reason_quotes_one(emulator: Emulator, name: str) -> None:
    exchange(emulator.url, LEAKS[name].encode())

    assert SECRET[:8] not in emulator.journal.exchanges[-1].why


FORGED = "x\n2026-01-01T00:00:00.000000Z INFO    POST /forged 200 \x1b[31m\u202e\u2028"


def test_no_claim_or_key_writes_a_line_of_its_own(caplog: pytest.LogCaptureFixture, emulator: Emulator) -> None:
    token = emulator.spacetime.sign({"sub": "a", "iss": FORGED, "iat": 1})
    exchange(emulator.url, request("POST", "/v1/identity/websocket-token", f"Authorization: Bearer {token}"))
    for body in ({"creator": "a", "display_name": {FORGED: 1}}, {FORGED: 1}, [FORGED], FORGED, {"creator": FORGED}):
        requests.post(f"{emulator.url}/identity", json=body, headers={"x-api-key": API_KEY}, timeout=LIMIT)

    assert len(fields(caplog)) == 6
    assert [each for each in caplog.records if not each.getMessage().isprintable()] == []
    assert [each.why for each in emulator.journal if not each.why.isprintable()] == []


def test_a_reason_is_not_as_long_as_what_it_quotes(caplog: pytest.LogCaptureFixture, emulator: Emulator) -> None:
    token = emulator.spacetime.sign({"sub": "a", "iss": "x" * 30_000, "iat": 1})
    exchange(emulator.url, request("POST", "/v1/identity/websocket-token", f"Authorization: Bearer {token}"))

    assert len(emulator.journal.exchanges[-1].why) == 2000
    assert len(caplog.records[0].getMessage()) < 1000


def test_without_a_handler_nobody_makes_a_line(emulator: Emulator) -> None:
    assert logging.getLogger("emulator").handlers == []


def test_no_thread_but_the_servers_runs() -> None:
    before = threading.enumerate()
    with running_in_thread() as emulator:
        exchange(emulator.url, request("GET", "/nope"))
        assert [each.name for each in threading.enumerate() if each not in before] == ["identity-emulator"]
