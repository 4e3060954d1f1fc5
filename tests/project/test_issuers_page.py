"""docs/issuers.md: its examples run, its scenario is valid, and no argument, method or route is missing."""

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import requests

from emulator import Emulator, running_in_thread
from emulator.control.api.routes import OPERATIONS
from emulator.control.issuers import Issuer
from emulator.scenario.loader import problems_of
from emulator.scenario.schema import IssuerPart
from tests.project.import_rules import ROOT
from tests.project.test_docs import BLOCK, as_pattern, shell
from tests.waiting import PATIENCE

TEXT = (ROOT / "docs" / "issuers.md").read_text(encoding="utf-8")
BLOCKS = BLOCK.findall(TEXT)


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCKS if found == language]


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with running_in_thread() as emulator:
        yield emulator


def test_each_python_block_runs(tmp_path: Path) -> None:
    for number, text in enumerate(blocks("python")):
        (tmp_path / f"test_example_{number}.py").write_text(text, encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    scope = ["-o", "asyncio_default_fixture_loop_scope=function"]
    done = subprocess.run([*command, *scope], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert f"{len(blocks('python'))} passed" in done.stdout, done.stdout


def test_the_scenario_is_valid_and_the_played_issuers_sign(tmp_path: Path) -> None:
    path = tmp_path / "issuers.yaml"
    [text] = blocks("yaml")
    path.write_text(text, encoding="utf-8")

    assert list(map(str, problems_of(str(path)))) == []
    with running_in_thread(scenario=path) as emulator:
        for name in ("alice", "bob"):
            headers = {"Authorization": f"Bearer {emulator.actors[name].token}"}
            url = f"{emulator.url}/v1/identity/{emulator.actors[name].identity}/verify"
            assert requests.get(url, headers=headers, timeout=PATIENCE).status_code == 204


def test_each_curl_gets_the_answer_shown_below_it(served: Emulator) -> None:
    served.reset()
    shown = [(command, answer) for (kind, command), (_, answer) in pairwise(BLOCKS) if kind == "sh"]

    printed = [(shell(command, served.url).strip(), answer) for command, answer in shown]

    assert [got for got, answer in printed if not re.fullmatch(as_pattern(answer), got)] == []
    assert len(shown) == 3


@pytest.mark.parametrize("name", [name for name in dir(Issuer) if not name.startswith("_")])
def test_each_member_has_a_row(name: str) -> None:
    assert f"`.{name}" in TEXT


@pytest.mark.parametrize("name", IssuerPart.__struct_fields__)
def test_each_key_of_a_scenario_is_named(name: str) -> None:
    assert f"{name}:" in TEXT or f"`{name}`" in TEXT


@pytest.mark.parametrize("path", sorted({path for each in OPERATIONS for path in each.paths if "/issuers" in path}))
def test_each_route_is_named(path: str) -> None:
    assert path.replace(":n/.well-known/jwks.json", ":n/.well-known/openid-configuration") in TEXT
