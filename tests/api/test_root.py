"""`GET /`: neither API has it; a person who opens it is told what this is."""

import pytest
import requests

from emulator import Emulator
from tests.waiting import PATIENCE


def test_a_person_is_told_in_one_line_what_this_is_and_where_to_look(emulator: Emulator) -> None:
    answer = requests.get(emulator.url, headers={"Accept": "text/html,application/xhtml+xml"}, timeout=PATIENCE)

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert len(answer.text.splitlines()) == 1
    assert answer.text.startswith("<p>identity-emulator: ")
    assert '"/_emulator/"' in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
@pytest.mark.parametrize("path", ["/", "/index.html"])
def test_a_program_gets_the_plain_404(emulator: Emulator, path: str, accept: str) -> None:
    answer = requests.get(emulator.url + path, headers={"Accept": accept}, timeout=PATIENCE)

    assert (answer.status_code, answer.content) == (404, b"")


def test_it_is_still_unmatched(emulator: Emulator) -> None:
    requests.get(emulator.url, headers={"Accept": "text/html"}, timeout=PATIENCE)

    assert [exchange.why for exchange in emulator.journal.unmatched] == ["GET /: no such route; a stub can answer it"]
