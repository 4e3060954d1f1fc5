"""The emulator's page in a real browser, as tests use it. Without Playwright the tests that import this are skipped."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright is in the group dev")

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Route,
    expect,
    sync_playwright,
)

from tests.waiting import PATIENCE

__all__ = ["Browser", "BrowserContext", "Locator", "Opened", "Page", "Request", "Route", "chromium", "expect", "opened"]

MILLISECONDS = 1000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP evil.example 127.0.0.1",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")

expect.set_options(timeout=PATIENCE * MILLISECONDS)


def browser_of_this_machine() -> str:
    """Its path; without one the test is skipped."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium here (Debian: apt-get install chromium)")
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    path = browser_of_this_machine()
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=FLAGS) as browser:
        yield browser


class Opened:
    """The page of an emulator, in a context of its own."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        """What the console says of errors, and what no code has caught; without requests that failed."""
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._heard)
        page.set_default_timeout(PATIENCE * MILLISECONDS)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.errors.append(message.text)

    def open(self, view: str = "") -> "Opened":
        """`view` is `token` or `world`; without one it is the journal. Waits for the emulator's state."""
        self.page.goto(f"{self.url}/_emulator/{f'#{view}' if view else ''}")
        expect(self.page.locator("#link")).to_have_text("live")
        expect(self.page.locator("#facts")).to_contain_text("seed")
        return self

    def show(self, view: str) -> None:
        """`Journal`, `Token` or `World`."""
        self.page.get_by_role("link", name=view, exact=True).click()

    # --- the journal

    @property
    def rows(self) -> Locator:
        """The rows of exchanges that are elements now."""
        return self.page.locator("#grid .rows .row:not([hidden])")

    def row(self, text: str) -> Locator:
        return self.rows.filter(has_text=text)

    def choose(self, text: str) -> Locator:
        """Open the details of the exchange whose row has this text."""
        self.row(text).first.click()
        expect(self.details.get_by_role("heading", level=3)).to_be_visible()
        return self.details

    @property
    def details(self) -> Locator:
        return self.page.locator("#details")

    @property
    def filters(self) -> Locator:
        return self.page.get_by_role("search")

    @property
    def count(self) -> Locator:
        return self.page.locator("#count")

    # --- tokens

    def inspect(self, token: str) -> None:
        """In the view of tokens."""
        self.page.locator("#inspect-token").fill(token)
        self.page.get_by_role("button", name="Inspect", exact=True).click()

    @property
    def verdict(self) -> Locator:
        return self.page.locator("#inspected .verdict")

    def failed_check(self, profile: str) -> Locator:
        return self.page.locator(f'.chain[data-profile="{profile}"] li[data-result="failed"]')

    # --- the world

    def panel(self, path: str) -> Locator:
        """By the control route that it shows."""
        return self.page.locator(f'[data-panel="{path}"]')


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Opened]:
    """The page in a new context; nothing in it may have gone wrong at the end."""
    with browser.new_context(**options) as context:
        page = Opened(context.new_page(), url)
        yield page
        assert page.errors == []
