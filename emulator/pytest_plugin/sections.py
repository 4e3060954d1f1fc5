"""What the report of a failed test says of an emulator."""

import os
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from emulator.control.emulator import Address, Emulator
from emulator.control.no_proxy import proxied
from emulator.core.errors import Misconfigured
from emulator.core.fake_files import real_files
from emulator.journal.exchange import Exchange
from emulator.journal.masking import LONGEST
from emulator.journal.report import short
from emulator.pytest_plugin.settings import ReportLimits

SECTION = "identity emulator"
TEARDOWN = "identity emulator, in teardown"
"""pytest prints the sections of a passed teardown below the failed test, if `teardown` is in their name."""
UNMATCHED = "identity emulator, unmatched in teardown"


def section(
    emulator: Emulator, exchanges: Sequence[Exchange], lost: Sequence[str], limits: ReportLimits, *, secrets: bool
) -> str:
    """The exchanges, and what else may be the reason for a failure."""
    notes = _notes(emulator, exchanges, lost)
    return "\n".join([emulator.report(exchanges, secrets=secrets, **limits), *notes])


def _notes(emulator: Emulator, exchanges: Sequence[Exchange], lost: Sequence[str]) -> list[str]:
    """What else may be the reason."""
    return [*_waiting(emulator), *_lost(lost), *(() if exchanges else _proxied(emulator))]


def html_name(nodeid: str, number: int = 1) -> str:
    """The name of a file for a test, which any system takes and no other test has; `number` is of its emulator."""
    words = _NOT_IN_NAMES.sub("-", nodeid).strip("-")[-_LONGEST_NAME:].strip("-")
    more = "" if number == 1 else f"-{number}"
    return f"{words}-{sha256(nodeid.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}{more}.html"


_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]+")
_LONGEST_NAME = 120
"""Characters; the end of a node id says most."""


def written_page(
    emulator: Emulator,
    exchanges: Sequence[Exchange],
    lost: Sequence[str],
    path: Path,
    report: pytest.TestReport,
    *,
    secrets: bool,
) -> str:
    """Writes the page of a failed test; a line that says where it is, or why it is not."""
    notes = [*_failure(report), *_notes(emulator, exchanges, lost)]
    try:
        with real_files():
            emulator.report_html(path, exchanges, title=report.nodeid, notes=notes, secrets=secrets)
    except Misconfigured as error:
        return f"no page of it was written: {error}"
    return f"as a page: {path}"


def _failure(report: pytest.TestReport) -> list[str]:
    """The first line of what pytest says went wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    said = crash.message if crash is not None else report.longrepr if isinstance(report.longrepr, str) else ""
    return [line[:LONGEST] for line in said.strip().splitlines()[:1]]


def property_of(exchanges: Sequence[Exchange]) -> tuple[str, object]:
    """For junit XML, which has no sections."""
    return ("identity_emulator", short(exchanges))


def _waiting(emulator: Emulator) -> list[str]:
    try:
        return [f"fault not done: {fault!r}" for fault in emulator.faults if not fault.done]
    except Misconfigured:  # a remote emulator that has stopped
        return []


def _lost(lost: Sequence[str]) -> list[str]:
    if not lost:
        return []
    return [
        f"not in this world, which began after it: what wider fixtures made with {', '.join(lost)}. "
        "Put it into the scenario of identity_emulator_config; or give the fixture a world of its own, with "
        "identity_emulator_factory; or keep a world for longer, with identity_emulator_reset = module (or session) in "
        "the ini file"
    ]


def _proxied(emulator: Emulator) -> list[str]:
    address = Address(emulator.url, "")
    host = address.host
    if (variable := proxied(host, os.environ, address.scheme)) is None:
        return []
    return [
        f"{variable} is set, and NO_PROXY does not name {host}: the proxy may have got the requests. "
        "identity_emulator.patch_env(monkeypatch) and identity_emulator.env() exclude the host"
    ]
