"""The document is valid OpenAPI, and a running server conforms to it, checked by Schemathesis."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis import Case, CheckContext, Response
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from emulator import Config, Emulator, running_in_thread
from emulator.control.api.openapi_document import document
from emulator.services.intuition import model as intuition_model
from emulator.services.spacetimedb import releases
from tests.conftest import API_KEY
from tests.limits import LIMIT

RequestFacts = Case[Any]
SPACETIMES, INTUITIONS = releases.PROFILES, intuition_model.PROFILES


@pytest.mark.parametrize("intuition", INTUITIONS)
@pytest.mark.parametrize("spacetime", SPACETIMES)
def test_the_document_is_valid_in_every_combination_of_profiles(spacetime: str, intuition: str) -> None:
    validate(document(SPACETIMES[spacetime], INTUITIONS[intuition]))


# --- who is asked, and what is looked at ------------------------------------------------------------------------------


ENDLESS = "control.events"
"""Its body goes on while the client listens: tests/control/test_events.py."""


def schema_of(tag: str, spacetime: str = "documented") -> Any:
    """The operations of one API. A key that an answer has and the document has not is a fault too."""
    found = document(SPACETIMES[spacetime], INTUITIONS["documented"])
    for name, schema in found["components"]["schemas"].items():
        if name != "CreateIdentity":
            schema.setdefault("additionalProperties", False)
    return schemathesis.openapi.from_dict(found).include(tag=tag).exclude(operation_id=ENDLESS)


def described(case: RequestFacts, status: int) -> dict[str, Any]:
    found: dict[str, Any] = case.operation.definition.raw["responses"].get(str(status), {})
    return found


def empty_as_described(ctx: CheckContext, response: Response, case: RequestFacts) -> bool | None:
    """No body where none is described; another method is in no description."""
    if response.status_code != 405 and "content" not in described(case, response.status_code):
        assert response.content == b""
    return None


def typed_as_described(ctx: CheckContext, response: Response, case: RequestFacts) -> bool | None:
    """A body that can be empty has no type then."""
    can_be_empty = "can be empty" in described(case, response.status_code).get("description", "")
    if can_be_empty and not response.content:
        return None
    return content_type_conformance(ctx, response, case)


def no_error_but_those_described(ctx: CheckContext, response: Response, case: RequestFacts) -> bool | None:
    """A 501 says that the emulator does not have what it describes."""
    return None if described(case, response.status_code) else not_a_server_error(ctx, response, case)


def method_refused(ctx: CheckContext, response: Response, case: RequestFacts) -> bool | None:
    """Some routes look for the database before they look at the method."""
    found_first = case.operation.path.startswith("/v1/database/") and response.status_code in {400, 404}
    return None if found_first else unsupported_method(ctx, response, case)


CHECKS: list[CheckFunction] = [
    no_error_but_those_described,
    status_code_conformance,
    response_schema_conformance,
    empty_as_described,
    typed_as_described,
    method_refused,
]

# The same questions in every run, but for the constants that Hypothesis finds in the modules that happen to be loaded.
SETTINGS = settings(
    max_examples=10, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
Test = TypeVar("Test", bound=Callable[..., None])


def asked(tag: str, spacetime: str = "documented") -> Callable[[Test], Test]:
    """A test for each operation, run with each case of Schemathesis, valid and invalid."""
    parametrize: Callable[[Test], Test] = schema_of(tag, spacetime).parametrize()
    return lambda test: parametrize(SETTINGS(test))


@dataclass(frozen=True)
class Server:
    emulator: Emulator
    session: requests.Session

    def ask(self, case: RequestFacts, **headers: str) -> None:
        answer = case.call(self.emulator.url, self.session, headers, timeout=LIMIT)
        case.validate_response(answer, checks=CHECKS)


def ask_spacetime(case: RequestFacts, server: Server) -> None:
    """Without a token, with that of another identity, and with that of the identity itself."""
    made = server.emulator.spacetime.create_identity()
    server.ask(case)
    server.ask(case, Authorization=f"Bearer {made.token}")
    if "identity" in case.path_parameters:
        case.path_parameters["identity"] = made.identity
        server.ask(case, Authorization=f"Bearer {made.token}")


def ask_intuition(case: RequestFacts, server: Server) -> None:
    """Without a key, with one, and for an existing identity."""
    server.ask(case)
    server.ask(case, **{"x-api-key": API_KEY})
    if "id" in case.path_parameters:
        case.path_parameters["id"] = "1"
        server.ask(case, **{"x-api-key": API_KEY})


# --- the servers ------------------------------------------------------------------------------------------------------


def serving(**config: Any) -> Callable[[], Iterator[Server]]:
    def serve() -> Iterator[Server]:
        frozen = Config(freeze_at=datetime(2026, 1, 1, tzinfo=UTC), **config)
        with running_in_thread(frozen) as emulator, requests.Session() as session:
            session.trust_env = False
            yield Server(emulator, session)

    return serve


def furnished(server: Server) -> Server:
    """With a stake in the identity of vault 1, an exchange in the journal, and a fault."""
    emulator = server.emulator
    emulator.reset()
    row = emulator.intuition.create_identity(display_name="JP", creator="0x81")
    emulator.intuition.add_position(row.id, "0x82", 5)
    requests.get(f"{emulator.url}/v1/ping", timeout=LIMIT)
    emulator.faults.add("POST /v1/identity", nth=2, delay=(0.1, 0.2), rate_limit={"requests": 2})
    return server


documented = pytest.fixture(scope="module", name="documented")(serving())
v1 = pytest.fixture(scope="module", name="v1")(serving(spacetime_profile="v1"))
v2_14 = pytest.fixture(scope="module", name="v2_14")(serving(spacetime_profile="v2.14"))
steered = pytest.fixture(scope="module", name="steered")(serving())


@pytest.fixture
def intuition(documented: Server) -> Server:
    return furnished(documented)


@pytest.fixture
def control(steered: Server) -> Server:
    """A server of its own, since the cases change its clock, keys and faults."""
    return furnished(steered)


# --- what they are asked ----------------------------------------------------------------------------------------------


@asked("spacetime", "documented")
def test_spacetime_as_documented_keeps_to_the_document(case: RequestFacts, documented: Server) -> None:
    ask_spacetime(case, documented)


@asked("spacetime", "v1")
def test_spacetime_v1_keeps_to_the_document(case: RequestFacts, v1: Server) -> None:
    ask_spacetime(case, v1)


@asked("spacetime", "v2.14")
def test_spacetime_v2_14_keeps_to_the_document(case: RequestFacts, v2_14: Server) -> None:
    ask_spacetime(case, v2_14)


@asked("intuition")
def test_intuition_keeps_to_the_document(case: RequestFacts, intuition: Server) -> None:
    ask_intuition(case, intuition)


@asked("control")
def test_the_control_routes_keep_to_the_document(case: RequestFacts, control: Server) -> None:
    control.ask(case)
