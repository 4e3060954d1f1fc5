"""A run within this process leaves nothing to the next."""

import os
import sys
from pathlib import Path

import pytest

from tests.pytest_plugin.inner import Run

LEAVES = """
    import os, sys

    def test_it():
        os.environ["LEFT"] = "1"
        os.chdir("/")
        sys.path.insert(0, "/left")
        left = open(__file__)
        assert 0
"""


@pytest.fixture
def left(run: Run) -> Run:
    run.write(LEAVES)
    assert "1 failed" in run().summary
    return run


def test_no_module_of_it_is_left(left: Run) -> None:
    assert "test_it" not in sys.modules


def test_no_variable_path_or_folder_of_it_is_left(left: Run) -> None:
    assert "LEFT" not in os.environ
    assert "/left" not in sys.path
    assert Path.cwd() != Path("/")


def test_the_next_run_reads_its_own_files(left: Run) -> None:
    left.write("def test_another(): pass")

    assert "1 passed" in left().summary
