"""The rules that the shipped cases show, for docs/fidelity.md. `python -m tests.project.cases_table` writes them."""

from collections import Counter
from collections.abc import Iterator

from emulator.conformance.cases import table
from emulator.services.spacetimedb.release_table import COLUMNS as RELEASES
from tests.project.import_rules import ROOT

PAGE = ROOT / "docs" / "fidelity.md"
BEGIN, END = "<!-- cases: begin -->", "<!-- cases: end -->"
COLUMNS = (*RELEASES, "intuition")


def lines() -> Iterator[str]:
    """A row for each rule: its group, and how many cases of each profile hold it, by evidence."""
    yield f"| rule | {' | '.join(f'`{name}`' for name in COLUMNS)} |"
    yield "| --- " * (len(COLUMNS) + 1) + "|"
    counts = {name: Counter((case.group, case.rule, case.evidence) for case in table(name).cases) for name in COLUMNS}
    for group, rule in sorted({key[:2] for each in counts.values() for key in each}):
        cells = (
            ", ".join(f"{count} {key[2]}" for key, count in sorted(counts[name].items()) if key[:2] == (group, rule))
            for name in COLUMNS
        )
        yield f"| {group}: {rule} | {' | '.join(cells)} |".replace("|  |", "| |")


def in_page() -> str:
    """What the page has between the marks."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    text = "\n".join(lines())
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
