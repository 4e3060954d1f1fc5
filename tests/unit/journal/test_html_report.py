"""The page as one file: its data can't break out, and the browser runs nothing but its script."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.journal.html_report import SCRIPT_TAG, STYLE_TAG, PageTexts, html_report, in_script

INDEX = (
    f'<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n{STYLE_TAG}\n{SCRIPT_TAG}\n</head><body></body></html>\n'
)
PAGE = PageTexts(INDEX, "p { color: red }\n", "const a = 1;\n")


class Parsed(HTMLParser):
    """The elements of a page, with their attributes and the texts directly in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.found:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}", {}, ""))

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, text) for found, attributes, text in self.found if found == tag]


def data_in(page: str) -> Any:
    [text] = [text for attributes, text in Parsed(page).all("script") if attributes.get("id") == "recorded"]
    return json.loads(text)


def hash_of(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "&lt;",
    "\u2028\u2029\0\x7f",
    "\ud800",
    "</SCRIPT >",
]
ANY_JSON = st.recursive(
    st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_ends_the_script_that_it_is_in(text: str) -> None:
    page = html_report(PAGE, {text: [text]})

    assert data_in(page) == {text: [text]}
    assert [tag for tag, _, _ in Parsed(page).found] == [tag for tag, _, _ in Parsed(html_report(PAGE, {})).found]


@given(value=ANY_JSON)
def test_any_json_is_ascii_without_markup_and_the_same_when_it_is_read(value: Any) -> None:
    text = in_script(value)

    assert text.isascii()
    assert not re.search("[<>&]", text)
    assert json.loads(text) == value


def test_the_browser_runs_its_own_script_and_no_other() -> None:
    page = html_report(PAGE, {})

    [policy] = [each["content"] for each, _ in Parsed(page).all("meta") if "http-equiv" in each]
    assert policy is not None
    rules = dict(each.partition(" ")[::2] for each in policy.split("; "))
    [script] = [text for each, text in Parsed(page).all("script") if each.get("type") == "module"]
    [(_, style)] = Parsed(page).all("style")
    assert (rules["script-src"], rules["style-src"]) == (hash_of(script), hash_of(style))
    assert (rules["default-src"], rules["base-uri"], rules["form-action"]) == ("'none'", "'none'", "'none'")
    assert "unsafe" not in policy


def test_the_policy_comes_before_everything_that_it_is_about() -> None:
    tags = [tag for tag, _, _ in Parsed(html_report(PAGE, {})).found]

    assert tags[:4] == ["html", "head", "meta", "meta"]


def test_files_with_line_ends_of_windows_have_the_same_hashes() -> None:
    windows = PageTexts(*(text.replace("\n", "\r\n") for text in PAGE))

    assert html_report(windows, {}) == html_report(PAGE, {})


def test_it_names_no_other_file() -> None:
    page = html_report(PAGE, {})

    assert not re.search(r'(?:src|href)="', page)
