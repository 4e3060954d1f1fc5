"""The document at `/_emulator/openapi.json`: nothing is missing in it, and it follows the profiles."""

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

PAGE = intuition_model.PROFILES["documented"]


def paths(profile: str) -> dict[str, Any]:
    found: dict[str, Any] = document(spacetime_model.PROFILES[profile], PAGE)["paths"]
    return found


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
    documented = requests.get(f"{emulator.url}/_emulator/openapi.json", timeout=5)
    real = requests.get(f"{v2.url}/_emulator/openapi.json", timeout=5)

    assert documented.headers["content-type"] == "application/json"
    assert documented.json()["openapi"] == "3.1.0"
    assert documented.json() == document(spacetime_model.PROFILES["documented"], PAGE)
    assert real.json() == document(spacetime_model.PROFILES["v2"], PAGE)


def test_only_the_documentation_page_has_set_email() -> None:
    set_email = "/v1/identity/{identity}/set-email"

    assert [set_email in paths(profile) for profile in ("documented", "v1", "v2")] == [True, False, False]


@pytest.mark.parametrize(
    ("profile", "schema"), [("documented", "Addresses"), ("v1", "Identities"), ("v2", "Identities")]
)
def test_databases_are_listed_as_the_profile_has_them(profile: str, schema: str) -> None:
    answer = paths(profile)["/v1/identity/{identity}/databases"]["get"]["responses"]["200"]

    assert answer["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{schema}"}


@pytest.mark.parametrize(
    ("profile", "statuses"),
    [("documented", ["200", "401"]), ("v1", ["200", "400", "401"]), ("v2", ["200", "400", "401"])],
)
def test_a_malformed_header_is_401_on_the_page_and_400_in_reality(profile: str, statuses: list[str]) -> None:
    assert list(paths(profile)["/v1/identity/websocket-token"]["post"]["responses"]) == statuses


@pytest.mark.parametrize(
    ("profile", "schemes"),
    [("documented", ["bearer", "token", "basic"]), ("v1", ["bearer", "token"]), ("v2", ["bearer", "token"])],
)
def test_basic_is_for_the_page_only(profile: str, schemes: list[str]) -> None:
    security = paths(profile)["/v1/identity/websocket-token"]["post"]["security"]

    assert [name for each in security for name in each] == schemes


def test_both_names_of_an_operation_are_there_under_ids_of_their_own() -> None:
    found = paths("documented")

    assert found["/identity"]["post"]["operationId"] == "intuition.create_identity"
    assert found["/identities"]["post"]["operationId"] == "intuition.create_identity_alias"


def test_an_answer_never_has_null_for_what_it_leaves_out() -> None:
    schemas = document(spacetime_model.PROFILES["documented"], PAGE)["components"]["schemas"]

    assert schemas["Identity"]["properties"]["description"] == {"type": "string"}
    assert {"type": "null"} in schemas["CreateIdentity"]["properties"]["description"]["anyOf"]


def test_nobody_pays_for_it_who_does_not_ask() -> None:
    check = "import sys, emulator.server; print([name for name in sys.modules if name.endswith('openapi')])"

    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
