"""The document at `/_emulator/openapi.json`: nothing is missing in it, and it is for the world's profiles."""

import subprocess
import sys
from typing import Any

import pytest
import requests

from emulator import Emulator
from emulator.control.api import operation_docs as control
from emulator.control.api.openapi_document import api_docs, document
from emulator.http.operation_docs import ApiDoc
from emulator.services.intuition import model as intuition_model
from emulator.services.spacetimedb import releases
from tests.waiting import PATIENCE

PAGE = intuition_model.PROFILES["documented"]


def tables() -> list[Any]:
    found = [
        (f"{api_doc.name}-{profile.name}", api_doc)
        for profile in releases.PROFILES.values()
        for api_doc in api_docs(profile, PAGE)
    ]
    return [pytest.param(api_doc, id=name) for name, api_doc in found]


@pytest.mark.parametrize("api_doc", tables())
def test_every_operation_is_described(api_doc: ApiDoc) -> None:
    assert api_doc.undocumented == [], f"describe them in the operation_docs.py of {api_doc.name}"


def test_a_missing_row_is_named() -> None:
    rows = {name: row for name, row in control.OPERATION_DOCS.items() if name != "control.reset"}
    whole = control.api_doc()

    api_doc = ApiDoc(
        name=whole.name, what=whole.what, operations=whole.operations, operation_docs=rows, schemes=whole.schemes
    )

    assert api_doc.undocumented == ["control.reset"]


def test_no_control_route_is_described_that_is_not_there() -> None:
    assert set(control.OPERATION_DOCS) <= {each.name for each in control.api_doc().operations}


def test_the_document_is_served_in_the_profiles_of_the_world(emulator: Emulator, v2: Emulator) -> None:
    documented = requests.get(f"{emulator.url}/_emulator/openapi.json", timeout=PATIENCE)
    real = requests.get(f"{v2.url}/_emulator/openapi.json", timeout=PATIENCE)

    assert documented.headers["content-type"] == "application/json"
    assert documented.json()["openapi"] == "3.1.0"
    assert documented.json() == document(releases.PROFILES["documented"], PAGE)
    assert real.json() == document(releases.PROFILES["v2.8"], PAGE)


def test_the_server_does_not_import_the_document() -> None:
    check = (
        "import sys, emulator.server.run; "
        "print([name for name in sys.modules if name.endswith(('operation_docs', 'openapi_document'))])"
    )

    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
