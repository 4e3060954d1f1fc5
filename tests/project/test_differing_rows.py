"""docs/fidelity.md lists the recorded rows that the emulator answers otherwise, as they are found by sending them."""

from importlib.metadata import version

import pytest

from tests.project.differing_rows import PAGE, shown, table

TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.skipif(f"With aiohttp {version('aiohttp')}," not in TEXT, reason="the page is about another aiohttp")
def test_fidelity_md_lists_the_rows_that_differ() -> None:
    assert shown(TEXT) == table(), "run: python -m tests.project.differing_rows"
