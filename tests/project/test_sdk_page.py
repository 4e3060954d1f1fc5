"""docs/sdk.md: its Python test passes, its scenario is valid, and its JavaScript is in the example."""

from pathlib import Path

from emulator.scenario.loader import problems_of
from tests.project.import_rules import ROOT
from tests.project.pages import Page, outcome_of

PAGE = Page("docs/sdk.md")


def block(language: str) -> str:
    [text] = PAGE.blocks(language)
    return text


def test_the_python_test_passes(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, [block("python")])

    assert "1 passed" in outcome.summary, outcome


def test_the_scenario_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "chat.yaml"
    path.write_text(block("yaml"), encoding="utf-8")

    assert list(map(str, problems_of(str(path)))) == []


def test_the_javascript_is_in_the_example() -> None:
    example = (ROOT / "examples" / "typescript-sdk" / "chat.test.mjs").read_text(encoding="utf-8")

    assert block("js") in example
