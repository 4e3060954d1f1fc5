"""Any text is read as a scenario or refused; any value is checked without a traceback."""

import math
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from emulator.scenario.document import plain
from emulator.scenario.type_check import checked
from emulator.scenario.yaml_reader import Unreadable, read, read_plain

# --- any text ---------------------------------------------------------------------------------------------------------

MARKS = [
    "- ",
    "a: ",
    "b: ",
    "? ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "&x ",
    "*x",
    "!t ",
    "|\n",
    ">\n ",
    "\n",
    "  ",
    "\t",
    "'",
]
OTHERS = [
    '"',
    "<<: ",
    "#",
    "%YAML 1.2\n",
    "%",
    "---\n",
    "...\n",
    "null",
    "1.5",
    "\\u",
    "\\",
    "\x00",
    "é",
    "@",
    "`",
    "0x",
]


def numbers(node: Any) -> Iterator[float]:
    if isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from numbers(each)
    elif isinstance(node, float):
        yield node


@given(st.one_of(st.text(), st.lists(st.sampled_from(MARKS + OTHERS), max_size=60).map("".join), st.binary()))
def test_any_text_is_a_tree_or_problems(text: str | bytes) -> None:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    try:
        node, _ = read(data, "it.yaml")
    except Unreadable as error:
        assert error.problems
    else:
        assert all(map(math.isfinite, numbers(plain(node))))


# --- any value --------------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["version", "seed", "clock", "freeze", "spacetime", "identities", "crowd", "count", "intuition", "api_keys"]
LIKELY = st.recursive(
    VALUES,
    lambda inner: st.dictionaries(
        st.sampled_from([*KEYS, "script", "do", "request", "at", "status"]), inner, max_size=5
    ),
    max_leaves=20,
)


@given(LIKELY)
def test_any_value_is_checked_without_a_traceback(value: Any) -> None:
    scenario, found = checked(read_plain(value))

    assert scenario.version == 1
    assert all(str(problem) for problem in found)
