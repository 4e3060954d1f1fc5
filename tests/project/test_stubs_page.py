"""docs/stubs.md: its examples run, its scenario is valid, and no field is missing."""

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from emulator import Emulator, running_in_thread
from emulator.scenario.loader import problems_of
from emulator.world.stubs import StubSpec
from tests.client import KEY
from tests.project.import_rules import ROOT
from tests.project.test_docs import BLOCK, as_pattern, shell
from tests.raw import exchange, request

TEXT = (ROOT / "docs" / "stubs.md").read_text(encoding="utf-8")
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

    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    scope = ["-o", "asyncio_default_fixture_loop_scope=function"]
    done = subprocess.run([*command, *scope], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert f"{len(blocks('python'))} passed" in done.stdout, done.stdout


def test_the_scenario_is_valid_and_its_stubs_answer(tmp_path: Path) -> None:
    [text] = blocks("yaml")
    path = tmp_path / "stubs.yaml"
    path.write_text(text, encoding="utf-8")

    assert list(map(str, problems_of(str(path)))) == []
    with running_in_thread(scenario=path) as emulator:
        for stub in emulator.stubs:
            method, _, target = stub.request.partition(" ")
            sent = request(method, target.replace("*", "x"), f"x-api-key: {KEY['x-api-key']}")
            exchange(emulator.url, sent)
        emulator.stubs.assert_done()


def test_each_curl_gets_the_answer_shown_below_it(served: Emulator) -> None:
    served.reset()
    shown = [(command, answer) for (kind, command), (_, answer) in pairwise(BLOCKS) if kind == "sh"]

    printed = [(shell(command, served.url).strip(), answer) for command, answer in shown[:5]]

    assert [got for got, answer in printed if not re.fullmatch(as_pattern(answer), got)] == []


def test_the_last_curl_removes_the_first_stub(served: Emulator) -> None:
    served.reset()
    for _ in range(2):
        served.stub("GET /claims")

    shell(blocks("sh")[-1], served.url)

    assert [stub.number for stub in served.stubs] == [2]


@pytest.mark.parametrize("name", [*StubSpec.__struct_fields__, "answer"])
def test_each_field_has_a_row(name: str) -> None:
    assert f"\n| `{name}` |" in TEXT, f"docs/stubs.md has no row for {name}"
