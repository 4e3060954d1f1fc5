"""The journal as HAR 1.2 in the network panel of Chromium's developer tools, which are a page themselves."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests
import websockets.sync.client
from websockets.typing import Subprotocol

from emulator import Emulator
from emulator.journal.har import har
from tests.page.browsing import Locator, expect
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TOOLS = "devtools://devtools/bundled"
IMPORT = f"""async text => {{
  const {{NetworkPanel}} = await import("{TOOLS}/panels/network/network.js");
  const {{ViewManager}} = await import("{TOOLS}/ui/legacy/legacy.js");
  await ViewManager.ViewManager.instance().showView("network");
  await NetworkPanel.NetworkPanel.instance().networkLogView.onLoadFromFile(new File([text], "all.har"));
}}"""
"""What "Import HAR file" does. Nothing promises these names."""


@pytest.fixture
def rows(browser: "Browser", emulator: Emulator) -> Iterator[Locator]:
    """Of the panel that has imported three exchanges, one of them a WebSocket's."""
    from playwright.sync_api import Error

    emulator.load("two_friends")
    token = emulator.actors["alice"].token
    requests.post(f"{emulator.url}/v1/identity", timeout=PATIENCE)
    requests.post(f"{emulator.url}/v1/pong", headers={"Authorization": "Bearer x"}, timeout=PATIENCE)
    with websockets.sync.client.connect(
        f"{emulator.url}/v1/database/chat/subscribe".replace("http", "ws"),
        subprotocols=[Subprotocol("v1.json.spacetimedb")],
        additional_headers={"Authorization": f"Bearer {token}"},
    ) as client:
        client.recv()
    with browser.new_context() as context:
        page = context.new_page()
        try:
            page.goto(f"{TOOLS}/devtools_app.html")
            page.evaluate(IMPORT, json.dumps(har(list(emulator.journal.exchanges), emulator.url)))
        except Error as error:
            pytest.skip(f"the developer tools of this Chromium are made otherwise: {error.message[:200]}")
        yield page.locator("tr.data-grid-data-grid-node")


def test_the_network_panel_shows_what_was_exchanged(rows: Locator) -> None:
    expect(rows).to_contain_text(
        [re.compile("^identity.*200"), re.compile("^pong.*404"), re.compile("^subscribe.*101.*websocket")]
    )


def test_it_shows_the_frames_of_a_websocket(rows: Locator) -> None:
    rows.nth(2).locator("td").first.click()
    rows.page.get_by_role("tab", name="Messages").click()

    expect(rows.page.locator("tr", has_text="IdentityToken").first).to_be_visible()
