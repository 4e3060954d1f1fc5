"""Control routes of a server started by the command: without access, nothing can be read or changed."""

import json
from collections.abc import Iterable, Iterator

import pytest

from emulator import Misconfigured
from emulator.control.api.routes import OPERATIONS
from emulator.http.operation import Operation
from emulator.server.listening import listen
from tests.cli.command import serving
from tests.limits import LIMIT
from tests.raw import RawAnswer, exchange, request

TOKEN = "s3cret"
FREEZE = ("--freeze-at", "2024-02-15T05:47:17Z", "--seed", "7", "--port", "0")
MARK = "only-in-the-journal"

BODIES = {
    "control.reset": {"seed": 8},
    "control.move_clock": {"advance": 60},
    "control.add_fault": {"request": "POST /identity", "do": {"status": 503}},
    "control.sign_token": {"subject": "alice"},
    "control.issue_api_key": {"wallet": "0x81"},
    "control.revoke_api_key": {"key": "00000000-0000-4000-8000-000000000001"},
    "control.move_identity": {"identity": "1", "status": "error"},
    "control.set_lifecycle": {"pending": True},
}
"""Of the calls that need one."""

WRITES = [each for each in OPERATIONS if each.method != "GET"]


@pytest.fixture(scope="module")
def loopback() -> Iterator[str]:
    with serving(*FREEZE) as (_, ready):
        yield ready["url"]


@pytest.fixture(scope="module")
def beyond() -> Iterator[str]:
    """Reachable by others, so that a token is needed."""
    with serving(*FREEZE, "--host", "0.0.0.0", "--control-token", TOKEN) as (_, ready):
        yield ready["url"]


def ask(
    url: str,
    operation: Operation,
    host: str = "127.0.0.1:3000",
    headers: tuple[str, ...] = (),
    content_type: str = "application/json",
) -> RawAnswer:
    """A control call that does something where it is let in."""
    body = json.dumps(BODIES.get(operation.name, {})) if operation.method != "GET" else ""
    lines = [f"{operation.method} {operation.paths[0].replace(':n', '1')} HTTP/1.1", f"Host: {host}", *headers]
    lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}", "", body]
    return exchange(url, "\r\n".join(lines).encode(), timeout=LIMIT)


def marked(url: str) -> list[str]:
    """All that the control routes could change, with something in the journal that a stranger would like to read."""
    exchange(url, request("GET", f"/v1/ping?{MARK}"), timeout=LIMIT)
    return remembered(url)


def remembered(url: str) -> list[str]:
    paths = ("health", "state", "clock", "faults", "journal")
    header = f"X-Emulator-Token: {TOKEN}"
    return [exchange(url, request("GET", f"/_emulator/{path}", header), timeout=LIMIT).body.decode() for path in paths]


def assert_refused(url: str, answers: Iterable[RawAnswer], before: list[str], status: int) -> None:
    for answer in answers:
        assert answer.status == status, answer.body
        assert answer.names == ["content-type", "content-length", "date"]
        assert MARK.encode() not in answer.body
    assert remembered(url) == before


OPEN = ("control.issuer_discovery", "control.issuer_jwks")
"""Public keys, which everybody may read."""
GUARDED = [each for each in OPERATIONS if each.name not in OPEN]
ALL = pytest.mark.parametrize("operation", GUARDED, ids=lambda each: each.name)


@ALL
def test_a_page_that_rebound_its_name_to_loopback_reads_and_changes_nothing(
    loopback: str, operation: Operation
) -> None:
    before = marked(loopback)
    answer = ask(loopback, operation, "evil.example:3000", ("Origin: http://evil.example:3000",))

    assert_refused(loopback, [answer], before, 403)


ORIGINS = ("null", "https://evil.example", "http://127.0.0.1:8000", "http://localhost:3000")


@ALL
def test_a_page_of_another_origin_reads_and_changes_nothing(loopback: str, operation: Operation) -> None:
    before = marked(loopback)
    answers = [ask(loopback, operation, headers=(f"Origin: {origin}",)) for origin in ORIGINS]

    assert_refused(loopback, answers, before, 403)


UNASKED = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "")


@pytest.mark.parametrize("operation", WRITES, ids=lambda each: each.name)
def test_a_body_that_a_page_may_send_unasked_changes_nothing(loopback: str, operation: Operation) -> None:
    """Also for routes that ignore the body."""
    before = marked(loopback)
    answers = [ask(loopback, operation, content_type=each) for each in UNASKED]

    assert_refused(loopback, answers, before, 415)


@pytest.mark.parametrize("name", ["identity-emulator:3000", "host.docker.internal:3000", "172.17.0.1:3000", "0.0.0.0"])
def test_a_containers_name_is_no_loopback_name(loopback: str, name: str) -> None:
    before = marked(loopback)

    assert_refused(loopback, [ask(loopback, operation_named("reset"), name)], before, 403)


TOKENLESS = {"control.health", "control.page", "control.page_style", "control.page_script", "control.to_page"}
"""They tell nothing of the world: whether the server is there, and the page, which asks for the token."""


@pytest.mark.parametrize("name", ["identity-emulator:3000", "host.docker.internal:3000", "127.0.0.1:3000"])
@pytest.mark.parametrize(
    "header", ["X-Other: 1", "X-Emulator-Token: wrong", "X-Emulator-Token: ", "Authorization: Bearer", "Cookie: s3cret"]
)
def test_without_the_token_other_machines_can_neither_read_nor_change_anything(
    beyond: str, name: str, header: str
) -> None:
    before = marked(beyond)
    answers = [ask(beyond, each, name, (header,)) for each in GUARDED if each.name not in TOKENLESS]

    assert_refused(beyond, answers, before, 401)


@pytest.mark.parametrize("operation", OPEN)
@pytest.mark.parametrize("headers", [(), ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site")])
def test_an_issuers_documents_are_for_everybody(beyond: str, operation: str, headers: tuple[str, ...]) -> None:
    token, sent = f"X-Emulator-Token: {TOKEN}", '{"url": "https://auth.example.com"}'
    exchange(beyond, request("DELETE", "/_emulator/issuers", token), timeout=LIMIT)
    lines = [token, "Content-Type: application/json", f"Content-Length: {len(sent)}"]
    exchange(beyond, request("POST", "/_emulator/reset", token), timeout=LIMIT)
    exchange(beyond, request("POST", "/_emulator/issuers", *lines) + sent.encode(), timeout=LIMIT)

    answer = ask(beyond, operation_named(operation.partition(".")[2]), "app.example:8000", headers)

    assert answer.status == 200
    assert "access-control-allow-origin" in answer.names


@pytest.mark.parametrize("name", ["identity-emulator:3000", "host.docker.internal:3000", "evil.example", "[::1]:3000"])
@pytest.mark.parametrize("header", [f"X-Emulator-Token: {TOKEN}", f"Authorization: bearer {TOKEN}"])
def test_with_the_token_a_container_steers_whatever_its_host(beyond: str, name: str, header: str) -> None:
    answer = ask(beyond, operation_named("reset"), name, (header,))

    assert (answer.status, json.loads(answer.body)["seed"]) == (200, 8)


def test_the_token_does_not_help_a_page(beyond: str) -> None:
    before = marked(beyond)
    sent = (f"X-Emulator-Token: {TOKEN}", "Origin: https://evil.example")

    assert_refused(beyond, [ask(beyond, operation_named("reset"), headers=sent)], before, 403)


@pytest.mark.parametrize("name", ["identity-emulator:3000", "127.0.0.1:3000", "10.0.0.1"])
def test_only_health_is_open_to_all_who_reach_it(beyond: str, name: str) -> None:
    assert ask(beyond, operation_named("health"), name).status == 200


@pytest.mark.parametrize("name", ["identity-emulator:3000", "evil.example", "127.0.0.1:3000"])
def test_the_emulated_apis_do_not_look_at_the_host(loopback: str, beyond: str, name: str) -> None:
    sent = f"POST /v1/identity HTTP/1.1\r\nHost: {name}\r\nOrigin: https://evil.example\r\n\r\n".encode()

    assert exchange(loopback, sent, timeout=LIMIT).status == exchange(beyond, sent, timeout=LIMIT).status == 200


@pytest.mark.parametrize(
    ("name", "status"), [("[::1]:3000", 200), ("localhost:3000", 200), ("127.0.0.1", 200), ("evil.example", 403)]
)
def test_ipv6_loopback_is_guarded_as_ipv4_is(name: str, status: int) -> None:
    try:
        listen("::1", 0).close()
    except Misconfigured:
        pytest.skip("IPv6 is switched off on this machine")
    with serving(*FREEZE, "--host", "::1") as (_, ready):
        assert ask(ready["url"], operation_named("state"), name).status == status


def operation_named(name: str) -> Operation:
    return next(each for each in OPERATIONS if each.name == f"control.{name}")
