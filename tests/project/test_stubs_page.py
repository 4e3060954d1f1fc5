"""docs/stubs.md: its examples run, its scenario is valid, and no field is missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import Emulator, running_in_thread
from emulator.scenario.loader import problems_of
from emulator.world.stubs import StubSpec
from tests.client import KEY
from tests.project.pages import Page, outcome_of, shell
from tests.raw import exchange, request

PAGE = Page("docs/stubs.md")


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with running_in_thread() as emulator:
        yield emulator


def test_each_python_block_runs(tmp_path: Path) -> None:
    examples = PAGE.blocks("python")

    outcome = outcome_of(tmp_path, examples)

    assert f"{len(examples)} passed" in outcome.summary, outcome


def test_the_scenario_is_valid_and_its_stubs_answer(tmp_path: Path) -> None:
    [text] = PAGE.blocks("yaml")
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

    assert PAGE.unlike(served.url, PAGE.answered()[:5]) == []


def test_the_last_curl_removes_the_first_stub(served: Emulator) -> None:
    served.reset()
    for _ in range(2):
        served.stub("GET /claims")

    shell(PAGE.blocks("sh")[-1], served.url)

    assert [stub.number for stub in served.stubs] == [2]


@pytest.mark.parametrize("name", [*StubSpec.__struct_fields__, "answer"])
def test_each_field_has_a_row(name: str) -> None:
    assert f"\n| `{name}` |" in PAGE.text, f"docs/stubs.md has no row for {name}"
