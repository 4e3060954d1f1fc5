"""What the control routes take and answer."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from emulator.control.api import bodies
from emulator.control.api.operations import OPERATIONS
from emulator.faults.step import Step
from emulator.http.operation_docs import ApiDoc, OperationDoc, ParameterDoc, ResponseDoc
from emulator.http.response import TEXT
from emulator.services.intuition.model import Identity
from emulator.world.snapshot_document import Document

# --- what is answered -------------------------------------------------------------------------------------------------


class ControlError(msgspec.Struct):
    """What is wrong, and what to do about it."""

    error: str
    hint: str


class Profiles(msgspec.Struct):
    spacetime: str
    intuition: str


class Health(msgspec.Struct):
    status: Literal["ok"]
    version: str
    seed: int
    profiles: Profiles


class ClockState(msgspec.Struct):
    now: bodies.Moment
    frozen: bool


class SpacetimeState(msgspec.Struct):
    profile: str
    emails: int


class IntuitionState(msgspec.Struct):
    profile: str
    api_keys: int
    identities: int


class JournalState(msgspec.Struct):
    total: int
    dropped: int


class State(msgspec.Struct):
    seed: int
    clock: ClockState
    spacetime: SpacetimeState
    intuition: IntuitionState
    journal: JournalState


class Sent(msgspec.Struct):
    """Half of an exchange: of the body at most 16 KiB are kept, `size` counts all."""

    headers: list[tuple[str, str]]
    body: str
    size: int


class Journaled(msgspec.Struct):
    """An exchange. `why` says why a request was refused, `fault` what was ordered to go wrong with it."""

    n: int
    at: bodies.Moment
    duration: float
    operation: str
    method: str
    path: str
    query: str
    status: int
    why: str
    matched: bool
    outlived: bool
    actor: str
    fault: str
    request: Sent
    response: Sent


class JournalPage(msgspec.Struct):
    exchanges: list[Journaled]
    total: int
    dropped: int


class ActorState(msgspec.Struct, omit_defaults=True):
    identity: str | None = None
    api_key: str | None = None
    wallet: str | None = None
    token: str | None = None


class ActorList(msgspec.Struct):
    """By their names."""

    actors: dict[str, ActorState]
    env: dict[str, str]
    """The same as environment variables, such as ALICE_TOKEN."""


class FaultState(Step, frozen=True, kw_only=True):
    """A step, how many requests it `seen` fit it, and how often it had its turn."""

    n: int
    seen: int
    fired: int
    status: Literal["waiting", "fired", "done", "missed"]
    done: bool


class ScenarioState(msgspec.Struct):
    """What the world began with, and how far each step of its script has come."""

    scenario: list[str]
    steps: list[FaultState]


class FaultList(msgspec.Struct):
    faults: list[FaultState]


class SignedToken(msgspec.Struct):
    token: str


class IssuedKey(msgspec.Struct):
    key: str
    wallet: str


# --- the table --------------------------------------------------------------------------------------------------------


def _refusal(status: int, what: str) -> ResponseDoc:
    return ResponseDoc(status, what, ControlError)


_NO_TOKEN = _refusal(401, "the control token is missing or wrong")
_NOT_TRUSTED = _refusal(403, "the host or the origin of the request is not trusted")
_BAD_BODY = (
    _refusal(400, "the body is not what is wanted"),
    _refusal(413, "the body has more than 256 MiB"),
    _refusal(415, "the body is not sent as application/json"),
)


def _described(
    summary: str,
    *responses: ResponseDoc,
    body: Any = None,
    body_required: bool = True,
    parameters: tuple[ParameterDoc, ...] = (),
) -> OperationDoc:
    """With what any control route can answer."""
    return OperationDoc(
        summary=summary,
        responses=(*responses, *(_BAD_BODY if body else ()), _NO_TOKEN, _NOT_TRUSTED),
        parameters=parameters,
        body=body,
        body_required=body_required,
        example=bodies.EXAMPLES.get(getattr(body, "__origin__", body)),
        security=("", "controlToken", "controlBearer"),
    )


_FILTERS = (
    ParameterDoc("method", "only requests with it"),
    ParameterDoc("path", "`*` is one segment, `**` any number"),
    ParameterDoc("status", "only answers with it", int),
    ParameterDoc("since", "only requests from this moment on, by the emulator's clock", bodies.Moment),
)
_EXCHANGE_NUMBER = ParameterDoc("n", "its number in the journal", int, "path", required=True, example=1)
_ClockMove = Annotated[bodies.ClockMove, Meta(extra_json_schema={"minProperties": 1, "maxProperties": 1})]

OPERATION_DOCS: Mapping[str, OperationDoc] = {
    "control.health": OperationDoc(
        summary="Whether it is up, and whom it speaks for; needs no control token",
        responses=(ResponseDoc(200, "it is", Health), _NOT_TRUSTED),
    ),
    "control.state": _described("How much is remembered", ResponseDoc(200, "counts", State)),
    "control.reset": _described(
        "A world as new", ResponseDoc(200, "it stands", Health), body=bodies.Reset, body_required=False
    ),
    "control.scenario": _described("What the world began with", ResponseDoc(200, "and its script", ScenarioState)),
    "control.load_scenario": _described(
        "Begin with another scenario", ResponseDoc(200, "it stands", ScenarioState), body=bodies.ScenarioWanted
    ),
    "control.actors": _described(
        "Those the scenario names, with their tokens and keys",
        ResponseDoc(200, "by name", ActorList),
        _refusal(400, "a filter is not known"),
        parameters=(ParameterDoc("name", "only this one; of crowds only whom it names"),),
    ),
    "control.journal": _described(
        "What was asked and answered",
        ResponseDoc(200, "the exchanges that fit, oldest first", JournalPage),
        _refusal(400, "a filter can't be read"),
        parameters=_FILTERS,
    ),
    "control.clear_journal": _described("Forget what was asked", ResponseDoc(204, "forgotten")),
    "control.journal_curl": _described(
        "The command that repeats an exchange, secrets included",
        ResponseDoc(200, "for a POSIX shell", str, TEXT),
        _refusal(404, "there is no such exchange"),
        parameters=(_EXCHANGE_NUMBER,),
    ),
    "control.clock": _described("The time the emulator goes by", ResponseDoc(200, "now", ClockState)),
    "control.move_clock": _described(
        "Move the clock", ResponseDoc(200, "where it is then", ClockState), body=_ClockMove
    ),
    "control.faults": _described("What is ordered to go wrong", ResponseDoc(200, "in order", FaultList)),
    "control.add_fault": _described("Order a fault", ResponseDoc(200, "ordered", FaultState), body=Step),
    "control.clear_faults": _described(
        "Nothing goes wrong any more",
        ResponseDoc(204, "gone"),
        _refusal(404, "there is no such fault"),
        body=bodies.FaultNumber,
        body_required=False,
    ),
    "control.snapshot": _described("The world as a document", ResponseDoc(200, "to compare, or for PUT", Document)),
    "control.restore": _described("Go on from a document", ResponseDoc(204, "it stands"), body=Document),
    "control.sign_token": _described(
        "Any token, good or broken", ResponseDoc(200, "signed", SignedToken), body=bodies.TokenWanted
    ),
    "control.rotate_key": _described("Lose the signing key", ResponseDoc(204, "every token so far is invalid")),
    "control.issue_api_key": _described(
        "A new API key", ResponseDoc(200, "good from now on", IssuedKey), body=bodies.Wallet
    ),
    "control.revoke_api_key": _described(
        "Revoke an API key", ResponseDoc(204, "revoked"), _refusal(404, "there is no such key"), body=bodies.Key
    ),
    "control.move_identity": _described(
        "Move an identity through its life",
        ResponseDoc(200, "as it is then", Identity),
        _refusal(404, "there is no such identity"),
        body=bodies.StatusMove,
    ),
    "control.set_lifecycle": _described(
        "How new identities begin", ResponseDoc(204, "from now on"), body=bodies.NewLifecycle
    ),
    "control.openapi": _described("This document", ResponseDoc(200, "OpenAPI 3.1", dict[str, Any])),
}


def api_doc() -> ApiDoc:
    return ApiDoc(
        name="control",
        what="The emulator itself; see SECURITY.md for who may use it",
        operations=OPERATIONS,
        operation_docs=OPERATION_DOCS,
        schemes={
            "controlToken": {"type": "apiKey", "in": "header", "name": "X-Emulator-Token"},
            "controlBearer": {"type": "http", "scheme": "bearer", "description": "the token of --control-token"},
        },
    )
