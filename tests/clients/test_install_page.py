"""docs/install.md: each line that installs from a clone gives the command. Needs PyPI."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.programs import fetched
from tests.limits import LIMIT
from tests.project.import_rules import ROOT

TEXT = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
LINES = [line for line in re.findall(r"^\|[^|]*\| `([^`]*)` \|", TEXT, re.MULTILINE) if "docker" not in line]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of pip, pipx, uv and uvx, and of nothing else."""
    folder = tmp_path_factory.mktemp("tools")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    found = folder / ("Scripts" if sys.platform == "win32" else "bin")
    fetched(str(found / "python"), "-m", "pip", "--quiet", "install", "pipx", "uv", folder=folder)
    return found


@pytest.fixture(scope="module")
def beside_the_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beside")
    not_copied = shutil.ignore_patterns(".venv*", ".git", "__pycache__", ".*_cache", "node_modules", "target")
    shutil.copytree(ROOT, folder / "identity-emulator", ignore=not_copied)
    return folder


@pytest.mark.parametrize("line", LINES)
def test_each_line_gives_the_command(line: str, tools: Path, beside_the_clone: Path, tmp_path: Path) -> None:
    places = {
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "UV_TOOL_DIR": str(tmp_path / "uv"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        "UV_PYTHON": sys.executable,
        "PATH": os.pathsep.join([str(tmp_path / "bin"), str(tools), os.environ["PATH"]]),
    }
    # `uvx … serve` would serve; the others are asked afterwards.
    asked = line.replace(" serve", " --version") if line.startswith("uvx") else f"{line} && identity-emulator --version"

    done = subprocess.run(  # noqa: S602 - the page's own lines
        asked,
        shell=True,
        cwd=beside_the_clone,
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )

    assert "identity-emulator, version 0.2.0" in done.stdout, done.stdout + done.stderr


def test_the_page_has_pipx_uv_uvx_and_pip() -> None:
    assert [line.partition(" ")[0] for line in LINES] == ["pipx", "uv", "uvx", "pip"]
