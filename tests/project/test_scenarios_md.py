"""The examples of docs/scenarios.md run, no key is missing, and the schema files are up to date."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import inspect

from emulator.faults.step import Step
from emulator.scenario.document import Node
from emulator.scenario.json_schema import descriptions, schema_text
from emulator.scenario.loader import problems_of
from emulator.scenario.locate import bundled
from emulator.scenario.schema import Scenario
from emulator.scenario.yaml_reader import read
from tests.project.import_rules import ROOT
from tests.project.pages import BLOCK, Page, outcome_of

PAGE = Page("docs/scenarios.md")


def document(block: str) -> str:
    """A block that shows a part only is a document once it has a version."""
    return block if "version:" in block else f"version: 1\n{block}"


def written(folder: Path) -> list[Path]:
    """Every YAML block as a file, of the name in its first line if there is one."""
    files = []
    for number, block in enumerate(PAGE.blocks("yaml")):
        name = re.match(r"# (\w+\.yaml)\n", block)
        files.append(folder / (name[1] if name else f"block_{number}.yaml"))
        files[-1].write_text(document(block), encoding="utf-8")
    return files


def test_each_yaml_block_is_a_valid_scenario(tmp_path: Path) -> None:
    assert [str(problem) for path in written(tmp_path) for problem in problems_of(str(path))] == []


def test_the_mistakes_shown_are_those_that_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    friends = PAGE.blocks("yaml")[0].replace("bob:", "bob: {emial: b@c.d}").replace("POST /identity", "POST /identty")
    Path("friends.yaml").write_text(friends, encoding="utf-8")

    shown = re.findall(r"^friends\.yaml:\d.*$", PAGE.text, re.MULTILINE)

    assert list(map(str, problems_of("friends.yaml"))) == shown


def test_each_python_block_runs(tmp_path: Path) -> None:
    written(tmp_path)
    examples = PAGE.blocks("python")

    outcome = outcome_of(tmp_path, examples)

    assert f"{len(examples)} passed" in outcome.summary, outcome


def keys(kind: inspect.Type) -> Iterator[str]:
    """`Step.nth` and its like, of everything below a type."""
    for member in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        if isinstance(member, inspect.StructType):
            for field in member.fields:
                yield f"{member.cls.__name__}.{field.encode_name}"
                yield from keys(field.type)
        elif isinstance(member, inspect.DictType):
            yield from keys(member.value_type)
        elif isinstance(member, inspect.VarTupleType):
            yield from keys(member.item_type)


def used(node: Node, kind: inspect.Type) -> Iterator[str]:
    """Those that a document uses."""
    for member in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        if isinstance(member, inspect.StructType) and isinstance(node.value, dict):
            for field in member.fields:
                if (below := node.value.get(field.encode_name)) is not None:
                    yield f"{member.cls.__name__}.{field.encode_name}"
                    yield from used(below, field.type)
        elif isinstance(member, inspect.DictType) and isinstance(node.value, dict):
            for each in node.value.values():
                yield from used(each, member.value_type)
        elif isinstance(member, inspect.VarTupleType) and isinstance(node.value, list):
            for each in node.value:
                yield from used(each, member.item_type)


WHOLE = inspect.type_info(Scenario)


def test_every_key_has_an_example() -> None:
    trees = [read(document(block).encode(), "block.yaml")[0] for block in PAGE.blocks("yaml")]
    shown = {key for tree in trees for key in used(tree, WHOLE)}

    assert set(keys(WHOLE)) - shown == set()


@pytest.mark.parametrize("name", sorted({key.partition(".")[2] for key in keys(WHOLE)}))
def test_every_key_is_explained(name: str) -> None:
    prose = BLOCK.sub("", PAGE.text)

    assert re.search(rf"`[^`]*{re.escape(name)}\b[^`]*`", prose), f"docs/scenarios.md does not explain {name}"


def test_every_key_has_a_text_for_the_schema() -> None:
    texts = descriptions()
    named = {f"{struct}.{field}" for struct, fields in texts.items() for field in fields}

    assert {key.replace("$", "") for key in keys(WHOLE)} - named == set()
    assert texts[Step.__name__]["nth"] == "Only the nth matching request, counted from 1."


@pytest.mark.parametrize("path", ["docs/scenario.schema.json", "fixtures/scenario.schema.json"])
def test_the_schema_files_are_what_the_model_makes(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == schema_text(), (
        f"run: python -m emulator.scenario.json_schema > {path}"
    )


@pytest.mark.parametrize("name", bundled())
def test_each_bundled_file_names_the_schema_for_editors(name: str) -> None:
    first = (ROOT / "fixtures" / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]

    assert first == "# yaml-language-server: $schema=../scenario.schema.json"


def test_the_bundled_ones_are_those_promised() -> None:
    assert bundled() == [
        "crowded",
        "expired_token",
        "flaky_intuition",
        "key_rotation",
        "lost_answer",
        "outage_and_recovery",
        "pending_identity",
        "quickstart",
        "rate_limited",
        "reconnect_after_restart",
        "slow_pin",
        "token_refresh",
        "two_friends",
    ]
