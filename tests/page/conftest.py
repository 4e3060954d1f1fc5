"""One browser for these tests. Its asyncio loop must not be there in others, so it ends with the package."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from emulator import Emulator

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.page.browsing import Opened


@pytest.fixture(scope="package")
def browser() -> "Iterator[Browser]":
    from tests.page.browsing import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: "Browser", emulator: Emulator) -> "Iterator[Opened]":
    """The session's emulator with a new world, and its page, not opened yet."""
    from tests.page.browsing import opened

    with opened(browser, emulator.url, permissions=["clipboard-read", "clipboard-write"]) as page:
        yield page
