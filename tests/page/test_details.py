"""The details of an exchange, and what is made of it."""

import re

import pytest
import requests
import websockets.sync.client

from emulator import Config, Emulator
from tests.client import KEY, create
from tests.page.browsing import Opened, expect
from tests.waiting import PATIENCE


def clipboard(page: Opened) -> str:
    text = page.page.evaluate("navigator.clipboard.readText()")
    assert isinstance(text, str)
    return text


def send_body(emulator: Emulator, body: bytes) -> None:
    """To an operation that reads it."""
    headers = KEY | {"Content-Type": "application/json"}
    requests.post(f"{emulator.url}/identity", data=body, headers=headers, timeout=PATIENCE)


def test_the_reason_is_shown_in_full(page: Opened, emulator: Emulator) -> None:
    page.open()
    requests.post(f"{emulator.url}/v1/identity/websocket_token", timeout=PATIENCE)

    details = page.choose("websocket_token")

    expect(details.locator(".why-block")).to_contain_text("did you mean /v1/identity/websocket-token?")


def test_a_body_of_json_is_indented_with_its_values_as_they_were_sent(page: Opened, emulator: Emulator) -> None:
    page.open()
    send_body(emulator, b'{"big":12345678901234567890,"list":[1,{}],"text":"a, b: {c}"}')

    details = page.choose("/identity")

    expect(details.locator("pre.body").first).to_have_text(
        '{\n  "big": 12345678901234567890,\n  "list": [\n    1,\n    {}\n  ],\n  "text": "a, b: {c}"\n}',
        use_inner_text=True,
    )


def test_a_body_that_is_no_text_is_shown_in_hex(page: Opened, emulator: Emulator) -> None:
    page.open()
    send_body(emulator, b"\x00\xff<b>")

    details = page.choose("/identity")

    expect(details.locator("pre.hex")).to_contain_text("00000000  00 ff 3c 62 3e")
    expect(details.locator("pre.hex")).to_contain_text("..<b>")


def test_headers_and_query_are_shown(page: Opened, emulator: Emulator) -> None:
    page.open()
    requests.get(f"{emulator.url}/v1/pong?a=b%20c", headers={"X-Test": "one"}, timeout=PATIENCE)

    details = page.choose("/v1/pong")

    expect(details.locator("dt", has_text="X-Test")).to_have_count(1)
    expect(details.locator("dd", has_text="one").first).to_be_visible()
    expect(details.locator("dd", has_text="b c")).to_be_visible()


def test_the_frames_of_a_websocket_are_shown_until_it_ends(page: Opened, emulator: Emulator) -> None:
    emulator.load("two_friends")
    page.open()
    url = f"{emulator.url}/v1/database/chat/subscribe".replace("http", "ws")
    headers = {"Authorization": f"Bearer {emulator.actors['alice'].token}"}
    with websockets.sync.client.connect(url, subprotocols=["v1.json.spacetimedb"], additional_headers=headers):  # type: ignore[list-item]
        details = page.choose("subscribe")
        expect(details.locator(".frames li").first).to_contain_text("IdentityToken")
        expect(details).to_contain_text("The connection is open.")

    expect(details).to_contain_text(re.compile("(Closed|Cut).* by the client"))


def test_curl_is_copied_as_the_control_route_has_it(page: Opened, emulator: Emulator) -> None:
    page.open()
    create(emulator)
    details = page.choose("/identity")

    details.get_by_role("button", name="Copy curl").click()
    expect(details.get_by_role("button", name="Copied")).to_be_visible()

    expected = requests.get(f"{emulator.url}/_emulator/journal/1/curl", timeout=PATIENCE).text.rstrip("\n")
    assert clipboard(page) == expected


def test_an_exchange_becomes_a_fault(page: Opened, emulator: Emulator) -> None:
    page.open()
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)
    details = page.choose("/v1/ping")

    details.get_by_role("button", name="Make it a fault").click()
    details.get_by_role("button", name="Add the fault").click()
    expect(details).to_contain_text("Added as number 1.")

    assert requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE).status_code == 503
    assert requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE).status_code == 200


def test_the_kind_of_fault_is_chosen(page: Opened, emulator: Emulator) -> None:
    page.open()
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)
    details = page.choose("/v1/ping")
    details.get_by_role("button", name="Make it a fault").click()

    details.get_by_label("What").select_option("close the connection before it takes effect")
    details.get_by_role("button", name="Add the fault").click()
    expect(details).to_contain_text("Added as number 1.")

    with pytest.raises(requests.ConnectionError):
        requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)


def test_an_exchange_without_a_route_becomes_a_stub(page: Opened, emulator: Emulator) -> None:
    page.open()
    requests.post(f"{emulator.url}/claims", timeout=PATIENCE)
    details = page.choose("/claims")
    expect(details.get_by_role("button", name="Make it a fault")).to_have_count(0)

    details.get_by_role("button", name="Make it a stub").click()
    details.get_by_label("As JSON").fill('{"request": "POST /claims", "auth": "none", "json": [1]}')
    details.get_by_role("button", name="Add the stub").click()
    expect(details).to_contain_text("Added as number 1.")

    assert requests.post(f"{emulator.url}/claims", timeout=PATIENCE).json() == [1]


def test_what_is_refused_is_said_beside_the_form(page: Opened, emulator: Emulator) -> None:
    page.open()
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)
    details = page.choose("/v1/ping")
    details.get_by_role("button", name="Make it a fault").click()

    details.get_by_label("As JSON").fill('{"request": "GET /v1/pin", "do": {"status": 503}}')
    details.get_by_role("button", name="Add the fault").click()

    expect(details.get_by_role("alert")).to_contain_text("/v1/ping")
    assert len(emulator.faults) == 0


def test_an_exchange_has_an_address_that_opens_it(page: Opened, emulator: Emulator) -> None:
    for path in ("/v1/ping", "/v1/pong"):
        requests.get(f"{emulator.url}{path}", timeout=PATIENCE)
    page.open()

    page.choose("/v1/pong")
    expect(page.page).to_have_url(f"{emulator.url}/_emulator/#exchange-2")

    page.page.reload()
    expect(page.details.get_by_role("heading", level=3)).to_contain_text("#2 GET /v1/pong")
    expect(page.page.locator('.row[aria-selected="true"]')).to_contain_text("/v1/pong")


def test_an_exchange_is_opened_by_its_address_once_it_is_there(page: Opened, emulator: Emulator) -> None:
    page.open("exchange-2")

    for path in ("/v1/ping", "/v1/pong"):
        requests.get(f"{emulator.url}{path}", timeout=PATIENCE)

    expect(page.details.get_by_role("heading", level=3)).to_contain_text("#2 GET /v1/pong")


def test_back_leads_to_what_was_shown_before(page: Opened, emulator: Emulator) -> None:
    for path in ("/v1/ping", "/v1/pong"):
        requests.get(f"{emulator.url}{path}", timeout=PATIENCE)
    page.open("journal")
    page.choose("/v1/ping")
    page.row("/v1/pong").click()
    title = page.details.get_by_role("heading", level=3)
    expect(title).to_contain_text("/v1/pong")
    page.show("World")

    page.page.go_back()
    expect(title).to_contain_text("/v1/pong")
    page.page.go_back()
    expect(title).to_contain_text("/v1/ping")
    page.page.go_back()
    expect(page.details).to_be_hidden()


def test_from_another_view_the_journal_comes_back_with_its_details(page: Opened, emulator: Emulator) -> None:
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)
    page.open()
    page.choose("/v1/ping")
    page.show("World")

    page.show("Journal")

    expect(page.details).to_be_visible()


def test_how_far_the_clock_was_ahead_is_said(page: Opened, emulator: Emulator) -> None:
    emulator.clock.advance(130)
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)
    emulator.clock.advance(3600)

    page.open()

    expect(page.choose("/v1/ping")).to_contain_text("by the emulator's clock, 130 s ahead of real time")


def test_details_of_a_world_that_was_replaced_stay(page: Opened, emulator: Emulator) -> None:
    page.open()
    requests.get(f"{emulator.url}/v1/pong", timeout=PATIENCE)
    details = page.choose("/v1/pong")

    emulator.reset()

    expect(details).to_contain_text("The world was replaced after this exchange.")
    expect(details.locator(".why-block")).to_contain_text("no such route")


def test_of_an_exchange_that_is_not_kept_the_row_is_shown_and_why(page: Opened, emulator: Emulator) -> None:
    emulator.begin(Config(journal_size=1))
    page.open()
    for path in ("/v1/pong", "/v1/ping"):
        requests.get(f"{emulator.url}{path}", timeout=PATIENCE)
    expect(page.rows).to_have_count(2)

    details = page.choose("/v1/pong")

    expect(details.locator(".why-block")).to_contain_text("no such route")
    expect(details.locator(".refusal")).to_contain_text("there is no exchange '1'")


def test_an_exchange_of_a_world_that_was_replaced_is_not_taken_for_another(page: Opened, emulator: Emulator) -> None:
    page.open()
    requests.get(f"{emulator.url}/v1/pong", timeout=PATIENCE)
    expect(page.rows).to_have_count(1)
    page.page.get_by_role("button", name="Pause").click()
    emulator.reset()
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)

    details = page.choose("/v1/pong")

    expect(details.locator(".why-block")).to_contain_text("no such route")
    expect(details.locator(".refusal")).to_contain_text("its world was replaced")


def test_a_body_of_many_brackets_is_shown(page: Opened, emulator: Emulator) -> None:
    page.open()
    send_body(emulator, b"[" * 4000 + b"]" * 4000)

    details = page.choose("/identity")

    expect(details.locator("pre.body").first).to_contain_text("[\n  [\n    [")
    assert len(details.locator("pre.body").first.inner_text()) < 1_000_000
