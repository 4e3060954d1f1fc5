"""Chooses the cases of each profile and packs them. `python -m tests.project.conformance_tables` writes the files."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from emulator.conformance.cases import Case, Table, packed
from tests.project.import_rules import ROOT
from tests.recordings import cases

FOLDER = ROOT / "emulator" / "conformance" / "tables"


class Source(NamedTuple):
    """Where a table is from, and all there is; not everything is chosen."""

    about: str
    cases: Callable[[], Iterable[Case]]


SOURCES: Mapping[str, tuple[Source, ...]] = {
    "v1": (Source("recorded from SpacetimeDB v1.12.0", lambda: cases("v1.12.0-identity.jsonl")),),
    "v2.8": (Source("recorded from SpacetimeDB v2.8.3", lambda: cases("v2.8.3-identity.jsonl")),),
    "v2.14": (),
    "documented": (),
}


def table(profile: str) -> Table:
    sources = SOURCES[profile]
    about = "; ".join(source.about for source in sources)
    return Table(profile, about, tuple(case for source in sources for case in source.cases()))


def main() -> None:
    for profile in SOURCES:
        (FOLDER / f"{profile}.jsonl.gz").write_bytes(packed(table(profile)))


if __name__ == "__main__":
    main()
