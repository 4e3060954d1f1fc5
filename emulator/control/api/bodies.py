"""Request bodies of the control routes: their structs, as in the OpenAPI document, and how they are decoded."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from emulator.control.api.access import ControlRefused
from emulator.core.arguments import mistakes
from emulator.core.close_frame import NORMAL
from emulator.core.examples import EXAMPLES as ARGUMENTS
from emulator.core.suggestions import did_you_mean
from emulator.faults.kinds import Do
from emulator.faults.step import Step, WrongStep
from emulator.http.request import BodyBroken, BodyTooLong, Request
from emulator.services.spacetimedb.issuers.state import Condition
from emulator.services.spacetimedb.model import LOCAL_ISSUER, identity_of
from emulator.world.snapshot_document import Document
from emulator.world.stubs import StubSpec

Now = Annotated[bool, Meta(extra_json_schema={"const": True})]
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
ScenarioNames = str | dict[str, Any] | list[str | dict[str, Any]]
"""A bundled scenario's name, a document, or a list of both as layers."""


class _Sent(msgspec.Struct, forbid_unknown_fields=True):
    """A request body. An unknown key is a 400."""


class Reset(_Sent):
    """Another seed or scenario for this reset only; the scenario `null` is that of the server's start, from now on."""

    seed: int | None = None
    scenario: ScenarioNames | msgspec.UnsetType | None = msgspec.UNSET


class ScenarioWanted(msgspec.Struct, omit_defaults=True):
    """A bundled scenario's name, a document, or a list of both as layers. The body can also be a document itself."""

    scenario: ScenarioNames | msgspec.UnsetType = msgspec.UNSET


class ClockMove(_Sent):
    """Exactly one key: `advance` or `skew` in seconds, `freeze` with a time or true for now, `resume` with true."""

    advance: float | None = None
    freeze: Now | Moment | None = None
    skew: float | None = None
    resume: Now | None = None


class WorldWanted(_Sent):
    """What is left out, or null, is as at the server's start; a scenario `[]` is none.

    After `idle_exit` seconds of real time without a request the world is closed; without it, with the process.
    """

    seed: int | None = None
    scenario: ScenarioNames | None = None
    spacetime_profile: str | None = None
    intuition_profile: str | None = None
    freeze_at: Moment | None = None
    idle_exit: Annotated[float, Meta(gt=0)] | None = None


class FaultNumber(_Sent):
    """The number of a fault; without it, all faults."""

    n: int | None = None


class StubNumber(_Sent):
    """The number of a stub; without it, all stubs."""

    n: int | None = None


class ConnectionsClosed(_Sent):
    """Which connections are closed, all without an `id`, and the code and the reason of the Close frame."""

    id: str | None = None
    code: int = NORMAL
    reason: str = ""


class TokenWanted(_Sent):
    """`claims` and `headers` are signed as they are.

    With `subject`, or `actor` (a name in the scenario), `claims` are extra claims of a complete token. A token is good
    for 60 s longer than `expires_in` says.
    """

    claims: dict[str, Any] | None = None
    headers: dict[str, Any] | None = None
    subject: str | None = None
    actor: str | None = None
    issuer: str | None = None
    audience: str | list[str] = "spacetimedb"
    expires_in: float | None = None
    null_exp: bool = False


class TokenGiven(_Sent):
    """A token as a client would send it after `Bearer`, judged at a time, by default now by the emulator's clock."""

    token: str
    at: Moment | None = None


class DatabaseWanted(_Sent):
    """`owner` and `identity` are 64 hex digits; the identity can be left out, and the name too."""

    owner: str
    name: str | None = None
    identity: str | None = None


class ReducerWanted(_Sent):
    """A reducer whose calls succeed; `database` is a name or an identity."""

    database: str
    reducer: str


class IssuerWanted(_Sent):
    """A foreign issuer; without `jwks` and `fetch` it is played. `jwks` is a document, its text, or a list of keys."""

    url: str | None = None
    algorithm: str | None = None
    jwks: dict[str, Any] | list[Any] | str | None = None
    fetch: bool = False
    accept_as_server: bool = False


class IssuerNumber(_Sent):
    """The number of an issuer; without it, all issuers."""

    n: int | None = None


class IssuerTokenWanted(_Sent):
    """`headers` are put over the header and `claims` over the claims; with `"kid": null` the header has no `kid`."""

    subject: str
    audience: str | list[str] | None = "spacetimedb"
    algorithm: str | None = None
    kid: str | msgspec.UnsetType | None = msgspec.UNSET
    expires_in: float | None = None
    headers: dict[str, Any] | None = None
    claims: dict[str, Any] = {}


class IssuerRotation(_Sent):
    """Whether the old keys are still published."""

    keep: bool = False


class KeysPublished(_Sent):
    """A key set: the document, its text, or the list of its keys; in a list, a key of its own can be named by `kid`."""

    jwks: dict[str, Any] | list[Any] | str


class ConditionSet(_Sent):
    condition: Condition


class Wallet(_Sent):
    wallet: str


class Key(_Sent):
    key: str


class StatusMove(_Sent):
    """`identity` is a name in the scenario or any id of the identity."""

    identity: str
    status: Literal["complete", "error", "removed"]


class NewLifecycle(_Sent):
    """Whether new identities are pending, and after how many seconds on the emulator's clock they are complete."""

    pending: bool
    complete_after: Annotated[float, Meta(ge=0)] | None = None


EXAMPLES: Mapping[Any, Mapping[str, Any]] = {
    Reset: {"seed": 7},
    ScenarioWanted: {"scenario": "two_friends"},
    ClockMove: {"advance": 61},
    WorldWanted: {"seed": 7, "scenario": "two_friends", "idle_exit": 60},
    FaultNumber: {"n": 2},
    StubNumber: {"n": 1},
    ConnectionsClosed: {"code": 4000, "reason": "enough"},
    TokenWanted: {"subject": "alice", "expires_in": 60, "claims": {"role": "admin"}},
    TokenGiven: {"token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.e30.", "at": "2024-02-15T05:47:17Z"},
    DatabaseWanted: {"owner": identity_of(LOCAL_ISSUER, "alice"), "name": "chat"},
    ReducerWanted: {"database": "chat", "reducer": "send"},
    IssuerWanted: {"url": "https://auth.example.com"},
    IssuerNumber: {"n": 1},
    IssuerTokenWanted: {"subject": "alice", "expires_in": 60, "claims": {"email": "alice@example.com"}},
    IssuerRotation: {"keep": True},
    KeysPublished: {"jwks": {"keys": []}},
    ConditionSet: {"condition": "down"},
    Wallet: {"wallet": "0x81"},
    Key: {"key": "00000000-0000-4000-8000-000000000001"},
    StatusMove: {"identity": "1", "status": "complete"},
    NewLifecycle: {"pending": True, "complete_after": 30},
    Step: {"request": "POST /identity", "nth": 2, "do": {"status": 503}},
    StubSpec: {"request": "POST /claims", "json": {"id": "1"}},
}
"""For the OpenAPI document, and for the hints in error responses."""

T = TypeVar("T")

KIB, MIB = 1024, 1024 * 1024
LONGEST_BODY = 64 * KIB
"""Bytes."""
LONGEST: Mapping[Any, int] = {
    Reset: MIB,
    ScenarioWanted: MIB,
    WorldWanted: MIB,
    Document: 64 * MIB,
    IssuerWanted: 2 * MIB,
    KeysPublished: 2 * MIB,
}
"""Of those that may hold a scenario, a snapshot or a key set."""
MOST_VALUES = 3_000_000
"""In a snapshot; commas and brackets in texts count too. One that GET wrote has fewer in as many bytes."""


async def raw_body(request: Request, kind: Any) -> bytearray:
    """The bytes of the body, empty without one. Raises ControlRefused."""
    limit, body = limit_of(kind), _Counted()
    try:
        await request.receive(limit, body.take)
    except BodyTooLong as error:
        raise ControlRefused(413, f"the body has {error}", f"the limit is {in_words(limit)}") from None
    except BodyBroken as error:
        raise ControlRefused(400, f"the body could not be read: {error}", "send the complete body") from None
    return body.received


class _Counted:
    """A body whose values are counted before they are decoded: a small text can hold many small ones."""

    def __init__(self) -> None:
        self.received = bytearray()
        self._values = 0

    def take(self, chunk: bytes) -> None:
        """Raises ControlRefused."""
        self.received += chunk
        self._values += sum(map(chunk.count, (b",", b"[", b"{")))
        if self._values > MOST_VALUES:
            raise ControlRefused(413, f"the body has more than {MOST_VALUES} values", "restore a smaller world")


def limit_of(kind: Any) -> int:
    return LONGEST.get(kind, LONGEST_BODY)


def in_words(size: int) -> str:
    """`64 KiB`."""
    return f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB"


async def json_body(request: Request, kind: Any) -> dict[str, Any]:
    """The JSON object in the body, empty without a body. Raises ControlRefused."""
    body = await raw_body(request, kind)
    try:
        found = msgspec.json.decode(body) if body else {}
    except (msgspec.DecodeError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, or a number too long
        raise ControlRefused(400, f"the body is not JSON: {error}", "send one JSON object") from None
    if not isinstance(found, dict):
        raise ControlRefused(400, "the body is JSON, but not an object", "send one JSON object")
    return found


async def read(request: Request, kind: type[T]) -> T:
    """The body as its struct, with the defaults of absent keys. Raises ControlRefused."""
    return decoded(await json_body(request, kind), kind)


def decoded(found: Mapping[str, Any], kind: type[T], advice: str = "") -> T:
    """A JSON object as its struct. Raises ControlRefused, whose hint is `advice` or the struct's example."""
    only(found, kind.__struct_fields__)  # type: ignore[attr-defined]  # of every struct
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        wrong = "; ".join(map(str, mistakes(found, kind))) or str(error)
        raise ControlRefused(400, wrong, f"send {advice or example(kind)}") from None


def example(kind: Any) -> str:
    return json.dumps(EXAMPLES[kind])


def only(found: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raises ControlRefused for the first unknown key."""
    for key in found:
        if key not in known:
            raise ControlRefused(400, f"unknown key {key[:100]!r}", did_you_mean(key, known))


def step_example(wrong: WrongStep) -> str:
    """A step in which the first wrong key is as it can be."""
    path = next((each.path for each in wrong.mistakes if each.path), ("",))
    name = str(path[1] if path[:1] == ("do",) and path[1:] else path[0])
    if name not in ARGUMENTS or name in {"request", "nth"}:
        return example(Step)
    given = {name: ARGUMENTS[name]}
    of_response = name in Do.__struct_fields__ and (path[0] == "do" or name not in Step.__struct_fields__)
    step = {"request": "POST /identity", **({"do": given} if of_response else {**given, "do": {"status": 503}})}
    return json.dumps(step)
