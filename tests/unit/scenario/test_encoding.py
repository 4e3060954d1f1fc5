"""Files in other encodings, and characters that look like blanks."""

import codecs

import pytest

from emulator.scenario.loader import problems_in


def told(data: bytes | str) -> list[str]:
    return list(map(str, problems_in(data if isinstance(data, bytes) else data.encode(), "it.yaml")))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("marked", [True, False])
def test_utf_16_and_utf_32_are_named(encoding: str, marked: bool) -> None:
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    marks |= {"utf-32-le": codecs.BOM_UTF32_LE, "utf-32-be": codecs.BOM_UTF32_BE}
    mark = marks.get(encoding, b"") if marked else b""

    assert told(mark + "version: 1\n".encode(encoding)) == [
        f"it.yaml:1:1: it is {encoding[:6].upper()}, not UTF-8; saved by PowerShell's `>`? Save it as UTF-8"
    ]


def test_utf_8_with_a_byte_order_mark_is_read() -> None:
    assert told(codecs.BOM_UTF8 + b"version: 1\n") == []


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xfe", b"\x00", b"\xc3\x28", b"\x00\x00\x00\x00"])
def test_other_bytes_are_no_encoding_of_their_own(data: bytes) -> None:
    assert not any("UTF-16" in line or "UTF-32" in line for line in told(data))


SPACE = "a no-break space; write an ordinary one, or put the text in quotes"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version:\u00a01\n", "1:9"),
        ("version:\u00a01\nseed: 7\n", "1:9"),
        ("\u00a0version: 1\n", "1:1"),
        ("version: 1\nspacetime:\n \u00a0profile: v2\n", "3:2"),
        ("version: 1\nspacetime:\n  profile:\u00a0v2\n", "3:11"),
        ("version: 1\nseed: 7\u00a0\n", "2:8"),
        ("version: 1\nseed\u00a0: 7\n", "2:5"),
        ("version: 1\nscript:\n  -\u00a0request: POST /identity\n", "3:4"),
        ("{version: 1,\u00a0seed: 7}", "1:13"),
        ("# \u00e9\u00e9\nversion:\u00a01", "2:9"),
        ("version: 1\r\nseed:\u00a07\r\n", "2:6"),
    ],
)
def test_a_no_break_space_is_pointed_at_where_it_stands(text: str, place: str) -> None:
    assert f"it.yaml:{place}: {SPACE}" in told(text)


@pytest.mark.parametrize(
    ("space", "name"),
    [
        ("\u202f", "a narrow no-break space"),
        ("\u3000", "the space U+3000"),
        ("\u200b", "the space U+200B"),
        ("\ufeff", "a byte order mark"),
    ],
)
def test_so_are_its_like(space: str, name: str) -> None:
    assert any(line.startswith(f"it.yaml:2:6: {name};") for line in told(f"version: 1\nseed:{space}7\n"))


def test_one_that_is_part_of_a_text_is_none_of_our_business() -> None:
    assert told("version: 1\ndescription: 10\u00a0000 rows:\u00a0all\u00a0\n") == []
