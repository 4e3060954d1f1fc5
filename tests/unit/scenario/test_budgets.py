"""What is within each limit and too much all together is refused before anything is made of it."""

from pathlib import Path
from typing import Any

import pytest

from emulator.core.suggestions import did_you_mean
from emulator.scenario.loader import problems_of
from emulator.scenario.yaml_reader import Unreadable, read, read_plain
from tests.unit.scenario.support import document, problems, refused, world


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "spacetime: {crowd: {count: 200000}}\nintuition: {crowd: {count: 200000}}",
            "3:21 intuition.crowd.count: 400,000 identities up to here; the limit is 250,000",
        ),
        (
            "intuition: {identities: {jp: {display_name: JP}}, crowd: {count: 250000}}",
            "2:59 intuition.crowd.count: 250,001 identities up to here; the limit is 250,000",
        ),
        (
            "spacetime: {crowd: {count: 200000, databases: 1000}}",
            "2:36 spacetime.crowd.databases: 200,000,000 databases up to here; the limit is 100,000",
        ),
        (
            f"spacetime: {{identities: {{{', '.join(f'u{n}: {{databases: 1000}}' for n in range(101))}}}}}",
            "2:2423 spacetime.identities.u100.databases: 101,000 databases up to here; the limit is 100,000",
        ),
        (
            f"intuition: {{crowd: {{count: 200000, description: {'x' * 1000}}}}}",
            "2:36 intuition.crowd.description: 212,600,000 characters",
        ),
        (
            f"intuition: {{crowd: {{count: 200000, description: '{'{n}' * 100}'}}}}",
            "2:36 intuition.crowd.description: 132,600,000 characters",
        ),
        (f"spacetime: {{crowd: {{count: 200000, claims: {{role: {'x' * 1000}}}}}}}", "2:36 spacetime.crowd.claims: 2"),
    ],
)
def test_too_much_in_all_is_told_where_it_becomes_too_much(text: str, problem: str) -> None:
    [found] = problems(text)

    assert found.startswith(f"it.yaml:{problem}"), found
    assert "up to here; the limit is" in found


def test_what_is_just_not_too_much_is_valid() -> None:
    assert problems("spacetime: {crowd: {count: 100000, databases: 1}}\nintuition: {crowd: {count: 150000}}") == []


def test_a_text_that_aliases_repeat_is_counted_at_each_use() -> None:
    text = f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 50)}]"

    with pytest.raises(Unreadable, match=r"it\.yaml:2:4 b: more than 4194304 characters, aliases counted at each use"):
        read(text.encode(), "it.yaml")


def test_a_document_without_a_file_has_no_more_values_than_a_file() -> None:
    with pytest.raises(Unreadable, match="more than 50000 values"):
        read_plain([[]] * 50_000)


BY_NOBODY = "{display_name: x, creator: {actor: cii}}"


# --- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"sead{n}: 7" for n in range(300)),
        f"intuition: {{api_keys: {{ci: }}, identities: {{{', '.join(f'r{n}: {BY_NOBODY}' for n in range(300))}}}}}",
        f"script: [{', '.join(['{request: POST /identty, do: {hang: true}}'] * 300)}]",
    ],
)
def test_of_very_many_mistakes_a_hundred_have_a_suggestion(text: str) -> None:
    found = problems(text)

    assert len(found) == 300
    assert sum("did you mean" in each for each in found) == 100


def test_messages_quote_a_part_of_long_texts_only() -> None:
    rows = ", ".join(f"r{n}: {{display_name: x, creator: {{actor: {'a' * 5000}}}}}" for n in range(20))

    assert max(map(len, problems(f"intuition: {{identities: {{{rows}}}}}"))) < 1500


def test_paths_quote_a_part_of_long_keys_only() -> None:
    assert len(refused(document(spacetime={"identities": {"a" * 5000: {"emial": "x"}}}))) < 500


def test_a_search_compares_no_more_than_it_has_time_for() -> None:
    """Of names that are hard to compare; a search through all of them would take minutes."""
    names = [f"{'ab' * 45}{number}" for number in range(50_000)]

    assert did_you_mean("ba" * 45 + "x", names).startswith(("did you mean", "there is"))


# --- extends ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read."""
    names: list[str] = []
    opened = Path.open

    def open_and_tell(path: Path, mode: str = "r", **options: Any) -> Any:
        if mode == "rb":
            names.append(path.name)
        return opened(path, mode, **options)

    monkeypatch.setattr(Path, "open", open_and_tell)
    return names


def test_each_file_is_read_once_however_often_it_is_extended(tmp_path: Path, read_files: list[str]) -> None:
    for number in range(20):
        (tmp_path / f"{number}.yaml").write_text(f"version: 1\nextends: [{number + 1}.yaml, ./{number + 1}.yaml]\n")
    (tmp_path / "20.yaml").write_text("version: 1\nscript: [{request: GET /v1/ping, do: {hang: true}}]\n")

    found = world(tmp_path / "0.yaml")

    assert len(found.faults) == 1
    assert read_files == [f"{number}.yaml" for number in range(21)]


def test_a_base_of_two_bases_is_below_both(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("version: 1\nseed: 1\n")
    (tmp_path / "left.yaml").write_text("version: 1\nextends: base.yaml\nseed: 2\n")
    (tmp_path / "right.yaml").write_text("version: 1\nextends: base.yaml\n")
    (tmp_path / "top.yaml").write_text("version: 1\nextends: [left.yaml, right.yaml]\n")

    assert world(tmp_path / "top.yaml").seed == 2


def test_a_scenario_given_twice_is_read_once_and_laid_over_twice(tmp_path: Path, read_files: list[str]) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nseed: 1\n")
    (tmp_path / "b.yaml").write_text("version: 1\nseed: 2\n")

    assert world([tmp_path / name for name in ("a.yaml", "b.yaml", "a.yaml")]).seed == 1
    assert read_files == ["a.yaml", "b.yaml"]


def test_very_many_scenarios_are_refused() -> None:
    assert refused(["quickstart"] * 101) == "101 scenarios; the limit is 100"
    assert refused(document(extends=["quickstart"] * 101)) == "extends: 101 names; the limit is 100"


def test_files_that_extend_each_other_very_deep_are_a_mistake(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number}.yaml").write_text(f"version: 1\nextends: {number + 1}.yaml\n")
    (tmp_path / "100.yaml").write_text("version: 1\n")

    assert "more than 30 files, each extending the next" in refused(tmp_path / "0.yaml")


@pytest.mark.parametrize("text", ["[]", "5", "text", "null", "~", "- version: 1", "''"])
def test_a_file_without_a_mapping_is_a_mistake_in_any_layer(tmp_path: Path, text: str) -> None:
    (tmp_path / "none.yaml").write_text(f"{text}\n")
    (tmp_path / "top.yaml").write_text("version: 1\nextends: none.yaml\n")
    message = ":1:1: a scenario is a mapping that starts with `version: 1`"

    assert problems_of(str(tmp_path / "none.yaml"))
    assert message in refused(tmp_path / "none.yaml")
    assert message in refused(tmp_path / "top.yaml")
    assert message in refused(["quickstart", tmp_path / "none.yaml"])
    assert message in refused([tmp_path / "none.yaml", "quickstart"])


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"clock": {"skew": -5e9}}, "clock.skew: the clock can't leave the years 1970 to 9999"),
        ({"clock": {"skew": 10**299}}, "clock.skew: "),
        ({"intuition": {"lifecycle": {"complete_after": 1e305}}}, "intuition.lifecycle.complete_after: 1e+305 is too"),
        ({"script": [{"at": 10**299, "do": {"rotate_key": True}}]}, "script[0].at: "),
        ({"script": [{"request": "* /**", "nth": -(10**299), "do": {"hang": True}}]}, "script[0].nth: it is too small"),
        ({"script": [{"request": "* /**", "do": {"delay": [1, "x"]}}]}, "script[0].do.delay[1]: expected a number"),
        ({"intuition": {"api_keys": {"ci": {"wallet": "0x\0"}}}}, "intuition.api_keys.ci.wallet: no environment"),
    ],
)
def test_what_could_not_start_is_not_valid(parts: dict[str, Any], problem: str) -> None:
    assert refused(document(**parts)).startswith(problem)


def test_a_number_of_thousands_of_digits_is_refused_in_any_notation() -> None:
    found = read(f"version: 1\nseed: 0x{'f' * 5000}".encode(), "it.yaml")[1]

    assert list(map(str, found)) == ["it.yaml:2:7 seed: the number is too long"]
