"""The workflows of GitHub, which no test here can run: actionlint, a Go module, finds no mistake in them."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.programs import command, fetched
from tests.limits import LIMIT
from tests.project.import_rules import ROOT

ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("actionlint")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOBIN", str(folder))
        fetched(command("go"), "install", ACTIONLINT, folder=folder)
    return command(str(folder / "actionlint"))


def linted(actionlint: str, file: Path) -> str:
    """What it finds. What else a machine may have, shellcheck for one, is not asked."""
    done = subprocess.run(
        [actionlint, "-shellcheck=", "-pyflakes=", str(file)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actionlint_finds_no_mistake(actionlint: str, file: Path) -> None:
    assert linted(actionlint, file) == ""


def test_actionlint_finds_one_where_there_is_one(actionlint: str, tmp_path: Path) -> None:
    wrong = tmp_path / "ci.yml"
    text = next(file for file in WORKFLOWS if file.name == "ci.yml").read_text(encoding="utf-8")
    wrong.write_text(text.replace("matrix.python }}", "matrix.pythons }}"), encoding="utf-8")

    assert 'property "pythons" is not defined' in linted(actionlint, wrong)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_each_make_command_is_a_target(file: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    used = re.findall(r"run: make ([\w-]+)", file.read_text(encoding="utf-8"))

    assert used
    assert [name for name in used if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []
