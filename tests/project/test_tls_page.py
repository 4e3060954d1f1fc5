"""docs/tls.md: its Python tests pass, and what it names exists."""

import re
from pathlib import Path

from emulator.control.trust import ADDING, CA_FILE, REPLACING, TRUSTSTORE
from tests.project.import_rules import ROOT
from tests.project.pages import Page, outcome_of

PAGE = Page("docs/tls.md")


def test_its_tests_pass(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, PAGE.blocks("python"))

    assert "3 passed" in outcome.summary, outcome


def test_its_table_has_every_variable() -> None:
    assert re.findall(r"^\| `([A-Z_]+)`", PAGE.text, re.MULTILINE) == [*REPLACING, ADDING, CA_FILE, TRUSTSTORE]


def test_it_is_linked() -> None:
    for page in ("README.md", "docs/pytest.md"):
        assert "tls.md" in (ROOT / page).read_text(encoding="utf-8")
