"""The three files of the page that people look at, from the package; what its browser lets it do."""

from functools import cache
from typing import NamedTuple

from emulator.core.fake_files import real_files

INDEX, STYLE, SCRIPT = "index.html", "page.css", "page.js"

_TYPES = {INDEX: "text/html", STYLE: "text/css", SCRIPT: "text/javascript"}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""With trusted types no text becomes markup, even if the script is wrong."""
_HEADERS = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
"""No page of another origin can frame, read or hold the page; after an update no browser has an old one."""
HEADERS = "".join(f"{name}: {value}\r\n" for name, value in _HEADERS.items()).encode()
"""Of all three, as complete lines."""


class PageFile(NamedTuple):
    content: bytes
    content_type: str


@cache
def page_file(name: str) -> PageFile:
    """One of the three files, read when it is first asked for."""
    from importlib.resources import files

    with real_files():
        content = (files("emulator.control.api") / "page" / name).read_bytes()
    return PageFile(content, f"{_TYPES[name]}; charset=utf-8")
