"""Access checks of the control routes: host, origin and token."""

import json
from collections.abc import Iterator

import pytest

from emulator import Emulator
from emulator.control.api.access import Guard
from tests.control.calls import call
from tests.worlds import make_stage, served


@pytest.mark.parametrize(
    "host", ["127.0.0.1:3000", "localhost", "LOCALHOST:1", "app.localhost", "[::1]:3000", "127.9.9.9"]
)
def test_loopback_names_are_answered(emulator: Emulator, host: str) -> None:
    assert call(emulator.url, "GET", "/health", host=host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:3000", "127.0.0.1.evil.example", "10.0.0.1", "", "[::2]"]
)
def test_another_name_is_403_as_after_dns_rebinding(emulator: Emulator, host: str) -> None:
    answer = call(emulator.url, "POST", "/reset", host=host)

    assert answer.status == 403
    assert b"use 127.0.0.1" in answer.body


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:5173", "https://127.0.0.1"])
def test_a_page_of_another_origin_is_403(emulator: Emulator, origin: str) -> None:
    assert call(emulator.url, "POST", "/reset", f"Origin: {origin}").status == 403


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
    with served(make_stage(), Guard("0.0.0.0", "s3cret")) as emulator:
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
