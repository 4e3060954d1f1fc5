"""Documentation of the control routes: parameters, bodies and responses."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from emulator.control.api import bodies
from emulator.control.api.routes import OPERATIONS
from emulator.faults.step import Step
from emulator.http.operation_docs import ApiDoc, OperationDoc, ParameterDoc, ResponseDoc
from emulator.http.response import TEXT
from emulator.journal.frames import Ended, Kind
from emulator.services.intuition.model import Identity, Lifecycle
from emulator.services.spacetimedb.issuers.state import Condition
from emulator.services.spacetimedb.model import Database
from emulator.services.spacetimedb.token_chain import Chain, Check
from emulator.world.snapshot_document import Document
from emulator.world.stubs import StubSpec

# --- responses --------------------------------------------------------------------------------------------------------


class ControlError(msgspec.Struct):
    """The error, and a hint how to fix it."""

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


class WorldClock(ClockState):
    ahead: float | None
    """Seconds ahead of real time, behind if negative; null while it is frozen."""


class SpacetimeState(msgspec.Struct):
    profile: str
    emails: int
    stubbed_reducers: int
    issuers: int
    retired_keys: int
    """The last ones that were rotated, at most 8."""


class IntuitionState(msgspec.Struct):
    profile: str
    api_keys: int
    identities: int


class JournalState(msgspec.Struct):
    total: int
    dropped: int


class State(msgspec.Struct):
    """`fired` is how often faults happened, `answered` how many requests stubs answered."""

    seed: int
    clock: WorldClock
    spacetime: SpacetimeState
    intuition: IntuitionState
    faults: int
    fired: int
    stubs: int
    answered: int
    connections: int
    journal: JournalState
    changes: int
    """Calls under `/_emulator` that may have changed something, since the server's start."""


class Sent(msgspec.Struct):
    """Headers and body of a request or a response. `body` is cut at 16 KiB, `size` is the full size in bytes."""

    headers: list[tuple[str, str]]
    body: str
    size: int
    base64: str | None = None
    """The body, if it is no text."""


class FrameOfWebSocket(msgspec.Struct):
    """A message, or a control frame. A binary message is in words; the text is cut at 4 KiB, `size` is in bytes."""

    by: Literal["client", "server"]
    at: bodies.Moment
    kind: Kind
    text: str
    size: int


class WebSocketOfExchange(msgspec.Struct):
    """The newest frames, how many older ones were dropped, and how it ended; null while it is open."""

    frames: list[FrameOfWebSocket]
    dropped: int
    ended: Ended | None


class Journaled(msgspec.Struct, omit_defaults=True):
    """An exchange. `why` is the reason of an error response, `fault` the fault that happened to the request.

    An exchange with status 101 has a `websocket`.

    `after` and `duration` are seconds of real time: since the world began, and until the response.
    """

    n: int
    at: bodies.Moment
    after: float
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
    websocket: WebSocketOfExchange | None = None


class JournalPage(msgspec.Struct):
    """`dropped` counts those that are not kept any more, `lost` those of them for which there was no room."""

    exchanges: list[Journaled]
    total: int
    dropped: int
    lost: int
    lost_for: Literal["", "journal_size", "journal_bytes"]
    """The setting that limits them."""
    profiles: Profiles
    """Those of the world whose exchanges these are."""


class ActorState(msgspec.Struct, omit_defaults=True):
    identity: str | None = None
    subject: str | None = None
    issuer: str | None = None
    api_key: str | None = None
    wallet: str | None = None
    token: str | None = None


class ActorList(msgspec.Struct):
    """Actors by name."""

    actors: dict[str, ActorState]
    env: dict[str, str]
    """The same as environment variables, such as ALICE_TOKEN."""


class StubbedReducers(msgspec.Struct):
    """The identity of a database, and the names of its reducers whose calls succeed."""

    database: str
    reducers: list[str]


class NewKey(msgspec.Struct):
    public_key: str
    """In PEM format."""


class RevokedKey(msgspec.Struct):
    revoked: str
    valid: list[str]
    """The keys that are still valid."""


class FaultState(Step, frozen=True, kw_only=True):
    """A step; `seen` is how many requests matched it, `fired` how often it happened."""

    n: int
    seen: int
    fired: int
    status: Literal["waiting", "fired", "done", "missed"]
    done: bool


class StubState(StubSpec, frozen=True, kw_only=True):
    """A stub; `answered` is how many requests it answered, `function` whether a function makes its responses."""

    n: int
    answered: int
    done: bool
    function: bool = False


class StubList(msgspec.Struct):
    stubs: list[StubState]


class ScenarioState(msgspec.Struct):
    """The names of the world's scenarios, and the status of each step of their script."""

    scenario: list[str]
    steps: list[FaultState]


class FaultList(msgspec.Struct):
    faults: list[FaultState]


class OpenConnection(msgspec.Struct):
    """An open WebSocket: identities in hex, the subprotocol, and the scenario's name for the client."""

    id: str
    identity: str
    database: str
    protocol: str
    since: bodies.Moment
    actor: str


class ConnectionList(msgspec.Struct):
    connections: list[OpenConnection]


class IssuerState(msgspec.Struct, omit_defaults=True):
    """A foreign issuer; `jwks` is the text of its key set, in responses about one issuer."""

    n: int
    url: str
    kind: Literal["played", "inline", "fetched"]
    condition: Condition
    discovery_url: str
    jwks_url: str
    jwks: str | None = None


class IssuerList(msgspec.Struct):
    issuers: list[IssuerState]


class OpenedWorld(msgspec.Struct):
    """`env` is for clients of this world, as `identity-emulator exec` sets it for its command."""

    id: str
    url: str
    env: dict[str, str]
    idle_exit: float | None
    """Seconds of real time without a request after which it is closed."""


class WorldList(msgspec.Struct):
    worlds: list[OpenedWorld]


class Verdict(msgspec.Struct):
    """What a server in a profile says to a token; `refused_from` is null if that is never."""

    profile: str
    accepted: bool
    status: int | None
    text: str | None
    reason: str
    checks: list[Check]
    refused_from: bodies.Moment | None


class InspectedToken(Chain, frozen=True, kw_only=True):
    """What this world says; in `profiles` all profiles, that of the world first. Times are by the emulator's clock."""

    profile: str
    now: bodies.Moment  # type: ignore[assignment]
    refused_from: bodies.Moment | None  # type: ignore[assignment]
    profiles: list[Verdict]


class KnownDatabase(msgspec.Struct):
    """`actor` is the scenario's name for the owner, empty without one."""

    identity: str
    name: str | None
    owner: str
    actor: str


class DatabasePage(msgspec.Struct):
    """`total` counts all that have the text."""

    databases: list[KnownDatabase]
    total: int


class KnownIdentity(msgspec.Struct):
    """An identity of SpacetimeDB, and how many databases it owns."""

    identity: str
    actor: str
    email: str | None
    databases: int


class KnownIdentityPage(msgspec.Struct):
    identities: list[KnownIdentity]
    total: int


class Row(Identity, frozen=True, kw_only=True):
    """An identity of Intuition; `name` is its name in the scenario."""

    name: str | None


class RowPage(msgspec.Struct):
    identities: list[Row]
    total: int


class ValidKey(msgspec.Struct):
    key: str
    wallet: str
    actor: str


class KeyPage(msgspec.Struct):
    api_keys: list[ValidKey]
    total: int


class SignedToken(msgspec.Struct):
    token: str


class IssuedKey(msgspec.Struct):
    key: str
    wallet: str


# --- the table --------------------------------------------------------------------------------------------------------


def _refusal(status: int, what: str) -> ResponseDoc:
    return ResponseDoc(status, what, ControlError)


_NO_TOKEN = _refusal(401, "the control token is missing or wrong")
_NOT_TRUSTED = _refusal(403, "the host or the origin of the request is not allowed")


def _bad_body(kind: Any) -> tuple[ResponseDoc, ...]:
    return (
        _refusal(400, "the body is invalid"),
        _refusal(413, f"the body has more than {bodies.in_words(bodies.limit_of(kind))}"),
        _refusal(415, "the content type of the body is not application/json"),
    )


def _described(
    summary: str,
    *responses: ResponseDoc,
    body: Any = None,
    body_required: bool = True,
    parameters: tuple[ParameterDoc, ...] = (),
) -> OperationDoc:
    """With the responses that all control routes have."""
    return OperationDoc(
        summary=summary,
        responses=(*responses, *(_bad_body(body) if body else ()), _NO_TOKEN, _NOT_TRUSTED),
        parameters=parameters,
        body=body,
        body_required=body_required,
        example=bodies.EXAMPLES.get(getattr(body, "__origin__", body)),
        security=("", "controlToken", "controlBearer"),
    )


_ISSUER_NUMBER = ParameterDoc("n", "the number of the issuer", int, "path", required=True, example=1)
_NO_ISSUER = _refusal(404, "there is no such issuer")


def _of_an_issuer(summary: str, response: ResponseDoc, *, body: Any = None, body_required: bool = True) -> OperationDoc:
    return _described(
        summary, response, _NO_ISSUER, body=body, body_required=body_required, parameters=(_ISSUER_NUMBER,)
    )


def _public(summary: str) -> OperationDoc:
    """A document that everybody may read."""
    responses = (
        ResponseDoc(200, "the document, as the issuer serves it", dict[str, Any]),
        _refusal(404, "there is no such issuer, or it is fetched"),
        _refusal(503, "a test has it down"),
    )
    return OperationDoc(summary=summary, responses=responses, parameters=(_ISSUER_NUMBER,))


_FILTERS = (
    ParameterDoc("method", "only requests with this method"),
    ParameterDoc("path", "only requests to this path; `*` is one segment, `**` any number"),
    ParameterDoc("status", "only responses with this status, like 404, or of this class, like 4xx"),
    ParameterDoc("since", "only requests from this time on, by the emulator's clock", bodies.Moment),
    ParameterDoc("body", "only requests whose body contains this text"),
    ParameterDoc("refused", "true: only error responses and faults; false: only the others", bool),
    ParameterDoc("limit", "the first of the matching exchanges, as many as this", int),
    ParameterDoc("last", "the last of the matching exchanges, as many as this", int),
)
_WINDOW = (
    ParameterDoc("text", "only those that have this text in them, in any case"),
    ParameterDoc("limit", "at most so many, and no more than 1,000; by default 100", int),
    ParameterDoc("offset", "after so many", int),
)
_EXCHANGE_NUMBER = ParameterDoc("n", "the number of the exchange in the journal", int, "path", required=True, example=1)
_ClockMove = Annotated[bodies.ClockMove, Meta(extra_json_schema={"minProperties": 1, "maxProperties": 1})]


def _page_file(what: str, media_type: str) -> OperationDoc:
    """A file that a browser loads before anybody could give it a control token."""
    return OperationDoc(summary=what, responses=(ResponseDoc(200, "the file", str, media_type), _NOT_TRUSTED))


OPERATION_DOCS: Mapping[str, OperationDoc] = {
    "control.page": _page_file("The page for people", "text/html; charset=utf-8"),
    "control.page_style": _page_file("Its styles", "text/css; charset=utf-8"),
    "control.page_script": _page_file("Its script", "text/javascript; charset=utf-8"),
    "control.to_page": OperationDoc(
        summary="Leads to the page", responses=(ResponseDoc(308, "its address ends with a slash"), _NOT_TRUSTED)
    ),
    "control.events": _described(
        "What happens in this world, as it happens: server-sent events",
        ResponseDoc(200, "events, until the client ends it", str, "text/event-stream; charset=utf-8"),
        _refusal(400, "`after` is not the id of an event"),
        _refusal(503, "100 watch this world already"),
        parameters=(
            ParameterDoc(
                "after", "only what comes after the event with this id, or `now`; `Last-Event-ID` outranks it"
            ),
        ),
    ),
    "control.health": OperationDoc(
        summary="Health, version, seed and profiles; needs no control token",
        responses=(ResponseDoc(200, "the emulator is running", Health), _NOT_TRUSTED),
    ),
    "control.state": _described("Clock, profiles and counts of stored objects", ResponseDoc(200, "the state", State)),
    "control.reset": _described(
        "Reset the world", ResponseDoc(200, "the world is new", Health), body=bodies.Reset, body_required=False
    ),
    "control.scenario": _described("Loaded scenarios and their script", ResponseDoc(200, "the status", ScenarioState)),
    "control.load_scenario": _described(
        "Load a scenario", ResponseDoc(200, "the world is new", ScenarioState), body=bodies.ScenarioWanted
    ),
    "control.actors": _described(
        "Actors of the scenario, with their tokens and API keys",
        ResponseDoc(200, "actors by name", ActorList),
        _refusal(400, "unknown filter"),
        _refusal(404, "no actor has this name"),
        parameters=(ParameterDoc("name", "only this actor; members of crowds are found only by name"),),
    ),
    "control.journal": _described(
        "Recorded exchanges",
        ResponseDoc(200, "the matching exchanges, oldest first", JournalPage),
        _refusal(400, "invalid filter"),
        parameters=_FILTERS,
    ),
    "control.clear_journal": _described(
        "Delete all recorded exchanges", ResponseDoc(200, "the journal, now empty", JournalPage)
    ),
    "control.journal_exchange": _described(
        "One recorded exchange",
        ResponseDoc(200, "the exchange", Journaled),
        _refusal(404, "there is no such exchange"),
        parameters=(_EXCHANGE_NUMBER,),
    ),
    "control.report": _described(
        "What a failed test shows of the exchanges; secrets are masked",
        ResponseDoc(200, "at most 200 lines and 20 kB", str, TEXT),
        _refusal(400, "invalid filter"),
        parameters=_FILTERS,
    ),
    "control.journal_curl": _described(
        "The curl command that repeats a request, secrets included",
        ResponseDoc(200, "a command for a POSIX shell", str, TEXT),
        _refusal(404, "there is no such exchange"),
        parameters=(_EXCHANGE_NUMBER,),
    ),
    "control.clock": _described("The emulator's clock", ResponseDoc(200, "the current time", ClockState)),
    "control.move_clock": _described(
        "Change the emulator's clock", ResponseDoc(200, "the new time", ClockState), body=_ClockMove
    ),
    "control.faults": _described("All faults", ResponseDoc(200, "faults in the order they apply", FaultList)),
    "control.add_fault": _described("Add a fault", ResponseDoc(200, "the new fault", FaultState), body=Step),
    "control.clear_faults": _described(
        "Remove one fault or all faults",
        ResponseDoc(200, "the faults that are left", FaultList),
        _refusal(404, "there is no such fault"),
        body=bodies.FaultNumber,
        body_required=False,
    ),
    "control.stubs": _described("All stubs", ResponseDoc(200, "stubs; the first that fits answers", StubList)),
    "control.add_stub": _described("Add a stub", ResponseDoc(200, "the new stub", StubState), body=StubSpec),
    "control.clear_stubs": _described(
        "Remove one stub or all stubs",
        ResponseDoc(200, "the stubs that are left", StubList),
        _refusal(404, "there is no such stub"),
        body=bodies.StubNumber,
        body_required=False,
    ),
    "control.snapshot": _described(
        "The world as a document",
        ResponseDoc(200, "a snapshot", Document),
        _refusal(409, "a function answers a stub, which no document can hold"),
    ),
    "control.restore": _described(
        "Restore a snapshot", ResponseDoc(200, "the state of the world", State), body=Document
    ),
    "control.connections": _described("Open WebSockets", ResponseDoc(200, "oldest first", ConnectionList)),
    "control.close_connections": _described(
        "Close one WebSocket or all",
        ResponseDoc(200, "a Close frame was sent; the connections that are left", ConnectionList),
        _refusal(404, "there is no such connection"),
        body=bodies.ConnectionsClosed,
        body_required=False,
    ),
    "control.issuers": _described("Foreign issuers", ResponseDoc(200, "in the order of registration", IssuerList)),
    "control.add_issuer": _described(
        "Register a foreign issuer", ResponseDoc(200, "the issuer", IssuerState), body=bodies.IssuerWanted
    ),
    "control.clear_issuers": _described(
        "Remove one foreign issuer or all",
        ResponseDoc(200, "those that are left", IssuerList),
        _refusal(404, "there is no such issuer"),
        body=bodies.IssuerNumber,
        body_required=False,
    ),
    "control.issuer": _of_an_issuer("A foreign issuer and its key set", ResponseDoc(200, "the issuer", IssuerState)),
    "control.issuer_token": _of_an_issuer(
        "Sign a token of an issuer", ResponseDoc(200, "the token", SignedToken), body=bodies.IssuerTokenWanted
    ),
    "control.rotate_issuer_key": _of_an_issuer(
        "Replace an issuer's keys",
        ResponseDoc(200, "the issuer", IssuerState),
        body=bodies.IssuerRotation,
        body_required=False,
    ),
    "control.publish_keys": _of_an_issuer(
        "Publish another key set", ResponseDoc(200, "the issuer", IssuerState), body=bodies.KeysPublished
    ),
    "control.set_condition": _of_an_issuer(
        "Have an issuer answer, or not", ResponseDoc(200, "the issuer", IssuerState), body=bodies.ConditionSet
    ),
    "control.issuer_discovery": _public("The discovery document of an issuer"),
    "control.issuer_jwks": _public("The key set of an issuer"),
    "control.worlds": _described(
        "The worlds beside the first one", ResponseDoc(200, "oldest first, the same list on every port", WorldList)
    ),
    "control.open_world": _described(
        "Open another world on a port of its own",
        ResponseDoc(200, "the new world", OpenedWorld),
        _refusal(409, "no port is free, or 256 worlds are open"),
        body=bodies.WorldWanted,
        body_required=False,
    ),
    "control.close_world": _described(
        "Close a world",
        ResponseDoc(200, "the worlds that are left", WorldList),
        _refusal(404, "there is no such world"),
        parameters=(ParameterDoc("id", "the id of the world", str, "path", required=True, example="1"),),
    ),
    "control.sign_token": _described(
        "Sign a token, valid or invalid",
        ResponseDoc(200, "the token", SignedToken),
        _refusal(404, "there is no such actor"),
        body=bodies.TokenWanted,
    ),
    "control.inspect_token": _described(
        "Say what the world would answer to a token, and at which check it fails",
        ResponseDoc(200, "the checks in the order of the profile, and the verdict", InspectedToken),
        body=bodies.TokenGiven,
    ),
    "control.databases": _described(
        "Databases of SpacetimeDB, by owner",
        ResponseDoc(200, "those within", DatabasePage),
        _refusal(400, "invalid parameter"),
        parameters=_WINDOW,
    ),
    "control.known_identities": _described(
        "Identities of SpacetimeDB: of actors, of owners, and those with an e-mail address",
        ResponseDoc(200, "those within", KnownIdentityPage),
        _refusal(400, "invalid parameter"),
        parameters=_WINDOW,
    ),
    "control.rows": _described(
        "Identities of Intuition, oldest first; the text is a part of the display name",
        ResponseDoc(200, "those within", RowPage),
        _refusal(400, "invalid parameter"),
        parameters=_WINDOW,
    ),
    "control.api_keys": _described(
        "Valid API keys of Intuition, in the order in which they were issued",
        ResponseDoc(200, "those within", KeyPage),
        _refusal(400, "invalid parameter"),
        parameters=_WINDOW,
    ),
    "control.add_database": _described(
        "Add a database", ResponseDoc(200, "the database", Database), body=bodies.DatabaseWanted
    ),
    "control.stub_reducer": _described(
        "Have calls of a reducer succeed",
        ResponseDoc(200, "those of the database that succeed", StubbedReducers),
        body=bodies.ReducerWanted,
    ),
    "control.rotate_key": _described(
        "Replace the signing key", ResponseDoc(200, "all earlier tokens are invalid", NewKey)
    ),
    "control.issue_api_key": _described(
        "Issue an API key", ResponseDoc(200, "the key, valid from now on", IssuedKey), body=bodies.Wallet
    ),
    "control.revoke_api_key": _described(
        "Revoke an API key",
        ResponseDoc(200, "it is invalid from now on", RevokedKey),
        _refusal(404, "there is no such API key"),
        body=bodies.Key,
    ),
    "control.move_identity": _described(
        "Set the status of an Intuition identity",
        ResponseDoc(200, "the changed identity", Identity),
        _refusal(404, "there is no such identity"),
        body=bodies.StatusMove,
    ),
    "control.set_lifecycle": _described(
        "Set the initial status of new Intuition identities",
        ResponseDoc(200, "as it is now", Lifecycle),
        body=bodies.NewLifecycle,
    ),
    "control.openapi": _described("This document", ResponseDoc(200, "OpenAPI 3.1", dict[str, Any])),
}


def api_doc() -> ApiDoc:
    return ApiDoc(
        name="control",
        what="Control routes; SECURITY.md describes who may use them",
        operations=OPERATIONS,
        operation_docs=OPERATION_DOCS,
        schemes={
            "controlToken": {"type": "apiKey", "in": "header", "name": "X-Emulator-Token"},
            "controlBearer": {"type": "http", "scheme": "bearer", "description": "the token of --control-token"},
        },
    )
