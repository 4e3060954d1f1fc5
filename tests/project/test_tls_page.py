"""docs/tls.md: its Python tests pass, and what it names exists."""

import re
import subprocess
import sys
from pathlib import Path

from emulator.control.trust import ADDING, CA_FILE, REPLACING, TRUSTSTORE
from tests.limits import LIMIT
from tests.project.import_rules import ROOT

TEXT = (ROOT / "docs" / "tls.md").read_text(encoding="utf-8")


def test_its_tests_pass(tmp_path: Path) -> None:
    [text] = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (tmp_path / "test_example.py").write_text(text, encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    scope = ["-o", "asyncio_default_fixture_loop_scope=function"]
    done = subprocess.run([*command, *scope], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=LIMIT)

    assert "3 passed" in done.stdout, done.stdout


def test_its_table_has_every_variable() -> None:
    assert re.findall(r"^\| `([A-Z_]+)`", TEXT, re.MULTILINE) == [*REPLACING, ADDING, CA_FILE, TRUSTSTORE]


def test_it_is_linked() -> None:
    for page in ("README.md", "docs/pytest.md"):
        assert "tls.md" in (ROOT / page).read_text(encoding="utf-8")
