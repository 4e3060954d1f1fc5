"""The page for people: its three files, who may have them, and what a browser lets them do."""

import re
from collections.abc import Iterator

import pytest

from emulator import Emulator
from emulator.control.api.access import Guard
from emulator.control.api.page_files import INDEX, SCRIPT, STYLE, page_file
from tests.control.calls import JSON, call
from tests.control.test_access import FOLLOWED
from tests.worlds import make_stage, served

FILES = {
    "/": "text/html; charset=utf-8",
    "/page.css": "text/css; charset=utf-8",
    "/page.js": "text/javascript; charset=utf-8",
}


@pytest.mark.parametrize(("path", "content_type"), FILES.items())
def test_a_file_is_served_with_its_type(emulator: Emulator, path: str, content_type: str) -> None:
    answer = call(emulator.url, "GET", path)

    assert answer.status == 200
    assert answer.header("content-type") == content_type
    assert answer.body


@pytest.mark.parametrize("path", FILES)
def test_no_other_origin_can_frame_read_or_hold_it(emulator: Emulator, path: str) -> None:
    answer = call(emulator.url, "GET", path)

    rules = (answer.header("content-security-policy") or "").split("; ")
    policy = dict(each.partition(" ")[::2] for each in rules)
    assert (policy["default-src"], policy["script-src"], policy["connect-src"]) == ("'none'", "'self'", "'self'")
    assert (policy["frame-ancestors"], policy["base-uri"], policy["form-action"]) == ("'none'", "'none'", "'none'")
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("cross-origin-resource-policy") == "same-origin"
    assert answer.header("cross-origin-opener-policy") == "same-origin"
    assert answer.header("referrer-policy") == "no-referrer"
    assert answer.header("access-control-allow-origin") is None


def test_no_text_can_become_markup(emulator: Emulator) -> None:
    policy = call(emulator.url, "GET", "/").header("content-security-policy") or ""

    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy


def test_its_address_without_the_slash_leads_to_it(emulator: Emulator) -> None:
    answer = call(emulator.url, "GET", "")

    assert (answer.status, answer.header("location")) == (308, "/_emulator/")


@pytest.mark.parametrize("path", ["", *FILES])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_sent_to_it(emulator: Emulator, method: str, path: str) -> None:
    answer = call(emulator.url, method, path, JSON, body="{}")

    assert (answer.status, answer.header("allow")) == (405, "GET,HEAD")


@pytest.mark.parametrize("path", ["", *FILES])
def test_another_host_is_403_as_after_dns_rebinding(emulator: Emulator, path: str) -> None:
    assert call(emulator.url, "GET", path, host="evil.example").status == 403


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("destination", ["script", "style", "image", "iframe", "empty"])
def test_a_page_of_another_site_can_not_embed_it(emulator: Emulator, path: str, destination: str) -> None:
    marks = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", f"Sec-Fetch-Dest: {destination}")

    assert call(emulator.url, "GET", path, *marks).status == 403


def test_a_page_of_another_origin_of_the_same_site_can_not_fetch_it(emulator: Emulator) -> None:
    marks = ("Origin: http://localhost:5173", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors")

    assert call(emulator.url, "GET", "/page.js", *marks).status == 403


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("", 308)])
def test_a_link_on_another_site_opens_it(emulator: Emulator, path: str, status: int) -> None:
    assert call(emulator.url, "GET", path, *FOLLOWED).status == status


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """An emulator that demands a token."""
    with served(make_stage(), Guard(("0.0.0.0",), "s3cret")) as emulator:
        yield emulator.url


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("path", "status"), [("", 308), ("/health", 200), *dict.fromkeys(FILES, 200).items()])
def test_it_needs_no_control_token(guarded: str, method: str, path: str, status: int) -> None:
    assert call(guarded, method, path, host="emulator:3000").status == status


@pytest.mark.parametrize(("method", "path"), [("GET", "/state"), ("GET", "/events"), ("POST", "/"), ("GET", "/page")])
def test_everything_else_needs_it(guarded: str, method: str, path: str) -> None:
    assert call(guarded, method, path).status == 401


# --- the files --------------------------------------------------------------------------------------------------------

STYLE_TAG, SCRIPT_TAG = '<link rel="stylesheet" href="page.css">', '<script type="module" src="page.js"></script>'


def text(name: str) -> str:
    return page_file(name).content.decode()


@pytest.mark.parametrize("tag", [STYLE_TAG, SCRIPT_TAG, "</head>"])
def test_the_page_names_each_file_once_where_a_report_has_its_text(tag: str) -> None:
    assert text(INDEX).count(tag) == 1


def test_the_page_asks_for_nothing_else() -> None:
    html = text(INDEX).replace(STYLE_TAG, "").replace(SCRIPT_TAG, "")

    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|@import|https?:", html, re.IGNORECASE)
    assert not re.search(r'\b(?:src|href)="(?!data:,|#)', html)


def test_no_text_of_the_files_ends_the_element_that_a_report_puts_it_in() -> None:
    assert not re.search(r"</script|<!--|<script", text(SCRIPT), re.IGNORECASE)
    assert not re.search(r"</style|<!--|@import|url\(", text(STYLE), re.IGNORECASE)


def test_the_script_makes_no_markup_of_texts() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text(SCRIPT))
