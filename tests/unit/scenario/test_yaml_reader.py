"""Parsing: YAML 1.2, positions, and the limits on size and nesting."""

from typing import Any

import pytest

from emulator.scenario.document import Node, dotted, layered, plain
from emulator.scenario.yaml_reader import LARGEST, Unreadable, read, read_json


def tree(text: str, file: str = "it.yaml") -> Node:
    node, problems = read(text.encode(), file)
    assert problems == []
    return node


def value(text: str, file: str = "it.yaml") -> Any:
    return plain(tree(text, file))


def problems(text: str | bytes, file: str = "it.yaml") -> list[str]:
    try:
        return list(map(str, read(text if isinstance(text, bytes) else text.encode(), file)[1]))
    except Unreadable as error:
        return list(map(str, error.problems))


# --- what it means ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("NO", "NO"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("12", 12),
        ("012", 12),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("2024-02-15", "2024-02-15"),
        ("2024-02-15T05:47:17Z", "2024-02-15T05:47:17Z"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("=", "="),
    ],
)
def test_a_word_means_what_yaml_1_2_says(text: str, meant: object) -> None:
    found = value(f"key: {text}")["key"]

    assert found == meant
    assert type(found) is type(meant)


def test_a_yaml_1_1_directive_changes_nothing() -> None:
    assert value("%YAML 1.1\n---\nkey: no") == {"key": "no"}


def test_an_anchor_means_its_value_again() -> None:
    assert value("a: &it {x: 1}\nb: *it\nc: [*it]") == {"a": {"x": 1}, "b": {"x": 1}, "c": [{"x": 1}]}


def test_a_merge_adds_missing_keys() -> None:
    assert value("a: &it {x: 1, y: 1}\nb: {<<: *it, y: 2}")["b"] == {"x": 1, "y": 2}
    assert value("a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {<<: [*a, *b]}")["c"] == {"x": 1, "z": 3}


@pytest.mark.parametrize("text", ['{\n\t"a": "\\ud83d\\ude00",\n\t"b": "\\/"\n}', '{"a":"😀","b":"/"}'])
def test_json_means_what_json_means(text: str) -> None:
    assert value(text, "it.json") == {"a": "😀", "b": "/"}


def test_an_escaped_backslash_before_u_is_no_surrogate() -> None:
    assert value(r'{"a": "\\ud83d\\ude00"}', "it.json") == {"a": r"\ud83d\ude00"}


def test_a_byte_order_mark_is_not_read() -> None:
    assert plain(read(b"\xef\xbb\xbfa: 1", "it.yaml")[0]) == {"a": 1}


# --- where it stands --------------------------------------------------------------------------------------------------


def test_each_value_knows_its_place_and_path() -> None:
    node = tree("top:\n  - {one: 1}\n  - two: 2\n")
    two = node.get("top").get(1).get("two")  # type: ignore[union-attr]

    assert two
    assert (str(two.mark), dotted(two.path)) == ("it.yaml:3:10", "top[1].two")


def test_a_problem_has_the_nearest_known_position() -> None:
    node = tree("one:\n  two: {three: 3}\n")

    assert str(node.problem(("one", "two"), "bad")) == "it.yaml:2:3 one.two: bad"
    assert str(node.problem(("one", "two", "four"), "bad")) == "it.yaml:2:3 one.two.four: bad"
    assert str(node.problem((), "bad")) == "it.yaml:1:1: bad"


def test_a_key_that_is_no_plain_word_is_quoted() -> None:
    assert dotted(("a", "b.c", 0, 'd"e')) == 'a."b.c"[0]."d\\"e"'


# --- layers -----------------------------------------------------------------------------------------------------------


def test_a_later_layer_wins_key_by_key_and_scripts_add_up() -> None:
    below = tree("a: {x: 1, y: 1}\nlist: [1, 2]\nscript: [1]\nb: {z: 1}\n")
    above = tree("a: {y: 2}\nlist: [3]\nscript: [2]\nb:\nc: 1\n")

    found = plain(layered([below, above]))

    assert found == {"a": {"x": 1, "y": 2}, "list": [3], "script": [1, 2], "b": {"z": 1}, "c": 1}


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it.yaml:1:1: the document is empty; start with `version: 1`"),
        ("a: 1\nb: 2\na: 3\n", "it.yaml:3:1 a: duplicate key; first in line 1"),
        ("x: {b: 1, b: 1}", "it.yaml:1:11 x.b: duplicate key; first in line 1"),
        ("a: !!python/object/apply:os.system [ls]", "it.yaml:1:4 a: tags such as tag:yaml.org,2002:python/object"),
        ("a: !!str 5", "it.yaml:1:4 a: tags such as tag:yaml.org,2002:str are not"),
        ("a: !secret x", "it.yaml:1:4 a: tags such as !secret are not allowed"),
        ("200: x", "it.yaml:1:1: a key must be a string; put it in quotes"),
        ("{[a]: x}", "it.yaml:1:2: a key must be a string; put it in quotes"),
        ("a: .inf", "it.yaml:1:4 a: not a valid JSON number"),
        ("a: 1e999", "it.yaml:1:4 a: not a valid JSON number"),
        (f"a: {'9' * 5000}", "it.yaml:1:4 a: the number is too long"),
        ('a: "\\ud800"', "it.yaml:1:4 a: an unpaired surrogate"),
        ("a: *b", "it.yaml:1:4 a: *b is inside its own anchor or has none"),
        ("a: &a [*a]", "it.yaml:1:8 a[0]: *a is inside its own anchor or has none"),
        ("a: {<<: 5}", 'it.yaml:1:9 a."<<": `<<` needs a mapping'),
        ("a: 1\n---\nb: 2", "it.yaml:2:1: a second document; a file can have only one"),
        ("a: [1, 2", "it.yaml:1:9: not YAML: while parsing a flow sequence expected ',' or ']'"),
        ("a: b: c", "it.yaml:1:5: not YAML: mapping values are not allowed here"),
        ("a:\n\t- b", "it.yaml:2:1: not YAML: while scanning for the next token found character '\\t'"),
        ("x: 1\na: \x01", "it.yaml:2:1: not YAML: a character that is not allowed"),
        ('a: "\\UFFFFFFFF"', "it.yaml:1:1: not YAML: "),
        ("%YAML 1.3\n---\na: 1", "it.yaml:1:1: not YAML: "),
        (b"a: 1\nb: \xff", "it.yaml:2:1: it is not UTF-8"),
        ("[" * 65 + "]" * 65, "it.yaml:1:65: nested deeper than 64"),
        ("[" * 100_000, "it.yaml:1:65: nested deeper than 64"),
        ("- " * 65 + "x", "it.yaml:1:129: nested deeper than 64"),
        ("#" * (LARGEST + 1), f"it.yaml:1:1: {LARGEST + 1} bytes; the limit is {LARGEST}; use `crowd` for many rows"),
    ],
)
def test_a_mistake_is_reported_with_its_position(text: str | bytes, problem: str) -> None:
    assert problems(text)[0].startswith(problem)


def bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines)


def test_aliases_that_expand_too_far_are_counted_not_followed() -> None:
    [problem] = problems(bomb())

    assert problem.startswith("it.yaml:5:5 a4: more than 50000 values, aliases counted at each use")


def test_a_document_of_too_many_values_is_not_read_to_its_end() -> None:
    [problem] = problems("[" + "a," * 400_000 + "]")

    assert problem.startswith("it.yaml:1:100002 [50000]: more than 50000 values")


def test_all_duplicate_keys_are_reported_at_once() -> None:
    assert len(problems("a: 1\na: 1\nb: 1\nb: 1\n")) == 2


@pytest.mark.parametrize(
    "text",
    ["[" * 70 + "]" * 70, '"' + "x" * LARGEST + '"', '{"a": NaN}', '{"a": ["\\ud800"]}', '{"\\ud800": 1}'],
    ids=["deep", "large", "NaN", "half a pair", "half a pair as a key"],
)
def test_a_document_in_no_file_has_the_same_bounds(text: str) -> None:
    with pytest.raises(Unreadable):
        read_json(text)


# --- long numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["9" * 301, "-" + "9" * 5000, "9" * 5000, "0x" + "f" * 5000, "0o" + "7" * 5000])
@pytest.mark.parametrize("file", ["it.yaml", "it.json"])
def test_a_long_number_is_pointed_at(number: str, file: str) -> None:
    assert problems(f'{{"a":\n "b", "c": {number}}}', file) == [f"{file}:2:12 c: the number is too long"]


@pytest.mark.parametrize("number", ["9" * 301, "9" * 5000, "-" + "9" * 5000])
def test_a_long_number_in_a_json_text_is_refused(number: str) -> None:
    with pytest.raises(Unreadable, match=r"the number is too long|not JSON"):
        read_json(f'{{"a": {number}}}')
