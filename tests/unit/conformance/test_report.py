"""What a run found, as text, JSON, JUnit's XML and a certificate."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from emulator.conformance.cases import Case, Step
from emulator.conformance.compare import Difference, difference
from emulator.conformance.documents import Run, as_json, as_junit, certificate
from emulator.conformance.report import WIDTH, causes, listed, summary, verdict
from emulator.conformance.report import difference as shown
from emulator.conformance.run import SPENT, Outcome

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"
CASE = Case("a case", (Step("send", b"GET /v1/ping HTTP/1.1\r\n\r\n"),), OK, group="ping", rule="it says hello")
HOLDS, LEFT_OUT = Outcome(CASE, duration=0.25), Outcome(CASE, left_out="it needs a key")


def differing(found: bytes, expected: bytes = OK) -> Outcome:
    return Outcome(replace(CASE, response=expected), difference(expected, [found], ()))


DIFFERS = differing(OK.replace(b"hello", b"hullo"))
RUN = Run("http://127.0.0.1:3000", "recorded from a server", "v2.8", [HOLDS, DIFFERS, LEFT_OUT])


def test_the_summary_counts_by_group() -> None:
    assert list(summary(RUN.outcomes)) == [
        "group                             cases     hold   differ  left out",
        "ping                                  3        1        1         1",
        "all                                   3        1        1         1",
    ]


def test_a_difference_is_shown_beside_what_was_expected_with_a_pointer_to_the_byte() -> None:
    assert list(shown(DIFFERS)) == [
        "differs: the body's text has `hullo` where `hello` is expected",
        "   case: a case",
        "   rule: it says hello",
        "   from: recorded, group ping",
        "request: GET /v1/ping HTTP/1.1",
        "  expected                                found",
        "  HTTP/1.1 200 OK                         HTTP/1.1 200 OK",
        "  content-type: text/plain                content-type: text/plain",
        "  content-length: 5                       content-length: 5",
        "",
        "> hello                                 > hullo",
        "   ^                                       ^",
        "  the body differs at byte 1",
    ]


def test_cases_with_one_cause_are_shown_once_with_their_number_groups_and_rules() -> None:
    other = replace(DIFFERS, case=replace(CASE, name="another case", group="paths", rule="it is polite"))

    lines = list(causes([DIFFERS, other, DIFFERS]))

    assert lines[:5] == [
        "differs: the body's text has `hullo` where `hello` is expected",
        "  cases: 3, in ping (2), paths (1)",
        "  rules: it says hello (2); it is polite (1)",
        "  first: a case",
        "   rule: it says hello",
    ]
    assert [line for line in lines if line.startswith("differs:")] == lines[:1]


def test_the_cause_of_most_cases_is_shown_first() -> None:
    rare = differing(OK.replace(b"200", b"204"))

    titles = [line for line in causes([rare, DIFFERS, DIFFERS]) if line.startswith("differs:")]

    assert titles == [
        "differs: the body's text has `hullo` where `hello` is expected",
        "differs: the status is `204`, not `200`",
    ]


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([HOLDS, HOLDS], ["all 2 cases that were sent hold against v2.8"]),
        ([HOLDS, DIFFERS, DIFFERS], ["2 of 3 cases differ from v2.8, for 1 cause"]),
        (
            [HOLDS, DIFFERS, LEFT_OUT],
            ["1 of 2 cases differ from v2.8, for 1 cause; 1 was left out:", "  1: it needs a key"],
        ),
        ([LEFT_OUT], ["no case was sent; 1 was left out:", "  1: it needs a key"]),
        (
            [HOLDS, replace(LEFT_OUT, left_out=SPENT)],
            [
                "all 1 cases that were sent hold against v2.8; the run was cut short by",
                "  --max-requests; 1 was left out:",
                "  1: --max-requests was reached",
            ],
        ),
    ],
)
def test_the_verdict_says_what_holds_and_what_was_left_out(outcomes: list[Outcome], said: list[str]) -> None:
    assert list(verdict(outcomes, "v2.8")) == said


@pytest.mark.parametrize(
    ("found", "last"),
    [
        (OK.replace(b"200 OK", b"200 Fine"), "  the status differs at byte 13 of the marked line"),
        (OK.replace(b"text/plain", b"text/html"), "  the head differs at byte 19 of the marked line"),
        (OK.replace(b"content-length: 5\r\n", b""), "  the head differs at byte 0 of the marked line"),
        (b"", "  the status differs at byte 0 of the marked line"),
    ],
)
def test_the_part_that_differs_is_named(found: bytes, last: str) -> None:
    assert list(shown(differing(found)))[-1] == last


@pytest.mark.parametrize("place", [0, 10, 36, 37, 500, 999])
def test_a_pointer_is_below_the_byte_however_long_the_line_is(place: int) -> None:
    body = bytearray(b"a" * 1000)
    body[place] = ord("b")
    *_, line, pointers, _ = shown(differing(OK.replace(b"hello", bytes(body)), OK.replace(b"hello", b"a" * 1000)))

    assert line[pointers.rindex("^")] == "b"
    assert line[pointers.index("^")] == "a"


@pytest.mark.parametrize("body", ["é" * 200 + "x", "\0\x1b[31m" * 50, "\u202e" * 60, "\ud7ff\uffff" * 40])
def test_no_line_is_longer_than_80_columns_or_steers_the_terminal(body: str) -> None:
    lines = list(shown(differing(OK.replace(b"hello", body.encode()))))

    assert max(map(len, lines)) <= WIDTH
    assert all(line.isprintable() for line in lines)


def test_whether_the_connection_ends_is_shown_in_words() -> None:
    wrong = Difference("connection", b"the connection ends", b"the connection stays open", (b"", b""))

    *_, line = shown(Outcome(CASE, wrong))

    assert line == "> the connection ends                   > the connection stays open"


def test_with_more_room_nothing_is_cut() -> None:
    body = b"x" * 70
    lines = list(shown(differing(OK.replace(b"hello", b"y" + body), OK.replace(b"hello", body)), width=160))

    assert f"> {body.decode():<71} > y{body.decode()}" in lines


def test_a_long_rule_is_wrapped_and_not_cut() -> None:
    rule = " ".join(["a rule with words"] * 9)
    outcome = replace(DIFFERS, case=replace(CASE, rule=rule))

    assert rule in " ".join(" ".join(shown(outcome)).split())


def test_a_list_says_what_is_sent_and_what_it_needs() -> None:
    assert list(listed([replace(CASE, needs=("keys",))])) == ["ping: a case [needs keys]", "    GET /v1/ping HTTP/1.1"]


def test_the_json_has_each_case_with_its_difference() -> None:
    found = json.loads(as_json(RUN))

    assert found["counts"] == {"holds": 1, "differs": 1, "left out": 1}
    assert [case["state"] for case in found["cases"]] == ["holds", "differs", "left out"]
    assert found["cases"][1]["difference"] == {
        "cause": "the body's text has `hullo` where `hello` is expected",
        "part": "body",
        "byte": 1,
        "expected": "hello",
        "found": "hullo",
    }
    assert found["cases"][2]["reason"] == "it needs a key"


def test_junit_has_a_suite_for_each_group() -> None:
    (suite,) = ET.fromstring(as_junit(RUN))  # noqa: S314 - of our own

    assert {name: suite.get(name) for name in ("name", "tests", "failures", "skipped")} == {
        "name": "ping",
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["skipped"]]
    assert "> hello                                 > hullo" in str(suite[1][0].text)


def test_the_texts_of_junit_are_whole() -> None:
    body = b"long " * 100
    outcome = differing(OK.replace(b"hello", body + b"z"), OK.replace(b"hello", body))

    (suite,) = ET.fromstring(as_junit(RUN._replace(outcomes=[outcome])))  # noqa: S314 - of our own

    assert body.decode() + "z" in str(suite[0][0].text)


def test_junit_can_be_read_whatever_a_server_says() -> None:
    outcome = differing(OK.replace(b"hello", b"\0\x01]]>\xff\xfe<&"))

    assert len(ET.fromstring(as_junit(RUN._replace(outcomes=[outcome])))) == 1  # noqa: S314 - of our own


def test_a_certificate_says_when_which_version_how_many_and_what_differs() -> None:
    page = certificate(RUN, "2.8.3", "Thu, 26 Nov 2026 20:11:49 GMT", "identity-emulator 9").decode()

    assert page.startswith("# http://127.0.0.1:3000 held against recorded answers\n")
    for line in (
        "- date: Thu, 26 Nov 2026 20:11:49 GMT, by the clock of the target",
        "- version of the target: 2.8.3",
        "- profile: v2.8, recorded from a server",
        "- cases: 2 sent, 1 hold, 1 differ, 1 left out",
        "| ping | 3 | 1 | 1 | 1 |",
        "> hello                                 > hullo",
    ):
        assert f"\n{line}\n" in page


def test_a_certificate_without_differences_says_so() -> None:
    page = certificate(RUN._replace(outcomes=[HOLDS]), "not told", "today", "a tool").decode()

    assert page.endswith("## Differences\n\nNone.\n")
