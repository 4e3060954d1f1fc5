"""The forms in which rows are recorded."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from emulator.conformance.cases import Step
from tests.recorded_rows import read, rules
from tests.recordings import RECORDED, cases


@pytest.mark.parametrize(
    ("recording", "count"),
    [
        ("v1.12.0-identity.jsonl", 689),
        ("v2.8.3-identity.jsonl", 867),
        ("http_raw.json", 135),
        ("fuzz_open.json", 680),
        ("rules_2_14.json 2.8.3", 14),
    ],
)
def test_all_rows_of_a_file_are_read(recording: str, count: int) -> None:
    assert len(cases(recording)) == count


def test_a_release_has_its_own_responses_to_the_same_requests() -> None:
    old, new = (list(rules(RECORDED / "rules_2_14.json.gz", release)) for release in ("2.8.3", "2.14"))

    assert [case.request for case in old] == [case.request for case in new]
    assert [case.response for case in old] != [case.response for case in new]


def written(folder: Path, **row: Any) -> Path:
    path = folder / "v0-identity.jsonl"
    path.write_text(json.dumps({"name": "kind: a row", "response_b64": "", "closed": True} | row), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("request_", "steps"),
    [
        ({"request_b64": "YWI="}, (Step("send", b"ab"),)),
        ({"request_form": "<a x 3> b"}, (Step("send", b"aaa b"),)),
        ({"request_parts": [{"b64": "YWI="}, {"byte": "c", "times": 2}]}, (Step("send", b"abcc"),)),
        (
            {"request_b64": "", "steps": [["send", "YQ=="], ["wait", 1], ["shut", None]]},
            (Step("send", b"a"), Step("wait", 1), Step("shut", None)),
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_request_is_recorded_in_one_of_four_forms(
    tmp_path: Path, request_: dict[str, Any], steps: tuple[Step, ...]
) -> None:
    (case,) = read(written(tmp_path, **request_))

    assert case.steps == steps


def test_a_row_was_recorded_at_the_date_of_its_response() -> None:
    case = cases("v2.8.3-identity.jsonl")[0]

    assert case.moment == datetime(2026, 11, 26, 20, 11, 49, tzinfo=UTC)


def test_a_row_without_a_response_was_recorded_after_the_one_before() -> None:
    found = cases("v1.12.0-identity.jsonl")
    place = next(place for place, case in enumerate(found) if not case.response)

    assert found[place].moment == found[place - 1].moment
