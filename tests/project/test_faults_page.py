"""docs/faults.md: its examples run, no kind and no condition is missing, and its table is what clients do."""

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from emulator import Emulator, running_in_thread
from emulator.faults.kinds import Do
from emulator.faults.step import Step
from tests.project.faults_table import CLIENTS, KINDS, PAGE, column, columns_of, versions, versions_of
from tests.project.test_docs import BLOCK, as_pattern, shell

TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = BLOCK.findall(TEXT)


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with running_in_thread() as emulator:
        yield emulator


def test_each_example_runs(tmp_path: Path) -> None:
    examples = [text for language, text in BLOCKS if language == "python"]
    for number, text in enumerate(examples):
        (tmp_path / f"test_example_{number}.py").write_text(text, encoding="utf-8")

    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    scope = ["-o", "asyncio_default_fixture_loop_scope=function"]
    done = subprocess.run([*command, *scope], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert sum("def test_" in text for text in examples) == len(examples)


def test_each_curl_gets_the_answer_shown_below_it(served: Emulator) -> None:
    served.reset()
    shown = [(command, answer) for (kind, command), (_, answer) in pairwise(BLOCKS) if kind == "sh"]

    printed = [(shell(command, served.url).strip(), answer) for command, answer in shown]

    assert len(printed) == 3
    assert [got for got, answer in printed if not re.fullmatch(as_pattern(answer), got)] == []


def test_the_last_curl_takes_all_faults_away(served: Emulator) -> None:
    served.reset()
    served.faults.add("GET /v1/ping", status=503)

    shell(BLOCKS[-1][1], served.url)

    assert len(served.faults) == 0


@pytest.mark.parametrize("name", [*Step.__struct_fields__, *Do.__struct_fields__])
def test_each_condition_and_each_kind_has_a_row(name: str) -> None:
    assert f"\n| `{name}` |" in TEXT, f"docs/faults.md has no row for {name}"


@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_behaves_as_in_the_table(served: Emulator, client: str) -> None:
    """The names of exceptions change with a client's major versions (httpx: minor, before 1.0)."""
    made_with, installed = versions_of(TEXT)[client], versions()[client]
    if _line(client, made_with) != _line(client, installed):
        pytest.skip(f"the table was made with {client} {made_with}, here is {installed}")

    found = column(served, client)

    assert found == columns_of(TEXT)[client], "run: python -m tests.project.faults_table"


def test_a_client_that_sends_twice_never_sees_a_fault_that_happens_once(served: Emulator) -> None:
    served.reset()
    fault = served.faults.add("GET /v1/health", times=1, drop="before")

    with CLIENTS["aiohttp"]() as send:
        assert send("GET", f"{served.url}/v1/health") == 200
    assert fault.fired == 1


def _line(client: str, version: str) -> str:
    """What is stable within; urllib is Python's, and the same from 3.11 on."""
    return version if client == "httpx" else version.partition(".")[0]


def test_the_table_has_every_kind_that_changes_the_answer() -> None:
    assert len(columns_of(TEXT)["fault"]) == len(KINDS)
