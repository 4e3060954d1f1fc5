"""The document at `/_emulator/openapi.json`: nothing is missing in it, and it is for the world's profiles."""

import subprocess
import sys
from typing import Any

import pytest
import requests

from emulator import Emulator
from emulator.control import openapi as control
from emulator.description import Chapter
from emulator.intuition import model as intuition_model
from emulator.openapi import chapters, document
from emulator.spacetime import model as spacetime_model
from tests.waiting import PATIENCE

PAGE = intuition_model.PROFILES["documented"]


def tables() -> list[Any]:
    found = [
        (f"{chapter.name}-{profile.name}", chapter)
        for profile in spacetime_model.PROFILES.values()
        for chapter in chapters(profile, PAGE)
    ]
    return [pytest.param(chapter, id=name) for name, chapter in found]


@pytest.mark.parametrize("chapter", tables())
def test_every_operation_is_described(chapter: Chapter) -> None:
    where = f"emulator/{chapter.name}/openapi.py"

    assert chapter.undescribed == [], f"describe {', '.join(chapter.undescribed)} in the table of {where}"


def test_a_missing_row_is_named() -> None:
    rows = {name: row for name, row in control.DESCRIPTIONS.items() if name != "control.reset"}
    whole = control.chapter()

    chapter = Chapter(
        name=whole.name, what=whole.what, operations=whole.operations, descriptions=rows, schemes=whole.schemes
    )

    assert chapter.undescribed == ["control.reset"]


def test_no_control_route_is_described_that_is_not_there() -> None:
    assert set(control.DESCRIPTIONS) <= {each.name for each in control.chapter().operations}


def test_the_document_is_served_in_the_profiles_of_the_world(emulator: Emulator, v2: Emulator) -> None:
    documented = requests.get(f"{emulator.url}/_emulator/openapi.json", timeout=PATIENCE)
    real = requests.get(f"{v2.url}/_emulator/openapi.json", timeout=PATIENCE)

    assert documented.headers["content-type"] == "application/json"
    assert documented.json()["openapi"] == "3.1.0"
    assert documented.json() == document(spacetime_model.PROFILES["documented"], PAGE)
    assert real.json() == document(spacetime_model.PROFILES["v2"], PAGE)


def test_nobody_pays_for_it_who_does_not_ask() -> None:
    check = "import sys, emulator.server; print([name for name in sys.modules if name.endswith('openapi')])"

    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
