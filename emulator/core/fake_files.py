"""A fake file system in this process (pyfakefs), which hides the files of this package."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def fake_files() -> Any:
    """What makes pyfakefs's file system; None while files are real (`Patcher` in its fake_filesystem_unittest.py)."""
    library = sys.modules.get("pyfakefs.fake_filesystem_unittest")
    patcher = None if library is None else library.Patcher.PATCHER
    return None if patcher is None or patcher._paused else patcher


@contextmanager
def real_files() -> Iterator[None]:
    """A fake file system is off within the block: it has no files of this package."""
    if (patcher := fake_files()) is None:
        yield
        return
    patcher.pause()
    try:
        yield
    finally:
        patcher.resume()
