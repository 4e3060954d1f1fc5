"""Everybody can use it: by keyboard, in both colour schemes, in small windows, with a screen reader."""

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from emulator import Config, Emulator
from tests.clients.programs import command, fetched, once_per_session
from tests.limits import LIMIT
from tests.page.browsing import Opened, expect, opened
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PACKAGES = Path(__file__).with_name("package.json")
PAGE = Path(__file__).parents[2] / "emulator" / "control" / "api" / "page"
PICTURE = Path(__file__).parents[2] / "docs" / "page.png"
CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex='0']"
NARROW, ZOOMED, WIDE = {"width": 360, "height": 740}, {"width": 640, "height": 400}, {"width": 1280, "height": 800}


def a_failing_test(emulator: Emulator) -> None:
    """Four requests, of which the third is refused, as a test might send them."""
    emulator.load("two_friends")
    alice = emulator.actors["alice"]
    bearer = {"Authorization": f"Bearer {alice.token}"}
    requests.get(f"{emulator.url}/v1/identity/{alice.identity}/verify", headers=bearer, timeout=PATIENCE)
    short = requests.post(f"{emulator.url}/v1/identity/websocket-token", headers=bearer, timeout=PATIENCE).json()
    emulator.clock.advance(180)
    late = {"Authorization": f"Bearer {short['token']}"}
    requests.get(f"{emulator.url}/v1/identity/{alice.identity}/verify", headers=late, timeout=PATIENCE)
    requests.post(
        f"{emulator.url}/identity",
        json={"display_name": "JP", "creator": alice.wallet},
        headers={"x-api-key": alice.api_key},
        timeout=PATIENCE,
    )


# --- the keyboard -----------------------------------------------------------------------------------------------------


def test_why_the_third_request_was_refused_is_found_by_keyboard_alone(page: Opened, emulator: Emulator) -> None:
    a_failing_test(emulator)
    page.open()
    keyboard = page.page.keyboard
    expect(page.rows).to_have_count(4)

    keyboard.press("/")
    expect(page.filters.get_by_label("Text")).to_be_focused()
    keyboard.type("401")
    keyboard.press("Enter")
    expect(page.page.locator("#grid")).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(page.details.locator(".why-block")).to_contain_text("expiry: expired")
    keyboard.press("t")
    expect(page.failed_check("documented")).to_contain_text("expiry")
    keyboard.press("1")
    expect(page.details).to_be_visible()
    keyboard.press("Escape")
    expect(page.details).to_be_hidden()
    expect(page.page.locator("#grid")).to_be_focused()


def test_j_and_k_move_through_the_exchanges(page: Opened, emulator: Emulator) -> None:
    a_failing_test(emulator)
    page.open()
    expect(page.rows).to_have_count(4)
    chosen = page.page.locator('.row[aria-selected="true"] .n')

    for key, number in (("j", "1"), ("j", "2"), ("k", "1"), ("k", "1")):
        page.page.keyboard.press(key)
        expect(chosen).to_have_text(number)


def test_the_chosen_row_is_the_active_one_of_the_grid(page: Opened, emulator: Emulator) -> None:
    a_failing_test(emulator)
    page.open()
    expect(page.rows).to_have_count(4)
    page.page.keyboard.press("j")

    expect(page.page.locator("#grid")).to_have_attribute("aria-activedescendant", "row-0")
    expect(page.page.locator("#row-0")).to_contain_text("verify")


def test_a_key_is_a_letter_where_text_is_typed(page: Opened) -> None:
    page.open()

    page.filters.get_by_label("Text").press_sequentially("jkp?1")

    expect(page.filters.get_by_label("Text")).to_have_value("jkp?1")


def test_the_help_names_the_keys_and_switches_them_off(page: Opened) -> None:
    page.open()
    page.page.keyboard.press("?")
    dialog = page.page.get_by_role("dialog")
    expect(dialog).to_contain_text("filter the journal")

    dialog.get_by_role("checkbox").uncheck()
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("3")

    expect(page.page.locator("#journal")).to_be_visible()


@pytest.mark.parametrize("view", ["", "token", "world"])
def test_every_control_is_reached_by_the_tab_key_and_shows_its_focus(
    page: Opened, emulator: Emulator, view: str
) -> None:
    a_failing_test(emulator)
    page.open(view)
    controls = page.page.locator("a[href], button, input, select, textarea, summary, [tabindex='0']").locator(
        "visible=true"
    )
    wanted = controls.count()
    reached = set()

    for _ in range(wanted + 5):
        page.page.keyboard.press("Tab")
        reached.add(page.page.evaluate("document.activeElement.outerHTML"))
        outline = page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or page.page.evaluate("document.activeElement === document.body")

    assert wanted - len(reached) <= 2


# --- axe --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what npm has installed."""

    def install(folder: Path) -> None:
        (folder / PACKAGES.name).write_text(PACKAGES.read_text(encoding="utf-8"), encoding="utf-8")
        fetched(command("npm"), "install", "--no-audit", "--no-fund", "--prefer-offline", folder=folder)

    return once_per_session(tmp_path_factory, "page", install)


def violations(page: Opened, packages: Path) -> list[str]:
    """What axe finds that is more than minor."""
    page.page.evaluate((packages / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found: dict[str, Any] = page.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']} ({each['impact']}): {[node['html'] for node in each['nodes'][:3]]}"
        for each in found["violations"]
        if each["impact"] != "minor"
    ]


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", NARROW)], ids=["light", "dark and narrow"])
def test_axe_finds_nothing_serious(
    browser: "Browser", emulator: Emulator, packages: Path, scheme: str, size: dict[str, int]
) -> None:
    a_failing_test(emulator)
    emulator.faults.add("GET /v1/ping", status=503)
    with opened(browser, emulator.url, bypass_csp=True, color_scheme=scheme, viewport=size) as page:
        page.open()
        page.choose("401")
        found = {"journal": violations(page, packages)}
        page.details.get_by_role("button", name="Inspect token").first.click()
        expect(page.verdict).to_be_visible()
        found["token"] = violations(page, packages)
        page.show("World")
        expect(page.panel("actors")).to_contain_text("alice")
        found["world"] = violations(page, packages)
        page.page.keyboard.press("?")
        found["help"] = violations(page, packages)

    assert found == {"journal": [], "token": [], "world": [], "help": []}


# --- windows and schemes ----------------------------------------------------------------------------------------------


@pytest.fixture(params=[NARROW, ZOOMED], ids=["360 pixels", "zoomed to 200 %"])
def small(browser: "Browser", emulator: Emulator, request: pytest.FixtureRequest) -> "Iterator[Opened]":
    a_failing_test(emulator)
    with opened(browser, emulator.url, viewport=request.param) as page:
        yield page


def test_a_small_window_needs_no_scrolling_to_the_side(small: Opened) -> None:
    small.open()
    for view, place in (("Journal", "#grid"), ("Token", "#inspect-token"), ("World", '[data-panel="actors"] table')):
        small.show(view)
        expect(small.page.locator(place)).to_be_visible()

        assert small.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view


def test_in_a_small_window_only_one_thing_scrolls(browser: "Browser", emulator: Emulator) -> None:
    a_failing_test(emulator)
    with opened(browser, emulator.url, viewport=NARROW) as page:
        page.open()
        page.choose("401").get_by_role("button", name="Inspect token").first.click()
        expect(page.verdict).to_be_visible()
        for view in ("Token", "World", "Journal"):
            page.show(view)

            assert page.page.evaluate("document.documentElement.scrollHeight <= innerHeight"), view


def test_in_a_small_window_the_reason_is_in_the_row_and_the_details_take_the_window(small: Opened) -> None:
    small.open()
    expect(small.row("401").locator(".why")).to_be_visible()

    small.choose("401")

    expect(small.page.locator("#grid")).to_be_hidden()
    expect(small.details.locator(".why-block")).to_be_in_viewport()
    small.details.get_by_role("button", name="Close").click()
    expect(small.page.locator("#grid")).to_be_visible()


def test_the_colours_are_those_of_the_scheme(browser: "Browser", emulator: Emulator) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        with opened(browser, emulator.url, color_scheme=scheme) as page:
            page.open()
            grounds[scheme] = page.page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert grounds == {"light": "rgb(251, 251, 250)", "dark": "rgb(22, 24, 28)"}


def test_nothing_moves_for_whoever_wants_less_motion(browser: "Browser", emulator: Emulator) -> None:
    with opened(browser, emulator.url, reduced_motion="reduce") as page:
        page.open()
        page.page.evaluate("document.getElementById('link').dataset.state = 'broken'")

        assert page.page.evaluate("document.getAnimations().length") == 0


# --- types, and the picture -------------------------------------------------------------------------------------------


def test_the_types_of_the_script_are_right(packages: Path) -> None:
    options = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2024", "--module", "esnext"]
    tsc = packages / "node_modules" / "typescript" / "bin" / "tsc"

    done = subprocess.run(
        [command("node"), tsc, *options, "--lib", "es2024,dom,dom.iterable", PAGE / "page.js"],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )

    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.skipif("PAGE_PICTURE" not in os.environ, reason="`make picture` writes docs/page.png")
def test_the_picture_of_the_documentation(browser: "Browser", emulator: Emulator) -> None:
    emulator.begin(Config(freeze_at=datetime(2026, 1, 1, 12, tzinfo=UTC)))
    a_failing_test(emulator)
    with opened(browser, emulator.url, viewport={"width": 1000, "height": 470}) as page:
        page.open()
        page.choose("401")
        page.page.screenshot(path=PICTURE)
