"""Pages of the documentation: their code blocks, and what comes of running them."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from tests.limits import LIMIT
from tests.project.import_rules import ROOT
from tests.pytest_plugin.inner import LOOP_SCOPE, Outcome, Run

BLOCK = re.compile(r"^```(sh|python|json|yaml|js)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Page:
    """`Page("docs/stubs.md")`"""

    def __init__(self, name: str) -> None:
        self.text = (ROOT / name).read_text(encoding="utf-8")
        self._blocks = BLOCK.findall(self.text)

    def blocks(self, language: str) -> list[str]:
        return [text for found, text in self._blocks if found == language]

    def answered(self) -> list[tuple[str, str]]:
        """Each shell block, and the block below it."""
        return [(text, below) for (language, text), (_, below) in pairwise(self._blocks) if language == "sh"]

    def unlike(self, url: str, shown: list[tuple[str, str]]) -> list[str]:
        """What shell blocks print that is not what is shown below them."""
        printed = [(shell(command, url).strip(), answer) for command, answer in shown]
        return [got for got, answer in printed if not re.fullmatch(as_pattern(answer), got)]


def shell(command: str, url: str, folder: Path = ROOT) -> str:
    """What a shell block prints when it is run, its port replaced by the test's."""
    moved = command.replace("http://127.0.0.1:3000", url).replace(".venv/bin", str(Path(sys.executable).parent))
    done = subprocess.run(["sh", "-ec", moved], cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=True)
    return done.stdout


def as_pattern(answer: str) -> str:
    """`…` on a page stands for anything."""
    return re.escape(answer.strip()).replace("…", ".*")


def outcome_of(folder: Path, examples: list[str], *options: str) -> Outcome:
    """What pytest prints of Python blocks that are test files."""
    run = Run(folder)
    for number, text in enumerate(examples):
        (folder / f"test_example_{number}.py").write_text(text, encoding="utf-8")
    return run("-q", "-p", "pytest_asyncio.plugin", *LOOP_SCOPE, *options)
