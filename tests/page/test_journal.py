"""The live journal."""

import json
import re

import pytest
import requests

from emulator import Emulator, running_in_thread
from tests.client import create
from tests.page.browsing import Opened, Request, expect
from tests.page.relay import Relay
from tests.waiting import PATIENCE

MANY = 300


def ask(emulator: Emulator, method: str, path: str, token: str = "", **options: object) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.request(method, f"{emulator.url}{path}", headers=headers, timeout=PATIENCE, **options)  # type: ignore[arg-type]


def test_a_request_is_shown_as_it_comes_with_the_reason(page: Opened, emulator: Emulator) -> None:
    page.open()

    ask(emulator, "POST", "/v1/identity/websocket-token", "x")

    row = page.row("/v1/identity/websocket-token")
    expect(row).to_contain_text("401")
    expect(row).to_contain_text("segments: a token has three parts separated by dots, this has 1")


def test_an_empty_journal_says_where_to_send_requests(page: Opened, emulator: Emulator) -> None:
    page.open()

    expect(page.page.get_by_text(f"Those to {emulator.url} are shown")).to_be_in_viewport(ratio=1)


def test_a_filter_that_nothing_passes_says_so(page: Opened, emulator: Emulator) -> None:
    page.open()
    ask(emulator, "GET", "/v1/ping")

    page.filters.get_by_label("Text").fill("nothing like this")

    expect(page.page.get_by_text("No exchange passes the filter.")).to_be_in_viewport(ratio=1)


def test_requests_before_the_page_was_opened_are_shown_too(page: Opened, emulator: Emulator) -> None:
    create(emulator)

    page.open()

    expect(page.rows.locator(".path")).to_have_text(["/identity"])


def test_opening_the_page_asks_nothing_of_the_emulated_apis(page: Opened, emulator: Emulator) -> None:
    page.open()
    page.show("World")
    expect(page.panel("clock")).to_contain_text("Running")

    assert len(emulator.journal) == 0


def test_an_actor_and_a_fault_are_shown(page: Opened, emulator: Emulator) -> None:
    emulator.load("two_friends")
    emulator.faults.add("GET /v1/identity/**", status=503)
    page.open()

    ask(emulator, "GET", f"/v1/identity/{'c2' * 32}/verify", emulator.actors["alice"].token)

    row = page.row("503")
    expect(row.locator(".actor")).to_have_text("alice")
    expect(row.locator(".fault")).to_contain_text("status: 503")


def test_columns_in_which_nothing_is_take_no_room(page: Opened, emulator: Emulator) -> None:
    page.open()
    ask(emulator, "GET", "/v1/ping")
    heads = page.page.locator(".columns")
    expect(heads.locator(".why")).to_be_visible()
    expect(heads.locator(".actor")).to_be_hidden()
    expect(heads.locator(".fault")).to_be_hidden()

    emulator.faults.add("GET /v1/ping", status=503)
    ask(emulator, "GET", "/v1/ping")

    expect(heads.locator(".fault")).to_be_visible()


def test_a_reason_is_seen_whole_in_an_ordinary_window(page: Opened, emulator: Emulator) -> None:
    emulator.clock.freeze("2026-01-01T00:00:00Z")
    token = emulator.spacetime.issue_token(subject="alice", expires_in=-130)
    page.open()

    ask(emulator, "POST", "/v1/identity/websocket-token", token)

    why = page.row("401").locator(".why")
    whole = "expiry: expired 130 s ago by the emulator's clock, after the leeway of 60 s"
    expect(why).to_have_attribute("title", whole)
    assert why.evaluate("why => why.scrollWidth <= why.clientWidth")


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("v1/ping 200", ["/v1/ping"]),
        ("no such route", ["/v1/pong"]),
        ("POST", ["/v1/identity"]),
        ("get v1 404", ["/v1/pong"]),
    ],
)
def test_the_filter_finds_texts_in_all_columns(page: Opened, emulator: Emulator, text: str, paths: list[str]) -> None:
    page.open()
    for method, path in (("GET", "/v1/ping"), ("GET", "/v1/pong"), ("POST", "/v1/identity")):
        ask(emulator, method, path)

    page.filters.get_by_label("Text").fill(text)

    expect(page.rows.locator(".path")).to_have_text(paths)


def test_a_status_is_chosen(page: Opened, emulator: Emulator) -> None:
    page.open()
    for path in ("/v1/ping", "/v1/pong"):
        ask(emulator, "GET", path)
    expect(page.rows).to_have_count(2)

    page.filters.get_by_label("Status").select_option("4xx")
    expect(page.rows.locator(".path")).to_have_text(["/v1/pong"])

    page.filters.get_by_label("Status").select_option("200")
    expect(page.rows.locator(".path")).to_have_text(["/v1/ping"])


def test_an_actor_is_chosen(page: Opened, emulator: Emulator) -> None:
    emulator.load("two_friends")
    page.open()
    for name in ("alice", "bob"):
        ask(emulator, "POST", "/v1/identity/websocket-token", emulator.actors[name].token)
    expect(page.rows).to_have_count(2)

    page.filters.get_by_label("Actor").select_option(label="bob")

    expect(page.rows.locator(".actor")).to_have_text(["bob"])


def test_a_paused_page_counts_what_waits(page: Opened, emulator: Emulator) -> None:
    page.open()
    pause = page.page.get_by_role("button", name="Pause")
    pause.click()
    for _ in range(2):
        ask(emulator, "GET", "/v1/ping")

    expect(page.page.locator("#link")).to_have_text("paused, 2 wait")
    expect(page.rows).to_have_count(0)

    page.page.get_by_role("button", name="Resume").click()
    expect(page.page.locator("#link")).to_have_text("live")
    expect(page.rows).to_have_count(2)


def test_a_new_world_begins_with_an_empty_journal(page: Opened, emulator: Emulator) -> None:
    page.open()
    ask(emulator, "GET", "/v1/ping")
    expect(page.rows).to_have_count(1)

    emulator.reset(seed=8)

    expect(page.rows).to_have_count(0)
    expect(page.page.locator("#facts")).to_contain_text("seed 8")


def test_a_paused_page_keeps_the_world_that_was_replaced(page: Opened, emulator: Emulator) -> None:
    page.open()
    ask(emulator, "GET", "/v1/ping")
    expect(page.rows).to_have_count(1)
    pause = page.page.get_by_role("button", name="Pause")
    pause.click()

    emulator.reset(seed=8)
    ask(emulator, "GET", "/v1/health")

    expect(page.page.locator("#link")).to_have_text("paused, 1 waits")
    expect(page.rows.locator(".path")).to_have_text(["/v1/ping"])
    page.page.get_by_role("button", name="Resume").click()
    expect(page.rows.locator(".path")).to_have_text(["/v1/health"])


def test_clearing_empties_it(page: Opened, emulator: Emulator) -> None:
    page.open()
    ask(emulator, "GET", "/v1/ping")
    expect(page.rows).to_have_count(1)

    page.page.get_by_role("button", name="Clear").click()
    page.page.get_by_role("button", name="Really clear?").click()

    expect(page.rows).to_have_count(0)
    assert len(emulator.journal) == 0


def test_of_many_exchanges_only_the_visible_are_elements(page: Opened, emulator: Emulator) -> None:
    page.open()
    with requests.Session() as session:
        for number in range(MANY):
            session.get(f"{emulator.url}/v1/ping?number={number}", timeout=PATIENCE)

    expect(page.row(f"?number={MANY - 1}")).to_be_in_viewport()
    expect(page.count).to_have_text(f"{MANY} exchanges")
    assert page.rows.count() < 100

    page.page.locator("#grid").focus()
    page.page.keyboard.press("Home")
    expect(page.row("?number=0")).to_be_in_viewport()


def test_whoever_has_scrolled_up_stays_there_and_is_told_of_newer_ones(page: Opened, emulator: Emulator) -> None:
    page.open()
    for number in range(60):
        ask(emulator, "GET", f"/v1/ping?number={number}")
    expect(page.row("?number=59")).to_be_in_viewport()
    page.page.locator("#grid").evaluate("grid => { grid.scrollTop = 0 }")
    expect(page.row("?number=0")).to_be_in_viewport()

    ask(emulator, "GET", "/v1/ping?number=60")

    newest = page.page.get_by_role("button", name=re.compile("newer"))
    expect(newest).to_be_visible()
    expect(page.row("?number=0")).to_be_in_viewport()
    newest.click()
    expect(page.row("?number=60")).to_be_in_viewport()


def test_the_first_visible_exchange_stays_where_it_is_when_others_are_filtered_out(
    page: Opened, emulator: Emulator
) -> None:
    page.open()
    for number in range(120):
        ask(emulator, "GET", f"/v1/p{'io'[number % 2]}ng?number={number}")
    expect(page.count).to_have_text("120 exchanges")
    grid = page.page.locator("#grid")
    grid.evaluate("grid => { grid.scrollTop = 60 * grid.scrollHeight / 121 }")
    expect(page.row("?number=60")).to_be_in_viewport()

    page.filters.get_by_label("Status").select_option("2xx")

    expect(page.rows.filter(has_text="404")).to_have_count(0)
    expect(page.row("?number=60")).to_be_in_viewport()


def test_after_a_break_it_goes_on_where_it_was(page: Opened, emulator: Emulator) -> None:
    asked: list[Request] = []
    page.page.on("request", lambda request: asked.append(request) if request.url.endswith("/events") else None)
    with Relay(emulator.port) as relay:
        page.url = relay.url
        page.open()
        ask(emulator, "GET", "/v1/ping?number=1")
        expect(page.rows).to_have_count(1)

        with relay.broken():
            expect(page.page.locator("#link")).to_have_text("reconnecting")
            ask(emulator, "GET", "/v1/ping?number=2")
            expect(page.rows).to_have_count(1)

        expect(page.rows.locator(".path")).to_have_text(["/v1/ping?number=1", "/v1/ping?number=2"])
        expect(page.page.locator("#link")).to_have_text("live")
        first, *_, last = asked
        assert "last-event-id" not in first.headers
        assert "last-event-id" in last.headers


def test_another_emulator_at_the_same_address_is_another_world(page: Opened, emulator: Emulator) -> None:
    with Relay(emulator.port) as relay, running_in_thread(seed=8) as other:
        page.url = relay.url
        page.open()
        ask(emulator, "GET", "/v1/ping")
        expect(page.rows).to_have_count(1)

        with relay.broken():
            relay.port = other.port
        ask(other, "GET", "/v1/health")

        expect(page.rows.locator(".path")).to_have_text(["/v1/health"])
        expect(page.page.locator("#facts")).to_contain_text("seed 8")


def ended(page: Opened, event: str) -> None:
    """Open the page; its first stream of events ends with this one."""
    data = json.dumps({"error": "it is over", "hint": "connect again"})
    body = f"event: {event}\ndata: {data}\n\n"
    page.page.route(
        "**/_emulator/events", lambda route: route.fulfill(content_type="text/event-stream", body=body), times=1
    )
    page.page.goto(f"{page.url}/_emulator/")


def test_who_was_too_slow_is_told_and_connects_again_when_asked(page: Opened) -> None:
    ended(page, "dropped")
    link = page.page.locator("#link")
    expect(link).to_contain_text("it is over")

    link.get_by_role("button", name="Connect again").click()

    expect(link).to_have_text("live")


def test_after_the_end_of_an_emulator_it_connects_again_by_itself(page: Opened) -> None:
    ended(page, "closed")

    expect(page.page.locator("#link")).to_have_text("live")
