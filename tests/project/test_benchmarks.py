"""The benchmark's arithmetic, its verdicts, and the page it writes. What it measures is not measured here."""

import json
import platform
from pathlib import Path
from typing import Any

import pytest

from benchmarks import budgets, client, render
from benchmarks.__main__ import RESULTS, beside, parse, report, settings_of
from benchmarks.budgets import Budget, Verdict
from benchmarks.load import planned, request
from benchmarks.rates import BARE, OURS

ROUTE = "GET public-key"


def results(ours: list[float], bare: list[float]) -> dict[str, Any]:
    """Rates of one route, at 16 connections."""
    rates = {OURS: [{"rate": each} for each in ours], BARE: [{"rate": each} for each in bare]}
    return {"rates": {ROUTE: {"16": rates}}, "missing": {}}


def verdict(measured: float | None, *, limit: float, least: bool = False, what: str = "a row") -> Verdict:
    return Verdict(Budget(what, limit, "×", "its rate", lambda found: found["x"], least), measured)


# --- arithmetic -------------------------------------------------------------------------------------------------------


def test_a_ratio_is_the_median_of_each_rounds_own() -> None:
    assert budgets.ratio([10, 5, 30], [20, 10, 30]) == 0.5


def test_a_difference_is_the_median_of_each_rounds_own() -> None:
    assert budgets.difference([12, 55, 31], [10, 50, 30]) == 2


def test_a_round_that_one_side_lacks_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        budgets.ratio([1, 2], [1])


def test_the_ceiling_takes_the_bare_time_and_one_raw_operation() -> None:
    assert budgets.ceiling([10_000], [100]) == [pytest.approx(5_000)]


def test_a_rate_is_judged_against_the_bare_one_of_its_round() -> None:
    assert budgets.against(ROUTE)(results([80, 40, 90], [100, 50, 100])) == 0.8


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
    report({"missing": {"WireMock": "there is no `java`"}}, whole=False)

    assert "WireMock is missing: there is no `java`" in capsys.readouterr().out


# --- load -------------------------------------------------------------------------------------------------------------


def test_a_plan_is_read_as_it_was_written() -> None:
    requests = [request("GET", "/"), request("POST", "/identity", {"x-api-key": "k"}, b"{\n}")]

    with planned(requests) as plan:
        assert client.read_plan(plan.path) == requests


def test_a_request_has_its_length() -> None:
    assert request("POST", "/a", {}, b"xy") == b"POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\nxy"


def test_a_variant_is_a_name_and_a_command_line() -> None:
    options = parse(["--variant", "uvloop=python -m other --port {port}"])

    assert settings_of(options).variants["uvloop"] == ["python", "-m", "other", "--port", "{port}"]


def test_quick_figures_are_not_kept() -> None:
    with pytest.raises(SystemExit):
        parse(["--quick", "--keep", "--only", "rates"])


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
    assert render.rounded({"a": [1234.5678, 3]}) == {"a": [1234.6, 3]}


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


def test_no_machine_is_named() -> None:
    text = RESULTS.read_text(encoding="utf-8")

    assert platform.node() not in text
    assert str(Path.home()) not in text
