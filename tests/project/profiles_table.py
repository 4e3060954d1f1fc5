"""The rules of all profiles, for docs/fidelity.md. `python -m tests.project.profiles_table` writes them down."""

from collections.abc import Iterator

from emulator.services.spacetimedb.release_table import COLUMNS, profiles_in_words, rules_in_words
from tests.project.import_rules import ROOT

PAGE = ROOT / "docs" / "fidelity.md"
BEGIN, END = "<!-- profiles: begin -->", "<!-- profiles: end -->"


def tables() -> str:
    """Which releases each profile fits, and below it the rules."""
    fits = [["profile", "releases", "clients", "recorded, read or inferred"]]
    fits += [[f"`{name}`", *words] for name, *words in profiles_in_words()]
    rules = [["rule", *(f"`{name}`" for name in COLUMNS), "evidence"]]
    rules += [[rule.about, *_changes(values), rule.evidence] for rule, values in rules_in_words()]
    return f"{_table(fits)}\n\n{_table(rules)}"


def _changes(values: list[str]) -> Iterator[str]:
    """The values; one that is the same as to its left is not repeated."""
    left = None
    for value in values:
        yield "same" if value == left else value
        left = value


def _table(rows: list[list[str]]) -> str:
    head, *body = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body])


def in_page() -> str:
    """What the page has between the marks."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
