"""The blocks of docs/neighbours.md run, each section in a folder of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.limits import LIMIT
from tests.project.import_rules import ROOT
from tests.pytest_plugin.inner import only

PAGE = (ROOT / "docs" / "neighbours.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
PLUGINS = {"pytest-socket": "socket", "pyfakefs": "fakefs", "Hypothesis": "hypothesispytest"}
"""The entry points that sections need."""
BLOCK = re.compile(r"^```(?:python|ini)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_each_library_that_was_promised_has_a_section() -> None:
    promised = "responses respx aioresponses pytest-socket pyfakefs Hypothesis Playwright FastAPI Flask Django unittest"

    assert [name for name in [*promised.split(), "Docker"] if name not in " ".join(SECTIONS)] == []


@pytest.mark.parametrize("section", [name for name, text in SECTIONS.items() if "```" in text])
def test_the_blocks_of_a_section_run(section: str, tmp_path: Path) -> None:
    files = BLOCK.findall(SECTIONS[section])
    for name, text in files:
        (tmp_path / name).write_text(_with_a_browser(text), encoding="utf-8")
    assert len(files) == SECTIONS[section].count("```") // 2

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *only(PLUGINS.get(section, ""))]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def _with_a_browser(text: str) -> str:
    """This machine's, in the place of the one that Playwright would have downloaded."""
    if "chromium.launch()" not in text:
        return text
    from tests.page.browsing import FLAGS, browser_of_this_machine

    return text.replace("launch()", f"launch(executable_path={browser_of_this_machine()!r}, args={list(FLAGS)})")
