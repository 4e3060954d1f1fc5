"""The page as a file, opened without a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from emulator import Emulator, running_in_thread
from tests.page.browsing import Opened, expect
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MARKUP = "</script><img src=x onerror=window.hacked=1>\u202e"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of an emulator that has ended: a refused token, a fault, markup, and a stub."""
    with running_in_thread(seed=7, scenario="two_friends", freeze_at="2026-01-01T00:00:00Z") as emulator:
        fill(emulator)
        return emulator.report_html(
            tmp_path_factory.mktemp("report") / "report.html", title="test_login[a]", notes=["a fault is not done"]
        )


def fill(emulator: Emulator) -> None:
    token = emulator.spacetime.issue_token(subject="alice", expires_in=-72)
    bearer = {"Authorization": f"Bearer {token}"}
    requests.post(f"{emulator.url}/v1/identity/websocket-token", headers=bearer, timeout=PATIENCE)
    emulator.faults.add("GET /v1/ping", status=503)
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)
    requests.get(f"{emulator.url}/v1/pong", headers={"X-Test": MARKUP.encode()}, timeout=PATIENCE)
    emulator.stub("GET /claims", json=[])


@pytest.fixture
def report(browser: "Browser", written: Path) -> Iterator[Opened]:
    with browser.new_context() as context:
        page = Opened(context.new_page(), "")
        page.page.goto(written.as_uri())
        expect(page.rows).to_have_count(3)
        yield page
        assert page.errors == []


def test_it_shows_the_exchanges_with_their_reasons(report: Opened) -> None:
    expect(report.row("websocket-token")).to_contain_text("expiry: expired 72 s ago")
    details = report.choose("websocket-token")

    expect(details.locator(".why-block")).to_contain_text("after the leeway of 60 s")
    expect(details.locator("pre").last).to_contain_text("curl -i -X POST")


def test_it_shows_the_title_the_notes_and_the_command_that_makes_the_world_again(report: Opened) -> None:
    top = report.page.locator("#report")

    expect(top).to_contain_text("test_login[a]")
    expect(top).to_contain_text("a fault is not done")
    expect(top).to_contain_text("identity-emulator serve")
    expect(report.page).to_have_title("test_login[a] – identity-emulator")


def test_it_shows_the_checks_of_a_token_that_was_sent(report: Opened) -> None:
    report.choose("websocket-token").get_by_role("button", name="Inspect token").click()

    expect(report.verdict).to_contain_text("ExpiredSignature")
    expect(report.failed_check("documented")).to_contain_text("expiry")


def test_it_shows_the_world(report: Opened) -> None:
    report.show("World")

    expect(report.panel("scenario")).to_contain_text("GET /v1/ping: status 503")
    expect(report.panel("actors")).to_contain_text("alice")
    expect(report.panel("stubs")).to_contain_text("GET /claims")


def test_it_asks_nothing(browser: "Browser", written: Path) -> None:
    asked = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(written.as_uri())
        expect(page.locator("#link")).to_contain_text("a report of 2026-01-01")
        page.get_by_role("link", name="World").click()
        expect(page.locator('[data-panel="actors"]')).to_contain_text("alice")

    assert [url for url in asked if not url.startswith("data:")] == [written.as_uri()]


def test_nothing_in_it_changes_anything(report: Opened) -> None:
    for view in ("Journal", "Token", "World"):
        report.show(view)
        names = report.page.get_by_role("button").all_inner_texts()
        assert {name for name in names if not name.startswith(("Keys", "Copy"))} == set()
    report.show("Journal")
    buttons = report.choose("ping").get_by_role("button").all_inner_texts()
    assert set(buttons) <= {"Close", "Copy curl", "Copy body"}


def test_markup_in_it_is_text(report: Opened) -> None:
    details = report.choose("pong")

    expect(details.locator("dd", has_text="onerror")).to_contain_text("</script><img")
    assert report.page.evaluate("'hacked' in window") is False


def test_it_holds_no_secrets(report: Opened, written: Path) -> None:
    assert "eyJ" not in written.read_text(encoding="utf-8").partition('id="recorded"')[2].partition("</script>")[0]
    expect(report.choose("websocket-token")).to_contain_text("Bearer ***")
