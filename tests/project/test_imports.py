"""Folders are the layers: no file imports upwards, in circles, or from the other service."""

import pytest

from tests.project.import_rules import LAYERS, ROOT, broken_rules, package, with_diagram


def test_no_import_is_against_the_rules() -> None:
    assert broken_rules(package()) == []


@pytest.mark.parametrize(
    ("module", "line", "said"),
    [
        ("http.request", "from emulator.world.world import World", "http.request imports world.world"),
        (
            "core.clock",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from emulator.journal.exchange import Exchange",
            "core.clock imports journal.exchange",
        ),
        (
            "world.config",
            "def late():\n    from emulator.control import emulator",
            "world.config imports control.emulator",
        ),
        ("journal.report", "import emulator.services.rust.base64url", "journal.report imports services.rust.base64url"),
        ("journal.queries", "from emulator.faults.step import Step", "journal.queries imports faults.step"),
        ("core.errors", "from emulator.core.clock import Clock", "core.errors -> core.clock"),
        ("services.intuition.model", "from emulator.services.spacetimedb import model", "don't know each other"),
        ("conformance.compare", "from emulator.core.errors import Refused", "conformance imports nothing else"),
        ("server.app", "from emulator.conformance import cases", "conformance.cases, which is for cli alone"),
        ("journal.journal", "from aiohttp import web", "journal.journal imports aiohttp"),
        ("control.remote", "import click", "control.remote imports click"),
        ("world.blueprint", "import cryptography", "world.blueprint imports cryptography"),
        ("tokens", "from conftest_plugin import watch", "tokens imports conftest_plugin"),
        ("__init__", "from emulator.server.run import running", "__init__ imports server.run"),
    ],
)
def test_an_import_against_the_rules_is_found(module: str, line: str, said: str) -> None:
    files = dict(package())
    if "->" in said:  # clock imports errors then, and errors clock
        files["core.clock"] += "\nfrom emulator.core.errors import Misconfigured\n"

    found = broken_rules({**files, module: f"{files[module]}\n{line}\n"})

    assert any(said in each for each in found), found


def test_a_file_in_a_folder_without_a_layer_is_found() -> None:
    assert "graveyard has no layer" in broken_rules({**package(), "graveyard": ""})


def test_each_folder_has_a_docstring() -> None:
    folders = [path.parent for path in (ROOT / "emulator").rglob("__init__.py")]

    assert all((folder / "__init__.py").read_text(encoding="utf-8").startswith('"""') for folder in folders)


def test_the_top_of_the_package_is_its_folders_and_a_few_files() -> None:
    entries = {path.name for path in (ROOT / "emulator").iterdir() if path.name != "__pycache__"}
    folders = {folder for layer in LAYERS for folder in layer if (ROOT / "emulator" / folder).is_dir()}

    assert entries == folders | {"__init__.py", "__main__.py", "py.typed", "tokens.py"}


def test_the_diagram_in_architecture_md_is_drawn_from_the_rules() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")

    assert page == with_diagram(page), "run: python -m tests.project.import_rules"
