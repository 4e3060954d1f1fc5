"""docs/sdk.md: its Python test passes, its scenario is valid, and its JavaScript is in the example."""

import re
import subprocess
import sys
from pathlib import Path

from emulator.scenario.loader import problems_of
from tests.project.import_rules import ROOT

TEXT = (ROOT / "docs" / "sdk.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    [text] = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return str(text)


def test_the_python_test_passes(tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(block("python"), encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    scope = ["-o", "asyncio_default_fixture_loop_scope=function"]
    done = subprocess.run([*command, *scope], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "1 passed" in done.stdout, done.stdout


def test_the_scenario_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "chat.yaml"
    path.write_text(block("yaml"), encoding="utf-8")

    assert list(map(str, problems_of(str(path)))) == []


def test_the_javascript_is_in_the_example() -> None:
    example = (ROOT / "examples" / "typescript-sdk" / "chat.test.mjs").read_text(encoding="utf-8")

    assert block("js") in example
