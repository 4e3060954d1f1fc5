"""docs/faults.md: its examples run, no kind and no condition is missing, and its table is what clients do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import Emulator, running_in_thread
from emulator.faults.kinds import Do
from emulator.faults.step import Step
from tests.project.faults_table import CLIENTS, KINDS, column, columns_of, versions, versions_of
from tests.project.pages import Page, outcome_of, shell

PAGE = Page("docs/faults.md")


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with running_in_thread() as emulator:
        yield emulator


def test_each_example_runs(tmp_path: Path) -> None:
    examples = PAGE.blocks("python")

    outcome = outcome_of(tmp_path, examples)

    assert outcome.status == 0, outcome
    assert sum("def test_" in text for text in examples) == len(examples)


def test_each_curl_gets_the_answer_shown_below_it(served: Emulator) -> None:
    served.reset()

    assert len(PAGE.answered()) == 3
    assert PAGE.unlike(served.url, PAGE.answered()) == []


def test_the_last_curl_takes_all_faults_away(served: Emulator) -> None:
    served.reset()
    served.faults.add("GET /v1/ping", status=503)

    shell(PAGE.blocks("sh")[-1], served.url)

    assert len(served.faults) == 0


@pytest.mark.parametrize("name", [*Step.__struct_fields__, *Do.__struct_fields__])
def test_each_condition_and_each_kind_has_a_row(name: str) -> None:
    assert f"\n| `{name}` |" in PAGE.text, f"docs/faults.md has no row for {name}"


@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_behaves_as_in_the_table(served: Emulator, client: str) -> None:
    """The names of exceptions change with a client's major versions (httpx: minor, before 1.0)."""
    made_with, installed = versions_of(PAGE.text)[client], versions()[client]
    if _line(client, made_with) != _line(client, installed):
        pytest.skip(f"the table was made with {client} {made_with}, here is {installed}")

    found = column(served, client)

    assert found == columns_of(PAGE.text)[client], "run: python -m tests.project.faults_table"


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
    assert len(columns_of(PAGE.text)["fault"]) == len(KINDS)
