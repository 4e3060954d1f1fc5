from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import running_in_thread
from tests.pytest_plugin.inner import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The URL of an emulator that runs before pytest does, and after."""
    with running_in_thread(seed=4) as emulator:
        yield emulator.url
