"""`python -m tests.slow.figures` runs the slow checks and writes what they measured into docs/robustness.md."""

import os
import platform
import sys
from importlib.metadata import version

import pytest

from tests.project.import_rules import ROOT

PAGE = ROOT / "docs" / "robustness.md"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"


class Figures:
    """A plugin that collects the values of the `figure` fixture."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, object]] = []
        self._busy = os.getloadavg()[0]
        """How many others wanted a processor when it began."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            self.rows.extend(report.user_properties)

    def table(self) -> str:
        rows = "".join(f"| {name} | {value} |\n" for name, value in self.rows)
        machine = f"{os.cpu_count()} cores, CPython {platform.python_version()}, aiohttp {version('aiohttp')}"
        head = f"Measured on {machine}; load average {self._busy:.1f} when it began."
        return f"{head}\n\n| what | figure |\n| --- | --- |\n{rows}"


def with_figures(page: str, table: str) -> str:
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}"


def main() -> int:
    figures = Figures()
    status = pytest.main(["-q", str(ROOT / "tests" / "slow"), "-p", "no:randomly"], plugins=[figures])
    if status == pytest.ExitCode.OK:
        PAGE.write_text(with_figures(PAGE.read_text(encoding="utf-8"), figures.table()), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
