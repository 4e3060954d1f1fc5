"""Users' files: typed ones pass the type checkers, the examples' suites pass."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.limits import LIMIT
from tests.project.import_rules import ROOT
from tests.pytest_plugin.inner import only

BIN = Path(sys.executable).parent
EXAMPLES = ROOT / "examples"


def run(*command: str, folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_typed_test_file_passes_mypy_strict() -> None:
    run(sys.executable, "-m", "mypy", "--strict", "tests/project/downstream.py", folder=ROOT)


def test_a_typed_test_file_passes_pyright() -> None:
    run(sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "tests/project/downstream.py", folder=ROOT)


MISTAKES = "tests/project/mistakes.py"
CHECKERS = {
    "mypy": [sys.executable, "-m", "mypy", "--strict", "--config-file", "", MISTAKES],
    "pyright": [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, MISTAKES],
}


@pytest.mark.parametrize("command", CHECKERS.values(), ids=CHECKERS)
def test_each_mistake_in_a_typed_test_file_is_found_and_nothing_else(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)

    reported = {int(number) for number in re.findall(r"mistakes\.py:(\d+):.*error", done.stdout)}
    lines = (ROOT / MISTAKES).read_text(encoding="utf-8").splitlines()
    assert reported == {number for number, line in enumerate(lines, 1) if re.search(r"# wrong( |$)", line)}, (
        done.stdout + done.stderr
    )


@pytest.mark.parametrize("name", ["requests", "aiohttp"])
def test_the_python_examples_pass(name: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *only("aiohttp", "asyncio")]

    assert " passed" in run(*command, folder=EXAMPLES / name)
