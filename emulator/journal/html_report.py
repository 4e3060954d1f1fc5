"""The page as one file, with what was recorded in it: it opens without a server, and asks nobody."""

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple


class PageTexts(NamedTuple):
    """The three files of the page."""

    html: str
    style: str
    script: str


STYLE_TAG = '<link rel="stylesheet" href="page.css">'
SCRIPT_TAG = '<script type="module" src="page.js"></script>'
"""Where the page names its other files; each is there once."""
_HEAD = "<head>"


def html_report(page: PageTexts, recorded: Mapping[str, Any]) -> str:
    """The page with its styles, its script and the data in it. The browser runs nothing else (CSP 3, 2.4.1)."""
    style, script = _one_kind_of_line_end(page.style), _one_kind_of_line_end(page.script)
    data = f'<script type="application/json" id="recorded">{in_script(recorded)}</script>'
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">'
    whole = _replaced(_one_kind_of_line_end(page.html), _HEAD, f"{_HEAD}\n{policy}")
    whole = _replaced(whole, STYLE_TAG, f"<style>{style}</style>")
    return _replaced(whole, SCRIPT_TAG, f'{data}\n<script type="module">{script}</script>')


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _one_kind_of_line_end(text: str) -> str:
    """A browser hashes a text after it has made all line ends the same."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _replaced(whole: str, old: str, new: str) -> str:
    before, found, after = whole.partition(old)
    assert found, f"the page has no {old}"
    return f"{before}{new}{after}"


_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}


def in_script(value: Any) -> str:
    """JSON in ASCII that no parser of HTML takes for the end of a script, or for a comment in it."""
    return json.dumps(value).translate(_ESCAPED)
