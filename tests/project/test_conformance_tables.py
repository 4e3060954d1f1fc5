"""The tables of cases that ship: what is in them, and that they are what the recordings give."""

import re
from functools import cache

import pytest

from emulator.conformance.cases import PROFILES, Case, packed, unpacked
from emulator.conformance.cases import table as shipped
from emulator.conformance.tokens import payloads
from emulator.http.operation import Operation
from emulator.services.spacetimedb.operations import operations_of
from emulator.services.spacetimedb.releases import PROFILES as RELEASES
from tests.project.conformance_rules import NOT_CHOSEN, RULES, Rule
from tests.project.conformance_tables import FOLDER, PAGE, not_sent, shown, table

MOST_BYTES = 500_000
EACH = pytest.mark.parametrize("profile", PROFILES)


@EACH
def test_a_table_is_what_the_recordings_give(profile: str) -> None:
    assert shipped(profile) == table(profile), "run: python -m tests.project.conformance_tables"


def test_the_page_says_how_many_recorded_rows_are_not_sent_and_why() -> None:
    assert shown(PAGE.read_text(encoding="utf-8")) == not_sent(), "run: python -m tests.project.conformance_tables"


def test_no_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{profile}.jsonl.gz" for profile in PROFILES}


def test_all_tables_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES


@EACH
def test_a_run_is_short(profile: str) -> None:
    found = shipped(profile).cases

    assert len(found) <= 1_200
    assert [case.name for case in found if any(step.do == "sleep" for step in case.steps)] == []


@EACH
def test_a_table_is_packed_as_small_as_it_can_be(profile: str) -> None:
    data = (FOLDER / f"{profile}.jsonl.gz").read_bytes()

    assert len(data) <= len(packed(unpacked(data))) * 1.1


# --- each rule and each route has its cases ---------------------------------------------------------------------------


@cache
def all_cases() -> tuple[Case, ...]:
    return tuple(case for profile in PROFILES for case in shipped(profile).cases)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule is not NOT_CHOSEN], ids=lambda rule: str(rule.text))
def test_each_rule_has_a_case(rule: Rule) -> None:
    assert any(case.rule == rule.text for case in all_cases())


def sendable(profile: str) -> list[Operation]:
    """The operations that change no database."""
    found = operations_of(RELEASES[profile])
    return [each for each in found if each.method == "GET" or not each.paths[0].startswith("/v1/database")]


@pytest.mark.parametrize(
    ("profile", "operation"),
    [(profile, operation) for profile in RELEASES for operation in sendable(profile)],
    ids=lambda value: getattr(value, "name", value),
)
def test_each_route_has_a_case(profile: str, operation: Operation) -> None:
    path = re.sub(r":\w+", "[^/ ?]+", operation.paths[0])
    asked = re.compile(rf"(?:\A|\r\n\r\n){operation.method} {path}[ ?]".encode())

    assert any(asked.search(case.request) for case in shipped(profile).cases)


# --- what is sent to a server that matters ----------------------------------------------------------------------------


def test_no_case_changes_a_database() -> None:
    methods = {b"GET", b"HEAD", b"OPTIONS"}
    lines = [
        (case.name, *line) for case in all_cases() for line in re.findall(rb"(?:\A|\n)(\w+) (/[^ ?]*)", case.request)
    ]

    assert [line for line in lines if line[2].startswith(b"/v1/database") and line[1] not in methods] == []


def test_an_email_address_is_set_for_an_identity_only_that_the_case_created() -> None:
    asked = [re.findall(rb"(?:\A|\n)POST (/v1/identity/[^ ]*/set-email\?)", case.request) for case in all_cases()]

    assert {path for paths in asked for path in paths} == {b"/v1/identity/<identity>/set-email?"}


def test_no_case_leads_the_server_to_another_host() -> None:
    sent = [payload for case in all_cases() for payload in payloads(case.request)]
    issuers = {issuer for payload in sent for issuer in re.findall(rb'"iss":"(\w+://[^"]*)', payload)}

    assert issuers
    assert [each for each in issuers if not each.startswith((b"http://127.0.0.1:1", b"http://127.0.0.1:9/"))] == []
