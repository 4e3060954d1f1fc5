"""Cases, and the form in which they are packed."""

import gzip
from datetime import UTC, datetime

import pytest

from emulator.conformance.cases import ALIASES, NEEDS, PROFILES, Case, Step, Table, Turn, packed, table, unpacked
from emulator.conformance.compare import MASKS
from emulator.services.spacetimedb import releases

EVERYTHING = Case(
    "a name, é",
    (Step("send", bytes(range(256)) * 2 + b"\x85\r\n"), Step("wait", 1), Step("sleep", 0.5), Step("shut")),
    b"HTTP/1.1 200 OK\r\n\r\n\xe2\x80\xa8",
    closed=None,
    moment=datetime(2026, 11, 26, 20, 11, 49, tzinfo=UTC),
    masks=("date",),
    group="a group",
    rule="a rule",
    evidence="page",
    needs=("keys",),
    turns=(Turn(b"\x81", ((0x82, b"\0\xff"), (0x88, b"")), ends=True),),
)


@pytest.mark.parametrize("case", [EVERYTHING, Case("bare", (), b"")], ids=["everything", "bare"])
def test_a_case_is_the_same_after_packing(case: Case) -> None:
    before = Table("v0", "about it", (case,))

    assert unpacked(packed(before)) == before


def test_the_same_cases_are_packed_to_the_same_bytes() -> None:
    assert packed(Table("v0", "", (EVERYTHING,))) == packed(Table("v0", "", (EVERYTHING,)))


def test_a_packed_table_can_be_read_as_lines() -> None:
    lines = gzip.decompress(packed(Table("v0", "about", (EVERYTHING, EVERYTHING)))).split(b"\n")

    assert len(lines) == 4
    assert lines[0] == b'{"profile":"v0","about":"about"}'


def test_an_unknown_profile_has_no_table() -> None:
    with pytest.raises(KeyError):
        table("v3")


def test_profiles_have_the_same_other_names_as_in_the_releases_table() -> None:
    assert ALIASES == releases.ALIASES


@pytest.mark.parametrize("profile", PROFILES)
def test_each_case_has_a_name_of_its_own_a_rule_and_known_needs_and_masks(profile: str) -> None:
    found = table(profile).cases

    assert len({case.name for case in found}) == len(found)
    assert all(case.group and case.rule for case in found)
    assert {need for case in found for need in case.needs} <= set(NEEDS)
    assert {mask for case in found for mask in case.masks} <= set(MASKS)


def test_a_case_with_turns_is_a_websocket() -> None:
    assert [EVERYTHING.kind, Case("bare", (), b"").kind] == ["websocket", "http"]
