"""The OpenAPI document of the two emulated APIs in each profile."""

from typing import Any

import pytest

from emulator.control.api.openapi_document import document
from emulator.services.intuition import model as intuition_model
from emulator.services.spacetimedb import releases

PAGE = intuition_model.PROFILES["documented"]


def paths(profile: str) -> dict[str, Any]:
    found: dict[str, Any] = document(releases.PROFILES[profile], PAGE)["paths"]
    return found


def test_only_the_documentation_page_has_set_email() -> None:
    set_email = "/v1/identity/{identity}/set-email"

    assert [set_email in paths(profile) for profile in ("documented", "v1", "v2.8", "v2.14")] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("profile", "schema"), [("documented", "Addresses"), ("v1", "Identities"), ("v2.14", "Identities")]
)
def test_databases_are_listed_as_the_profile_has_them(profile: str, schema: str) -> None:
    answer = paths(profile)["/v1/identity/{identity}/databases"]["get"]["responses"]["200"]

    assert answer["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{schema}"}


@pytest.mark.parametrize(
    ("profile", "statuses"),
    [("documented", ["200", "401"]), ("v1", ["200", "400", "401"]), ("v2.14", ["200", "400", "401"])],
)
def test_a_malformed_header_is_401_on_the_page_and_400_in_reality(profile: str, statuses: list[str]) -> None:
    assert list(paths(profile)["/v1/identity/websocket-token"]["post"]["responses"]) == statuses


@pytest.mark.parametrize(
    ("profile", "schemes"),
    [("documented", ["bearer", "token", "basic"]), ("v1", ["bearer", "token"]), ("v2.14", ["bearer", "token"])],
)
def test_basic_is_for_the_page_only(profile: str, schemes: list[str]) -> None:
    security = paths(profile)["/v1/identity/websocket-token"]["post"]["security"]

    assert [name for each in security for name in each] == schemes


def test_both_names_of_an_operation_are_there_under_ids_of_their_own() -> None:
    found = paths("documented")

    assert found["/identity"]["post"]["operationId"] == "intuition.create_identity"
    assert found["/identities"]["post"]["operationId"] == "intuition.create_identity_alias"


def test_an_answer_never_has_null_for_what_it_leaves_out() -> None:
    schemas = document(releases.PROFILES["documented"], PAGE)["components"]["schemas"]

    assert schemas["Identity"]["properties"]["description"] == {"type": "string"}
    assert {"type": "null"} in schemas["CreateIdentity"]["properties"]["description"]["anyOf"]
