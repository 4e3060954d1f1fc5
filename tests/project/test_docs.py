"""The documents can't lag: what they name exists, what exists they name, and the README runs."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator import Emulator
from emulator.control.intuition import Intuition
from emulator.control.spacetimedb import Spacetime
from emulator.core.errors import Refused
from emulator.journal.queries import ExchangeQueries
from emulator.pytest_plugin.settings import KEYWORDS
from emulator.services.intuition import operations as intuition_operations
from emulator.services.intuition import refusals as intuition
from emulator.services.spacetimedb import operations as spacetime_operations
from emulator.services.spacetimedb import refusals as spacetime
from emulator.world.config import Settings
from tests.limits import LIMIT
from tests.project import cases_table, profiles_table
from tests.project.import_rules import ROOT
from tests.project.pages import Page, as_pattern, outcome_of, shell

README = Page("README.md")
FIDELITY = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")


# --- the README runs --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """What the README's first command starts, on a port that the system picks."""
    # Under `make test` this would be a make within make, which announces itself on stdout.
    outer_make = {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}
    environment = {name: value for name, value in os.environ.items() if name not in outer_make}
    environment["IDENTITY_EMULATOR_PORT"] = "0"
    command = README.blocks("sh")[0].split()
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as serve:
        assert serve.stdout
        ready = json.loads(serve.stdout.readline())
        yield ready["url"]
        os.kill(ready["pid"], 15)


def write_files(folder: Path) -> None:
    """The README's scenarios, by the name in their first line."""
    for text in README.blocks("yaml"):
        (folder / text.partition("\n")[0].removeprefix("# ")).write_text(text, encoding="utf-8")


def test_the_first_two_commands_are_serve_and_test() -> None:
    assert README.blocks("sh")[:2] == ["make serve\n", "make test\n"]


def test_make_test_is_a_target() -> None:
    """It is not run here, since it runs this test."""
    subprocess.run(["make", "-n", "test"], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("number", [2, 3, 4], ids=["spacetime", "intuition", "journal"])
def test_each_curl_gets_the_answer_shown_below_it(served: str, number: int) -> None:
    requests.post(f"{served}/_emulator/reset", timeout=LIMIT)

    printed = shell(README.blocks("sh")[number], served)

    assert re.fullmatch(as_pattern(README.blocks("json")[number - 2]), printed), printed


def test_the_remaining_shell_blocks_run(served: str, tmp_path: Path) -> None:
    write_files(tmp_path)
    for block in README.blocks("sh")[5:]:
        assert shell(block, served, tmp_path)


def test_the_ready_line_shown_has_the_real_keys() -> None:
    assert list(json.loads(README.blocks("json")[3])) == ["url", "port", "pid", "seed", "version", "profiles"]


@pytest.mark.parametrize("block", [block for block in README.blocks("python") if "def test_" not in block])
def test_each_python_block_runs(block: str) -> None:
    exec(compile(block, "README.md", "exec"), {})  # noqa: S102 - it is our own README


# --- the manual of the plugin -----------------------------------------------------------------------------------------

MANUAL = Page("docs/pytest.md")
PLUGIN = (ROOT / "conftest_plugin.py").read_text(encoding="utf-8")


def test_each_example_of_the_manual_runs(tmp_path: Path) -> None:
    write_files(tmp_path)
    in_readme = [text for text in README.blocks("python") if "def test_" in text]
    # Their client has two tries of half a second; on a busy machine an answer may take that long.
    examples = [text.replace("timeout=0.5", "timeout=3") for text in MANUAL.blocks("python") + in_readme]

    outcome = outcome_of(tmp_path, examples, "-p", "pytest_aiohttp.plugin", "--asyncio-mode=auto")

    assert outcome.status == 0, outcome
    assert "skipped" not in outcome


@pytest.mark.parametrize(
    "name",
    [
        *re.findall(r"@pytest.fixture(?:\([^)]*\))?\ndef (identity\w+|make\w+)", PLUGIN),
        *KEYWORDS,
        *re.findall(r'addoption\(\s*"(--[\w-]+)"', PLUGIN),
        *re.findall(r'addini\("(\w+)"', PLUGIN),
        *(name for name in vars(ExchangeQueries) if not name.startswith("_")),
        *(name for handle in (Emulator, Spacetime, Intuition) for name in vars(handle) if name[0] != "_"),
        *(name for name in ("now", "advance", "freeze", "resume", "skew")),
        *Settings.__annotations__,
    ],
)
def test_each_fixture_keyword_option_and_method_is_in_the_manual(name: str) -> None:
    assert re.search(rf"\b{re.escape(name.lstrip('-'))}\b", MANUAL.text), f"docs/pytest.md does not mention {name}"


# --- nothing is missing, nothing is made up ---------------------------------------------------------------------------

OPERATIONS = sorted(
    operation.name for operation in (*spacetime_operations.OPERATIONS, *intuition_operations.OPERATIONS)
)


def refusals(model: Any) -> list[str]:
    own = (each for each in vars(model).values() if isinstance(each, type) and each.__module__ == model.__name__)
    return sorted(each.__name__ for each in own if issubclass(each, Refused))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_is_in_fidelity_md(operation: str) -> None:
    assert f"| `{operation}` |" in FIDELITY


@pytest.mark.parametrize("name", refusals(spacetime) + refusals(intuition))
def test_each_refusal_is_in_fidelity_md(name: str) -> None:
    assert f"| `{name}` |" in FIDELITY


def test_fidelity_md_has_the_rules_of_all_profiles_as_they_are() -> None:
    assert profiles_table.in_page() == profiles_table.tables(), "python -m tests.project.profiles_table"


def test_fidelity_md_has_the_cases_that_ship_with_their_marks() -> None:
    assert cases_table.in_page() == "\n".join(cases_table.lines()), "python -m tests.project.cases_table"


def test_fidelity_md_names_nothing_that_does_not_exist() -> None:
    named = set(re.findall(r"^\| `([\w.]+)` \|", FIDELITY.replace(profiles_table.in_page(), ""), re.MULTILINE))

    assert named == {*OPERATIONS, *refusals(spacetime), *refusals(intuition)}


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md")), ids=lambda page: page.name
)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_and_the_manual_of_scenarios_have_one_friends_yaml() -> None:
    manual = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    [friends] = [text for text in README.blocks("yaml") if text.startswith("# friends.yaml")]

    assert f"```yaml\n{friends}```" in manual
