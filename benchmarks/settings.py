"""How long and how often is measured, and what the worlds are called."""

from collections.abc import Mapping
from typing import NamedTuple

FEW, MANY = 1_000, 100_000
"""Identities in a small world, and in a large one."""

SCENARIO, TEST = "of the scenario", "made by the test"
"""Who filled a world."""


def row_name(rows: int) -> str:
    """A server, or a world, that holds that many identities."""
    return f"{rows:,} rows"


class Settings(NamedTuple):
    """`runs` of all servers of a row take turns. Seconds unless said otherwise."""

    runs: int = 9
    seconds: int = 1
    warm: int = 1
    warm_jvm: int = 40
    settle: float = 1.0
    many: int = MANY
    resets: int = 100
    refills: int = 3
    weighed: int = 25_000
    posted: int = 3_000
    connects: int = 1_000
    variants: Mapping[str, list[str]] = {}
    """Other command lines that start the emulator, by name."""
    routes: tuple[str, ...] = ("",)
    """Parts of the names of the routes that are measured."""

    @property
    def connections(self) -> tuple[int, ...]:
        """Versions are compared under load alone."""
        return (16,) if self.variants else (16, 1)


FULL = Settings()
QUICK = Settings(
    runs=2, warm_jvm=2, settle=0.2, many=10_000, resets=20, refills=1, weighed=5_000, posted=1_000, connects=200
)
"""To see that everything runs: its figures say little, and its budgets for large worlds nothing."""
