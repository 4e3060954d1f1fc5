"""What comes with a request is text, other origins get nothing, and the control token is kept nowhere."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import requests

from emulator import Emulator, running_in_thread
from tests.client import KEY
from tests.page.browsing import Opened, Route, expect, opened
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCRIPT = Path(__file__).parents[2] / "emulator" / "control" / "api" / "page" / "page.js"
MARKUP = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>'
TOKEN = "correct horse battery"


# --- hostile requests -------------------------------------------------------------------------------------------------


def send_raw(emulator: Emulator, target: bytes, header: bytes) -> None:
    with socket.create_connection(("127.0.0.1", emulator.port)) as client:
        client.sendall(
            b"GET %b HTTP/1.1\r\nhost: 127.0.0.1\r\nx-test: %b\r\nconnection: close\r\n\r\n" % (target, header)
        )
        while client.recv(65536):
            pass


def send_body(emulator: Emulator, text: str) -> None:
    headers = KEY | {"Content-Type": "application/json"}
    requests.post(f"{emulator.url}/identity", data=text.encode(), headers=headers, timeout=PATIENCE)


def is_harmed(page: Opened) -> bool:
    return bool(page.page.evaluate("'hacked' in window || document.querySelector('main img, main script') !== null"))


def test_markup_in_bodies_is_text(page: Opened, emulator: Emulator) -> None:
    page.open()
    texts = [MARKUP, "<b>bold</b>", "\"'&amp;</textarea></dialog>", "javascript:hacked()"]
    for number, text in enumerate(texts, start=1):
        send_body(emulator, text)

        page.row("/identity").nth(number - 1).click()

        expect(page.details.get_by_role("heading", level=3)).to_contain_text(f"#{number} ")
        expect(page.details.locator("pre.body").first).to_have_text(text)
    assert not is_harmed(page)


def test_markup_in_a_path_and_in_a_header_is_text(page: Opened, emulator: Emulator) -> None:
    page.open()
    send_raw(emulator, b"/<script>window.hacked=1</script>", MARKUP.encode())

    details = page.choose("/<script>")

    expect(details.get_by_role("heading", level=3)).to_contain_text("/<script>window.hacked=1</script>")
    expect(details.locator("dd", has_text="<img src=x")).to_have_count(1)
    assert not is_harmed(page)


def test_markup_in_names_of_the_world_is_text(page: Opened, emulator: Emulator) -> None:
    requests.post(
        f"{emulator.url}/identity", json={"display_name": MARKUP, "creator": MARKUP}, headers=KEY, timeout=PATIENCE
    )
    page.open("world")

    expect(page.panel("intuition/identities")).to_contain_text(MARKUP)
    assert not is_harmed(page)


def test_what_turns_the_direction_of_text_is_shown_as_an_escape(page: Opened, emulator: Emulator) -> None:
    page.open()
    send_raw(emulator, b"/a", "\u202egnp.exe\u2066 \u200b".encode())
    send_body(emulator, "\u202eabc\x1b[31m\u2028")

    expect(page.choose("/identity").locator("pre.body").first).to_have_text("\\u202eabc\\x1b[31m\\u2028")
    expect(page.choose("/a").locator("dd", has_text="gnp")).to_have_text("\\u202egnp.exe\\u2066 \\u200b")
    assert "\u202e" not in page.page.content()


def test_markup_in_a_token_is_text(page: Opened, emulator: Emulator) -> None:
    page.open("token")

    page.inspect(emulator.spacetime.sign({"iss": MARKUP, "sub": MARKUP, "iat": 1, "aud": []}, {"typ": MARKUP}))

    expect(page.page.locator("#inspected")).to_contain_text(MARKUP.replace('"', '\\"'))
    assert not is_harmed(page)


@pytest.mark.parametrize(
    "word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "localStorage",
             "sessionStorage", "indexedDB", "document.cookie", "createContextualFragment", "DOMParser", "srcdoc"]
)  # fmt: skip
def test_the_script_has_nothing_that_reads_markup_or_stores(word: str) -> None:
    assert word not in SCRIPT.read_text(encoding="utf-8")


# --- other origins ----------------------------------------------------------------------------------------------------

EVIL = "<!doctype html><title>evil</title><body></body>"


@pytest.fixture
def evil_page(browser: "Browser") -> "Iterator[Opened]":
    """A page of another origin and site."""
    with served_text(EVIL) as port, browser.new_context() as context:
        page = Opened(context.new_page(), "")
        page.page.goto(f"http://evil.example:{port}/")
        yield page


@contextmanager
def served_text(text: str) -> Iterator[int]:
    """The port of a server that answers every GET with this page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_another_origin_reads_nothing(evil_page: Opened, emulator: Emulator) -> None:
    paths = ["", "page.js", "page.css", "events", "state", "journal"]
    read = """urls => Promise.all(urls.map(async url => [
      await fetch(url, {mode: "no-cors"}).then(answer => answer.type, error => error.name),
      await fetch(url).then(answer => answer.text(), error => error.name),
    ]))"""

    found = evil_page.page.evaluate(read, [f"{emulator.url}/_emulator/{path}" for path in paths])

    assert {blind for blind, _ in found} <= {"TypeError", "opaque"}
    assert [seen for _, seen in found] == ["TypeError"] * len(paths)


def test_another_origin_can_not_frame_it(evil_page: Opened, emulator: Emulator) -> None:
    evil_page.page.evaluate(
        """url => new Promise(done => {
          const frame = document.createElement("iframe");
          frame.onload = frame.onerror = done;
          frame.src = url;
          document.body.append(frame);
        })""",
        f"{emulator.url}/_emulator/",
    )

    assert evil_page.page.frames[1].locator("#grid").count() == 0


def test_another_origin_can_not_run_its_script(evil_page: Opened, emulator: Emulator) -> None:
    ran = evil_page.page.evaluate(
        """url => new Promise(done => {
          const script = document.createElement("script");
          script.onload = () => done("ran");
          script.onerror = () => done("blocked");
          script.src = url;
          document.body.append(script);
        })""",
        f"{emulator.url}/_emulator/page.js",
    )

    assert ran == "blocked"


def test_another_origin_that_opens_it_has_no_handle_of_it(evil_page: Opened, emulator: Emulator) -> None:
    with evil_page.page.expect_popup() as popup:
        evil_page.page.evaluate("url => { window.other = window.open(url) }", f"{emulator.url}/_emulator/")
    expect(popup.value.locator("#link")).to_have_text("live")

    assert popup.value.evaluate("window.opener") is None
    assert evil_page.page.evaluate("window.other.closed") is True


def test_a_link_of_another_site_opens_it(evil_page: Opened, emulator: Emulator) -> None:
    evil_page.page.evaluate("url => { location.href = url }", f"{emulator.url}/_emulator/")

    expect(evil_page.page.locator("#link")).to_have_text("live")


# --- the control token ------------------------------------------------------------------------------------------------


@pytest.fixture
def guarded(browser: "Browser") -> "Iterator[Opened]":
    """The page of an emulator with a control token."""
    with running_in_thread(control_token=TOKEN) as emulator, opened(browser, emulator.url) as page:
        page.page.goto(f"{page.url}/_emulator/#world")
        yield page


def give(page: Opened, token: str) -> None:
    page.page.get_by_role("textbox", name="Control token").fill(token)
    page.page.get_by_role("button", name="Use it").click()


def test_the_control_token_is_asked_for_once(guarded: Opened) -> None:
    give(guarded, TOKEN)

    expect(guarded.page.locator("#link")).to_have_text("live")
    expect(guarded.panel("clock")).to_contain_text("Running")
    expect(guarded.page.get_by_role("dialog")).to_have_count(0)
    guarded.panel("clock").get_by_role("button", name="Freeze", exact=True).click()
    expect(guarded.panel("clock")).to_contain_text("Frozen")


def test_a_wrong_control_token_is_refused_in_the_dialog(guarded: Opened) -> None:
    give(guarded, "wrong")

    expect(guarded.page.get_by_role("dialog")).to_contain_text("That is not the control token of this emulator.")
    give(guarded, TOKEN)
    expect(guarded.page.locator("#link")).to_have_text("live")


def test_the_control_token_is_kept_in_memory_only(guarded: Opened) -> None:
    give(guarded, TOKEN)
    expect(guarded.page.locator("#link")).to_have_text("live")

    stored = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state])"
    assert TOKEN not in guarded.page.evaluate(stored)
    assert TOKEN not in guarded.page.content()

    guarded.page.reload()
    expect(guarded.page.get_by_role("dialog")).to_be_visible()


def test_whoever_gives_no_control_token_is_not_asked_again_by_the_page_itself(guarded: Opened) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    guarded.page.route("**/_emulator/events", hold)
    guarded.page.reload()
    expect(guarded.page.get_by_role("dialog")).to_be_visible()
    guarded.page.keyboard.press("Escape")
    expect(guarded.panel("clock")).to_contain_text("the control token is missing or wrong")

    held[0].continue_()

    expect(guarded.page.locator("#link")).to_contain_text("the control token is missing or wrong")
    expect(guarded.page.get_by_role("dialog")).to_have_count(0)


def test_whoever_gives_no_control_token_can_do_so_later(guarded: Opened) -> None:
    expect(guarded.page.get_by_role("dialog")).to_be_visible()
    guarded.page.keyboard.press("Escape")
    expect(guarded.page.locator("#link")).to_contain_text("the control token is missing or wrong")

    guarded.page.get_by_role("button", name="Connect again").click()
    give(guarded, TOKEN)

    expect(guarded.page.locator("#link")).to_have_text("live")


def test_from_another_machine_over_plain_http_it_copies_too(guarded: Opened) -> None:
    guarded.page.goto(guarded.url.replace("127.0.0.1", "evil.example") + "/_emulator/#world")
    give(guarded, TOKEN)
    keys = guarded.panel("intuition/api-keys")
    assert guarded.page.evaluate("navigator.clipboard") is None

    keys.get_by_role("button", name="Copy key").first.click()
    expect(keys.get_by_text("Copied")).to_be_visible()

    keys.get_by_role("searchbox").focus()
    guarded.page.keyboard.press("Control+V")
    expect(keys.get_by_role("searchbox")).to_have_value("00000000-0000-4000-8000-000000000001")
    assert all("Cross-Origin-Opener-Policy header has been ignored" in each for each in guarded.errors)
    guarded.errors.clear()
