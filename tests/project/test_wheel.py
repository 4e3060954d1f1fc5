"""What users install: the built wheel, in an environment that has nothing else."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import requests

from tests.limits import LIMIT
from tests.project.import_rules import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def clean_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the wheel, what it needs, and nothing of the repository."""
    folder = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    _pip(str(python), "install", str(wheel))
    return python


def _pip(python: str, *arguments: str) -> None:
    subprocess.run([python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True, cwd="/")


def test_the_wheel_holds_the_package_and_nothing_beside_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert "emulator/py.typed" in names
    top = {name.partition("/")[0] for name in names}
    own = {"conftest_plugin.py", "emulator", "identity_emulator_names.py"}
    assert top == own | {"identity_emulator-0.2.0.dist-info"}


def test_the_wheel_holds_the_bundled_scenarios_and_their_schema(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert "emulator/_fixtures/scenario.schema.json" in names
    assert len([name for name in names if name.startswith("emulator/_fixtures/scenarios/")]) == 13


def test_the_wheel_holds_the_page_that_people_look_at(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    page = {name.rpartition("/")[2] for name in names if name.startswith("emulator/control/api/page/")}
    assert page == {"index.html", "page.css", "page.js"}


def test_the_installed_command_finds_its_scenarios(clean_python: Path, tmp_path: Path) -> None:
    command = [str(clean_python.with_name("identity-emulator")), "scenario", "validate", "two_friends", "crowded"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout == "two_friends: valid\ncrowded: valid\n"


def test_the_installed_command_serves(clean_python: Path, tmp_path: Path) -> None:
    command = [str(clean_python.with_name("identity-emulator")), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path) as process:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        identity = requests.post(f"{url}/v1/identity", timeout=LIMIT)
        row = requests.post(
            f"{url}/identity",
            json={"display_name": "JP", "creator": "0x81"},
            headers={"x-api-key": "00000000-0000-4000-8000-000000000001"},
            timeout=LIMIT,
        )
        document = requests.get(f"{url}/_emulator/openapi.json", timeout=LIMIT)
        script = requests.get(f"{url}/_emulator/page.js", timeout=LIMIT)
        process.terminate()

    assert [each.status_code for each in (identity, row, document, script)] == [200] * 4


def test_the_installed_plugin_gives_the_fixture(clean_python: Path, tmp_path: Path) -> None:
    _pip(str(clean_python), "install", "pytest")
    (tmp_path / "test_it.py").write_text(
        "def test_it(identity_emulator):\n    assert identity_emulator.spacetime.create_identity().token\n"
    )

    command = [str(clean_python), "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "1 passed" in done.stdout, done.stdout
