"""Access checks of the control routes: host, origin and token."""

import json
import socket
from collections.abc import Iterator

import pytest

from emulator import Emulator
from emulator.control.api.access import Guard, is_loopback
from emulator.server.listening import listen
from emulator.server.run import serving_in_thread
from tests.control.calls import call
from tests.raw import exchange
from tests.worlds import make_stage, served


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:3000",
        "localhost",
        "LOCALHOST:1",
        "app.localhost",
        "a-1.b.localhost:80",
        "[::1]:3000",
        "[::ffff:127.0.0.1]",
        "127.9.9.9",
        "127.0.0.1:",
    ],
)
def test_loopback_names_are_answered(emulator: Emulator, host: str) -> None:
    assert call(emulator.url, "GET", "/health", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "",
        "[::2]",
        "::1",
        "[::1",
        "[::1]3000",
        "[::1%lo]",
        "[127.0.0.1]",
        "[localhost]",
        "localhost:http",
        "127.0.0.1:3000:3000",
        "evil.example/.localhost",
        "evil.example#.localhost",
        "a_b.localhost",
        "<b>.localhost",
        ".localhost",
        "a..localhost",
        "localhost.",
        "evil.example, localhost",
        "user@localhost",
    ],
)
def test_another_name_is_403_as_after_dns_rebinding(emulator: Emulator, host: str) -> None:
    answer = call(emulator.url, "POST", "/reset", host=host)

    assert answer.status == 403
    assert b"use 127.0.0.1" in answer.body


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:5173", "https://127.0.0.1"])
def test_a_page_of_another_origin_is_403(emulator: Emulator, origin: str) -> None:
    assert call(emulator.url, "POST", "/reset", f"Origin: {origin}").status == 403


@pytest.mark.parametrize(
    "origins",
    [
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.0.0.1", "https://evil.example"),
        ("https://evil.example", "http://127.0.0.1"),
    ],
)
def test_two_origins_are_403(emulator: Emulator, origins: tuple[str, str]) -> None:
    assert call(emulator.url, "POST", "/reset", *(f"Origin: {each}" for each in origins)).status == 403


@pytest.mark.parametrize("second", ["127.0.0.1", "evil.example"])
def test_two_hosts_are_refused(emulator: Emulator, second: str) -> None:
    """Most releases of aiohttp do so while they parse the request, with a 400."""
    assert call(emulator.url, "POST", "/reset", f"Host: {second}").status in {400, 403}


def test_a_request_without_a_host_is_403(emulator: Emulator) -> None:
    assert exchange(emulator.url, b"GET /_emulator/health HTTP/1.0\r\n\r\n").status == 403


@pytest.mark.parametrize("path", ["/health", "/journal", "/journal/1/curl", "/openapi.json", "/nowhere", "/", ""])
def test_a_page_of_another_site_is_403_even_without_an_origin(emulator: Emulator, path: str) -> None:
    headers = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")

    assert call(emulator.url, "GET", path, *headers).status == 403


FOLLOWED = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")


def test_a_link_on_another_site_can_lead_to_the_emulators_page(emulator: Emulator) -> None:
    assert call(emulator.url, "GET", "/", *FOLLOWED).status != 403


@pytest.mark.parametrize(("method", "path"), [("GET", "/health"), ("POST", "/"), ("GET", "//"), ("HEAD", "")])
def test_a_link_on_another_site_leads_nowhere_else(emulator: Emulator, method: str, path: str) -> None:
    assert call(emulator.url, method, path, *FOLLOWED).status == 403


def test_the_emulators_page_is_in_no_frame_of_another_site(emulator: Emulator) -> None:
    assert call(emulator.url, "GET", "/", *FOLLOWED[:2], "Sec-Fetch-Dest: iframe").status == 403


@pytest.mark.parametrize("site", ["none", "same-origin", "same-site"])
def test_a_request_of_no_other_site_is_answered(emulator: Emulator, site: str) -> None:
    assert call(emulator.url, "GET", "/health", f"Sec-Fetch-Site: {site}").status == 200


def own_address() -> str:
    """An address of this machine that is not loopback. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


def test_a_sender_beyond_loopback_is_403_whatever_its_host() -> None:
    address = own_address()
    if is_loopback(address):
        pytest.skip("this machine has no other address than loopback")
    listener = listen("0.0.0.0", 0)
    with serving_in_thread(make_stage(), Guard(), listener):
        answer = call(f"http://{address}:{listener.plain[0].getsockname()[1]}", "GET", "/health")

    assert (answer.status, json.loads(answer.body)["error"]) == (403, f"requests from {address} are not allowed")


def test_a_page_of_the_emulators_own_origin_is_answered(emulator: Emulator) -> None:
    assert call(emulator.url, "GET", "/health", "Origin: http://127.0.0.1").status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_a_page_could_send_is_415(emulator: Emulator, content_type: str) -> None:
    answer = call(emulator.url, "POST", "/reset", f"Content-Type: {content_type}", body='{"seed": 8}')

    assert answer.status == 415
    assert json.loads(call(emulator.url, "GET", "/health").body)["seed"] == 0


def test_no_cors_header_is_ever_sent(emulator: Emulator) -> None:
    assert call(emulator.url, "OPTIONS", "/health").names == ["content-type", "allow", "content-length", "date"]


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """An emulator that demands a token."""
    with served(make_stage(), Guard(("0.0.0.0",), "s3cret")) as emulator:
        yield emulator.url


@pytest.mark.parametrize("header", ["Authorization: Bearer s3cret", "X-Emulator-Token: s3cret"])
def test_the_right_token_passes_whatever_the_host(guarded: str, header: str) -> None:
    assert call(guarded, "POST", "/reset", header, host="emulator:3000").status == 200


@pytest.mark.parametrize(
    "headers", [[], ["Authorization: Bearer wrong"], ["X-Emulator-Token: é"], ["Authorization: s3"]]
)
def test_without_the_right_token_it_is_401(guarded: str, headers: list[str]) -> None:
    assert call(guarded, "GET", "/state", *headers).status == 401


def test_health_needs_no_token(guarded: str) -> None:
    assert call(guarded, "GET", "/health").status == 200


def test_a_page_of_another_origin_is_403_though_it_has_the_token(guarded: str) -> None:
    assert call(guarded, "POST", "/reset", "X-Emulator-Token: s3cret", "Origin: https://evil.example").status == 403
