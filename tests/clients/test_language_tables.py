"""docs/other-languages.md: its tables are what HTTP clients do and JWT libraries say."""

from collections.abc import Callable, Iterator

import pytest

from emulator import Emulator
from tests.clients.language_tables import (
    PAGE,
    TOKENS,
    column_of_client,
    part,
    row_of_library,
    version_here,
    versions_on_page,
)
from tests.clients.probes import CLIENTS, LIBRARIES, Probe, Probed, built
from tests.project.faults_table import KINDS

TEXT = PAGE.read_text(encoding="utf-8")

Found = Callable[[str], dict[str, Probe]]


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """The program of a language; with none (`""`) there is nothing to build."""
    started: dict[str, Probe] = {}

    def found(language: str) -> dict[str, Probe]:
        if language and language not in started:
            started[language] = built(language, tmp_path_factory.mktemp(language))
        return started

    yield found
    for probe in started.values():
        probe.close()


def rows(name: str) -> list[list[str]]:
    lines = [line for line in part(TEXT, name).splitlines() if line.startswith("| ")]
    return [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.title)
def test_each_client_behaves_as_in_the_table(emulator: Emulator, probes: Found, client: Probed) -> None:
    skip_other_versions(client.title)
    head, _, *body = rows("faults")

    found = column_of_client(emulator, client, probes(client.language))

    place = head.index(client.title)
    assert found == [row[place] for row in body], "run: python -m tests.clients.language_tables"


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.by)
def test_each_library_says_what_is_in_the_table(emulator: Emulator, probes: Found, library: Probed) -> None:
    skip_other_versions(library.title)
    [row] = [row for row in rows("tokens") if row[0] == library.title]

    found = row_of_library(emulator, library, probes(library.language))

    assert found == row[1:], "run: python -m tests.clients.language_tables"


def skip_other_versions(name: str) -> None:
    """What a project pins is what the table was made with; what a machine has may be another release."""
    made_with = versions_on_page(TEXT).get(name)
    if made_with is None:
        return
    installed = version_here(name)
    if made_with.partition(".")[0] != installed.partition(".")[0]:
        pytest.skip(f"the table was made with {name} {made_with}, here is {installed}")


def test_no_client_no_library_no_fault_and_no_token_is_missing() -> None:
    assert rows("faults")[0] == ["fault", *(client.title for client in CLIENTS)]
    assert len(rows("faults")) == len(KINDS) + 2
    assert rows("tokens")[0] == ["library", *(token.title for token in TOKENS)]
    assert [row[0] for row in rows("tokens")[2:]] == [library.title for library in LIBRARIES]


def test_the_default_profiles_tokens_are_good_in_every_library_as_it_is_but_one() -> None:
    refused = [row[0] for row in rows("tokens")[2:] if row[1] != "good"]

    assert refused == ["jsonwebtoken (Rust)"]


def test_the_versions_of_what_is_pinned_are_on_the_page() -> None:
    pinned = [library.title for library in LIBRARIES if library.language and "same" not in library.title]

    assert [versions_on_page(TEXT)[name] for name in pinned] == [version_here(name) for name in pinned]
