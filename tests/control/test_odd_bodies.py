"""Bodies of control routes that are no UTF-8, or have numbers that Python makes no integer of: always a 400."""

import pytest
import requests

from emulator import Emulator
from emulator.control.api.routes import OPERATIONS
from tests.waiting import PATIENCE

LONG = b"9" * 5000
BODIES = {
    "no UTF-8": b'{"seed": "\xff"}',
    "no UTF-8 in a key": b'{"\xff": 1}',
    "nothing but no UTF-8": b"\xff",
    "UTF-16": '{"seed": 7}'.encode("utf-16"),
    "half a surrogate": b'{"seed": "\\ud800"}',
    "a long number": b'{"seed": %b}' % LONG,
    "a long number below zero": b'{"x": [-%b]}' % LONG,
    "a long exponent": b'{"x": 1e%b}' % LONG,
}
TAKE_A_BODY = ["/reset", "/scenario", "/clock", "/faults", "/spacetime/tokens", "/spacetime/databases"]
TAKE_A_BODY += ["/spacetime/reducers", "/intuition/api-keys", "/intuition/status", "/intuition/lifecycle", "/stubs"]
TAKE_A_BODY += ["/issuers", *(f"/issuers/:n/{what}" for what in ("tokens", "rotate-key", "publish", "condition"))]
TAKE_A_BODY += ["/worlds"]
TAKE_A_BODY += ["/spacetime/tokens/inspect"]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", TAKE_A_BODY)
def test_it_is_refused(emulator: Emulator, path: str, body: bytes) -> None:
    answer = steer(emulator, "POST", path, body)

    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/snapshot"), ("DELETE", "/faults"), ("DELETE", "/intuition/api-keys")]
)
def test_it_is_refused_elsewhere_too(emulator: Emulator, method: str, path: str, body: bytes) -> None:
    assert steer(emulator, method, path, body).status_code == 400


def test_these_are_the_routes_that_take_a_body() -> None:
    posts = {each.paths[0].removeprefix("/_emulator") for each in OPERATIONS if each.method == "POST"}

    assert posts - set(TAKE_A_BODY) == {"/spacetime/rotate-key"}


@pytest.mark.parametrize("move", ['{"advance": 1e300}', '{"advance": 3e11}', '{"skew": 3e11}', '{"skew": -1e300}'])
def test_a_move_of_the_clock_out_of_its_years_changes_nothing(emulator: Emulator, move: str) -> None:
    emulator.clock.freeze("2024-02-15T05:47:17Z")
    if "skew" in move:
        emulator.clock.resume()
        emulator.clock.skew(0)
    before = emulator.clock.frozen

    assert steer(emulator, "POST", "/clock", move.encode()).status_code == 400
    assert emulator.clock.frozen == before


def test_a_world_at_the_end_of_its_time_goes_on_answering(emulator: Emulator) -> None:
    emulator.clock.freeze("9999-12-31T23:59:58.999999Z")
    emulator.clock.resume()
    emulator.faults.add("GET /v1/ping", delay=1e9, on_clock=True)
    while not emulator.clock.frozen:  # a second
        requests.get(f"{emulator.url}/v1/health", timeout=PATIENCE)

    assert requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE).status_code == 200
    assert requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE).status_code == 200
    document = steer(emulator, "GET", "/snapshot", b"").text
    assert steer(emulator, "PUT", "/snapshot", document.encode()).status_code == 200
    assert steer(emulator, "GET", "/clock", b"").json() == {"now": "9999-12-31T23:59:59.000000Z", "frozen": True}


def steer(emulator: Emulator, method: str, path: str, body: bytes) -> requests.Response:
    headers = {"Content-Type": "application/json"} if body else {}
    return requests.request(method, f"{emulator.url}/_emulator{path}", data=body, headers=headers, timeout=PATIENCE)
