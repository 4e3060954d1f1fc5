"""What is done with a text that a client sent takes a time that grows as the text does, not as its square."""

from collections.abc import Callable
from time import thread_time

import pytest

from emulator.journal.masking import is_secret, mask, mask_body, mask_target, printable, without_excerpt
from emulator.journal.queries import _Numbered
from tests.measuring import quickest

UNITS = [
    *(
        "eyJ",
        "eyJ.",
        "eyJ ",
        "ewo",
        "ewo.",
        "a",
        "A",
        "aA",
        " ",
        "\n",
        '"',
        "'",
        "`",
        "\\",
        '\\"',
        ":",
        "=",
        '":',
        '="',
    ),
    *("&", "&token", "token=", "token= ", "token=\\", "token:", '"token":', '"token":"', '"token":"\\', '"token":["'),
    *('["key":', '"token":{', "x-key: ", "key: bearer ", "bearer ", "%22", "%25", "%2522", "\\u0074", "--", "--\n"),
    *("name=", "\x1b", "2024-02-15T05:47:17.", "0x", "c2" * 32, "eyJa.eyJ"),
]
READERS: list[Callable[[str], object]] = [
    mask,
    mask_target,
    mask_body,
    printable,
    is_secret,
    without_excerpt,
    _Numbered(),
]


@pytest.mark.parametrize("reader", READERS, ids=lambda each: getattr(each, "__name__", "normalised"))
@pytest.mark.parametrize(("before", "after"), [("", ""), ('{"token":"', '":"x"')])
def test_the_time_grows_as_the_text_does(reader: Callable[[str], object], before: str, after: str) -> None:
    def seconds(unit: str) -> tuple[float, ...]:
        small, large = (before + unit * (size // len(unit)) + after for size in (32 * 1024, 64 * 1024))
        return quickest(lambda: reader(small), lambda: reader(large), times=2, clock=thread_time)

    found = {unit: seconds(unit) for unit in UNITS}

    assert [unit for unit, (once, twice) in found.items() if twice > 3 * once + 0.002] == []
