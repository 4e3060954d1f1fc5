"""How long and how often is measured."""

from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.servers import emulator, python

ON_UVLOOP = {"identity-emulator on uvloop": python("benchmarks.on_uvloop", *emulator()[1:])}


class Settings(NamedTuple):
    """`runs` alternate between all servers of a row. `variants` are other command lines that start the emulator."""

    runs: int = 9
    seconds: int = 1
    warm: int = 1
    warm_jvm: int = 40
    settle: float = 1.0
    tokens: int = 50_000
    worlds: tuple[int, ...] = (10, 1_000, 100_000)
    reset_worlds: tuple[int, ...] = (0, 10_000, 100_000)
    weighed: int = 25_000
    posted: int = 3_000
    variants: Mapping[str, list[str]] = ON_UVLOOP
    routes: tuple[str, ...] = ()
    """Parts of the names of those that are measured; all, when there are none."""


FULL = Settings()
QUICK = Settings(
    runs=2,
    warm_jvm=2,
    settle=0.2,
    worlds=(10, 1_000, 10_000),
    reset_worlds=(0, 1_000, 10_000),
    weighed=5_000,
    posted=1_000,
)
"""To see that everything runs: its figures say little, and its budgets for large worlds nothing."""
