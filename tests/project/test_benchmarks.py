"""The benchmark's arithmetic, its verdicts, and the page it writes; nothing is measured here."""

import json
import platform
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from benchmarks import budgets, client, render
from benchmarks.__main__ import RESULTS, beside, parse, report, rounded, settings_of, write
from benchmarks.budgets import Budget, Verdict
from benchmarks.load import planned, request
from benchmarks.servers import BARE, OURS

ROUTE = "GET public-key"


def results(ours: list[float], bare: list[float]) -> dict[str, Any]:
    """Rates of one route, at 16 connections."""
    rates = {OURS: {"rate": ours}, BARE: {"rate": bare}}
    return {"rates": {ROUTE: {"16": rates}}, "missing": {}, "made": {"variants": []}}


def compared(**cpu: list[float]) -> list[str]:
    """What is printed of versions whose requests took this CPU time in a few runs."""
    variants = [name for name in cpu if name != "ours"]
    servers = {OURS if name == "ours" else name: {"cpu": each} for name, each in cpu.items()}
    rates = {ROUTE: {"16": servers}}
    return list(render.compared({"rates": rates, "made": {"variants": variants, "runs": len(cpu["ours"])}}))


def verdict(measured: float | None, *, limit: float, least: bool = False, what: str = "a row") -> Verdict:
    return Verdict(Budget(what, limit, "×", ("x",), ("y",), "its rate", least), measured)


# --- arithmetic -------------------------------------------------------------------------------------------------------


def test_a_ratio_is_the_median_of_each_rounds_own() -> None:
    assert budgets.ratio([10, 5, 30], [20, 10, 30]) == 0.5


def test_a_difference_is_the_median_of_each_rounds_own() -> None:
    assert budgets.difference([12, 55, 31], [10, 50, 30]) == 2


def test_a_round_that_one_side_lacks_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        budgets.ratio([1, 2], [1])


def test_a_rate_is_judged_against_the_bare_one_of_its_round() -> None:
    budget = budgets.at_least("a row", 0.75, budgets.rate(ROUTE), budgets.rate(ROUTE, BARE), "the bare rate")

    assert budget.measured(results([80, 40, 90], [100, 50, 100])) == 0.8


def test_a_reset_is_judged_by_what_it_and_the_next_request_take_over_a_request_alone() -> None:
    found = {"resets": {"0 rows": {"request": [0.4, 0.5, 0.6], "reset": [0.5, 0.7, 0.7]}}}

    assert budgets.reset("0 rows").measured(found) == pytest.approx(0.1)


def test_a_figure_with_nothing_beside_it_is_its_median() -> None:
    assert budgets.kept("identity", 400).measured({"memory": {"identity": [250, 400, 260]}}) == 260


# --- verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measured", "least", "word"),
    [(0.7, True, "OVER"), (0.75, True, "ok"), (0.8, True, "ok"), (0.7, False, "ok"), (0.8, False, "OVER")],
)
def test_a_limit_is_still_within(measured: float, least: bool, word: str) -> None:
    assert verdict(measured, limit=0.75, least=least).word == word


def test_what_was_not_measured_is_said_to_be_so() -> None:
    assert verdict(None, limit=1).word == "not measured"


def test_a_missing_peer_excuses_its_own_row_only() -> None:
    assert verdict(None, limit=5, what="against moto").excused(["moto"])
    assert not verdict(None, limit=5, what="against WireMock").excused(["moto"])


def test_results_without_a_figure_have_no_verdict() -> None:
    assert {each.measured for each in budgets.judge({"rates": {}, "missing": {}})} == {None}


def test_a_gap_fails_a_whole_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert not report(results([80], [100]), whole=True)
    assert "not measured" in capsys.readouterr().out


def test_a_part_is_judged_by_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(results([80], [100]), whole=False)
    assert "not measured" not in capsys.readouterr().out


def test_a_row_over_its_budget_fails() -> None:
    assert not report(results([70], [100]), whole=False)


def test_a_missing_peer_is_named_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    report({"missing": {"WireMock": "there is no `java`"}, "made": {"variants": []}}, whole=False)

    assert "WireMock is missing: there is no `java`" in capsys.readouterr().out


# --- versions side by side --------------------------------------------------------------------------------------------


def test_versions_are_compared_by_the_cpu_of_a_request() -> None:
    assert compared(ours=[43.0, 42.0, 44.0], old=[40.0, 41.0, 42.0]) == [
        "CPU of a request at 16 connections, µs: median (least to most of 3 runs), change from old",
        "GET public-key",
        "  identity-emulator               43.0  (42.0 to 44.0)      +4.8%, of the least +5.0%",
        "  old                             41.0  (40.0 to 42.0)",
    ]


def test_the_old_version_measured_twice_shows_what_the_measurement_cannot_tell_apart() -> None:
    *_, again = compared(**{"ours": [40.0, 40.0], "old": [40.0, 50.0], "old again": [44.0, 55.0]})

    assert again.split() == ["old", "again", "49.5", "(44.0", "to", "55.0)", "+10.0%,", "of", "the", "least", "+10.0%"]


def test_without_a_variant_nothing_is_compared() -> None:
    assert compared(ours=[40.0]) == []


def test_a_variant_has_a_name_and_a_port(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--variant", "python -m other --port 3000"])

    assert "it is NAME=COMMAND, and the command has {port} in it" in capsys.readouterr().err


def test_versions_are_compared_under_sixteen_connections() -> None:
    options = parse(["--variant", "old=python -m other --port {port}"])

    assert settings_of(options).connections == (16,)


def test_the_help_says_how_versions_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])

    assert '--variant "old again=env PYTHONPATH=../old' in capsys.readouterr().out


# --- load -------------------------------------------------------------------------------------------------------------


def test_a_plan_is_read_as_it_was_written() -> None:
    requests = [request("GET", "/"), request("POST", "/identity", {"x-api-key": "k"}, b"{\n}")]

    with planned(requests) as plan:
        assert client.read_plan(plan) == requests


def test_a_request_has_its_length() -> None:
    assert request("POST", "/a", {}, b"xy") == b"POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\nxy"


def test_a_variant_is_a_name_and_a_command_line() -> None:
    options = parse(["--variant", "uvloop=python -m other --port {port}"])

    assert settings_of(options).variants["uvloop"] == ["python", "-m", "other", "--port", "{port}"]


def test_quick_figures_are_not_kept() -> None:
    with pytest.raises(SystemExit):
        parse(["--quick", "--keep", "--only", "rates"])


def test_a_variant_is_not_put_into_the_page() -> None:
    with pytest.raises(SystemExit):
        parse(["--keep", "--only", "rates", "--variant", "old=python -m other --port {port}"])


def test_a_part_measured_again_stands_beside_the_rest() -> None:
    kept = {"rates": {"a": 1, "b": 1}, "memory": {"c": 1}}

    assert beside(kept, {"rates": {"b": 2}}) == {"rates": {"a": 1, "b": 2}, "memory": {"c": 1}}


# --- the page ---------------------------------------------------------------------------------------------------------


def test_a_table_aligns_figures_to_the_right() -> None:
    assert render.table(("what", "ms"), [("start", "1.5")]) == "| what | ms |\n| :-- | --: |\n| start | 1.5 |\n"


def test_the_chart_marks_what_is_over() -> None:
    within, over = render.chart([verdict(1, limit=2)]), render.chart([verdict(3, limit=2)])

    assert render._BAD not in within
    assert render._BAD in over


def test_a_rate_below_its_budget_uses_more_than_all_of_it() -> None:
    assert render.used(verdict(0.5, limit=0.75, least=True)) == 1.5


def test_figures_keep_the_digits_that_mean_something() -> None:
    assert rounded({"a": [1234.5678, 3]}) == {"a": [1234.6, 3]}


def test_the_samples_of_a_figure_are_on_one_line(tmp_path: Path) -> None:
    write(tmp_path / "results.json", {"starts": {OURS: [1.0, 2.0]}})

    assert '"identity-emulator": [ 1.0, 2.0 ]\n' in (tmp_path / "results.json").read_text(encoding="utf-8")


def test_what_is_over_its_budget_stands_out_on_the_page() -> None:
    [_, _, row, *_] = render.suite({"memory": {"bare POST /v1/identity": [9]}}).splitlines()

    assert row == "| memory kept of each bare POST /v1/identity | 9 bytes |  | **≤ 8 bytes: OVER** |"


def committed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def test_the_page_shows_the_committed_results() -> None:
    text = render.PAGE.read_text(encoding="utf-8")

    assert text == render.page(text, committed()), "run `python -m benchmarks --render`"


def test_the_chart_shows_the_committed_results() -> None:
    assert render.CHART.read_text(encoding="utf-8") == render.chart(budgets.judge(committed()))


def test_the_committed_results_have_every_row() -> None:
    gaps = [each.budget.what for each in budgets.judge(committed()) if each.measured is None]

    assert gaps == []


def test_every_figure_is_of_seven_runs_or_more() -> None:
    assert committed()["made"]["runs"] >= 7


def test_no_module_imports_another_in_a_circle() -> None:
    folder = Path(render.__file__).parent
    imports = {
        path.stem: re.findall(r"^from benchmarks(?:\.| import )(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        for path in folder.glob("*.py")
    }

    assert set(TopologicalSorter(imports).static_order()) == set(imports)


def test_no_machine_is_named() -> None:
    text = RESULTS.read_text(encoding="utf-8")

    assert platform.node() not in text
    assert str(Path.home()) not in text
