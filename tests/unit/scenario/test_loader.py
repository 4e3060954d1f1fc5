"""Scenarios in files and documents: locating them, `extends`, and errors."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.scenario.support import refused, world


def test_a_file_extends_others_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "base.yaml").write_text(
        "version: 1\nextends: two_friends\nspacetime: {identities: {eve: }}\n"
    )
    (tmp_path / "top.json").write_text('{"version": 1, "extends": ["below/base.yaml", "lost_answer"]}')

    found = world(tmp_path / "top.json")

    assert [actor.name for actor in found.actors] == ["alice", "bob", "eve"]
    assert len(found.faults) == 2
    assert found.scenario == ("top.json",)


def test_files_that_extend_each_other_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nextends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("version: 1\nextends: a.yaml\n")

    assert refused(tmp_path / "a.yaml") == "b.yaml:2:10 extends: a.yaml already extends this file"


def test_a_missing_file_is_reported_with_the_folders_that_were_searched(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nextends: [two_freinds, c.yaml, d.py]\n")

    assert refused(str(tmp_path / "no.yaml")).startswith(f"there is no scenario file {tmp_path / 'no.yaml'}, not in ")
    assert refused(tmp_path / "a.yaml").splitlines() == [
        f"{tmp_path / 'a.yaml'}:2:11 extends[0]: there is no scenario 'two_freinds'; did you mean 'two_friends'?",
        f"{tmp_path / 'a.yaml'}:2:24 extends[1]: there is no scenario file c.yaml, not in {tmp_path}",
        f"{tmp_path / 'a.yaml'}:2:32 extends[2]: a file can't extend a Python scenario",
    ]


def test_a_folder_is_no_scenario(tmp_path: Path) -> None:
    assert "there is no scenario file" in refused(tmp_path)


def test_a_document_extends_bundled_ones_only() -> None:
    assert refused({"version": 1, "extends": "./x.yaml"}) == (
        "extends: a document without a file can extend bundled scenarios only"
    )
    assert len(world({"version": 1, "extends": "two_friends"}).actors) == 2


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ("two_freinds", "there is no scenario 'two_freinds'; did you mean 'two_friends'?"),
        (5, "scenario: expected a name, a path, a document, a function, or a list of them, got 5"),
        ({"version": {1, 2}}, "the scenario is not JSON"),
        ({"version": float("nan")}, "version: not a valid JSON number"),
        ({"version": 2}, "version: '2' is not allowed here; there is 1"),
        ([None], "got None"),
    ],
)
def test_what_is_no_scenario_is_refused(scenario: Any, message: str) -> None:
    assert message in refused(scenario)


def test_of_very_many_mistakes_the_first_hundred_are_reported() -> None:
    lines = refused({"version": 1, **{f"x{n}": 1 for n in range(300)}}).splitlines()

    assert len(lines) == 101
    assert lines[-1] == "and 200 more"
