"""What a run found, for programs and for the record: JSON, JUnit's XML, a certificate."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from emulator.conformance.cases import Case, Table
from emulator.conformance.causes import cause
from emulator.conformance.compare import shown
from emulator.conformance.report import TITLES, by_group, difference, first_line, left_out
from emulator.conformance.run import Outcome

_WHOLE = 10_000
"""Characters of a line in a file: all lines that were recorded fit beside each other."""


class Run(NamedTuple):
    """What was held against what, and what was found."""

    target: str
    expected: str
    """What it was held against: a table, or another server."""
    profile: str
    outcomes: Sequence[Outcome]


def as_json(run: Run) -> bytes:
    counts = Counter(outcome.state for outcome in run.outcomes)
    document = {
        "target": run.target,
        "profile": run.profile,
        "expected": run.expected,
        "counts": {state: counts.get(state, 0) for state in ("holds", "differs", "left out")},
        "cases": [{**about(outcome.case), **_found(outcome)} for outcome in run.outcomes],
    }
    return _document(document)


def list_as_json(table: Table) -> bytes:
    """What would be sent."""
    return _document(
        {"profile": table.profile, "expected": table.about, "cases": [about(each) for each in table.cases]}
    )


def _document(document: Any) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def about(case: Case) -> dict[str, Any]:
    return {
        "name": case.name,
        "group": case.group,
        "rule": case.rule,
        "evidence": case.evidence,
        "kind": case.kind,
        "needs": list(case.needs),
        "request": first_line(case),
    }


def _found(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {"state": outcome.state, "seconds": round(outcome.duration, 6)}
    if outcome.left_out:
        found["reason"] = outcome.left_out
    if wrong := outcome.difference:
        found["difference"] = {
            "cause": cause(wrong),
            "part": wrong.part,
            "byte": wrong.place,
            "expected": None if wrong.expected is None else shown(wrong.expected),
            "found": None if wrong.found is None else shown(wrong.found),
        }
    return found


def as_junit(run: Run) -> bytes:
    """A suite for each group."""
    suites = ET.Element("testsuites", name=f"conformance of {run.target} with {run.profile}")
    for group, counts in by_group(run.outcomes).items():
        of_group = [outcome for outcome in run.outcomes if outcome.case.group == group]
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=group,
            tests=str(len(of_group)),
            failures=str(counts["differs"]),
            errors="0",
            skipped=str(counts["left out"]),
            time=f"{sum(outcome.duration for outcome in of_group):.6f}",
        )
        for outcome in of_group:
            suite.append(_test_case(outcome))
    ET.indent(suites, " ")
    document: bytes = ET.tostring(suites, "utf-8", xml_declaration=True)
    return document + b"\n"


def _test_case(outcome: Outcome) -> ET.Element:
    case = outcome.case
    element = ET.Element("testcase", classname=case.group, name=case.name, time=f"{outcome.duration:.6f}")
    if outcome.left_out:
        ET.SubElement(element, "skipped", message=outcome.left_out)
    if outcome.difference:
        failure = ET.SubElement(element, "failure", message=cause(outcome.difference), type=outcome.difference.part)
        failure.text = "\n".join(difference(outcome, TITLES, _WHOLE))
    return element


def certificate(run: Run, version: str, date: str, tool: str) -> bytes:
    """A page that says what was found; with the date of the target's own clock."""
    return ("\n".join(_certificate(run, version, date, tool)) + "\n").encode()


def _certificate(run: Run, version: str, date: str, tool: str) -> Iterator[str]:
    counts = Counter(outcome.state for outcome in run.outcomes)
    sent = counts["holds"] + counts["differs"]
    yield from (f"# {run.target} held against recorded answers", "")
    yield f"- date: {date}, by the clock of the target"
    yield f"- version of the target: {version}"
    yield f"- profile: {run.profile}, {run.expected}"
    yield f"- cases: {sent} sent, {counts['holds']} hold, {counts['differs']} differ, {counts['left out']} left out"
    yield from (f"- left out, {count}: {reason}" for reason, count in left_out(run.outcomes).items())
    yield from (f"- by: {tool}", "", "| group | cases | hold | differ | left out |", "| --- | --- | --- | --- | --- |")
    for group, of_group in by_group(run.outcomes).items():
        row = (group, of_group.total(), of_group["holds"], of_group["differs"], of_group["left out"])
        yield f"| {' | '.join(map(str, row))} |"
    differing = [outcome for outcome in run.outcomes if outcome.difference]
    yield from ("", "## Differences", "", *(() if differing else ("None.",)))
    for outcome in differing:
        yield from ("```text", *difference(outcome), "```", "")
