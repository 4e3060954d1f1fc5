"""Wrong calls, in Python, in process and by URL, and over HTTP: each message says what is wrong and how it is right.

A message names the argument, what was given and what is taken, and has an example of the same kind.
"""

import inspect
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
import requests

from emulator import Config, Emulator, Misconfigured, WrongArgument, running_in_thread
from emulator.control.actors import LocalActor
from emulator.control.connections import LocalConnection
from emulator.control.emulator import LocalEmulator
from emulator.control.intuition import LocalIntuition
from emulator.control.issuers import LocalIssuer
from emulator.control.remote import RemoteConnection, RemoteEmulator
from emulator.control.spacetimedb import LocalSpacetime
from emulator.core.clock import Clock
from emulator.core.examples import EXAMPLES
from emulator.faults.settings import FaultSettings
from emulator.journal.queries import ExchangeQueries
from emulator.tokens import broken
from emulator.world.config import Settings
from tests.waiting import PATIENCE

NAIVE = datetime(2024, 1, 1)  # noqa: DTZ001 - that is the mistake

# A call, what its message begins with, the example at its end.
CALLS: dict[str, tuple[Callable[[Any], object], str, str]] = {
    "an action that is misspelt": (
        lambda emulator: emulator.faults.add("POST /identity", staus=503),
        "faults.add: there is no argument 'staus'; did you mean 'status'?",
        "status=503",
    ),
    "drop": (
        lambda emulator: emulator.faults.add("POST /identity", drop="middle"),
        "faults.add: drop: expected before or after, got 'middle'",
        'drop="before"',
    ),
    "drop, nearly": (
        lambda emulator: emulator.faults.add("POST /identity", drop="befor"),
        "faults.add: drop: expected before or after, got 'befor'; did you mean 'before'?",
        'drop="before"',
    ),
    "drop as a flag": (
        lambda emulator: emulator.faults.add("POST /identity", drop=True),
        "faults.add: drop: expected before or after, got True",
        'drop="before"',
    ),
    "status as text": (
        lambda emulator: emulator.faults.add("POST /identity", status="503"),
        "faults.add: status: expected a whole number, got '503'",
        "status=503",
    ),
    "status out of its bounds": (
        lambda emulator: emulator.faults.add("POST /identity", status=99),
        "faults.add: status: 99 is not a valid status; it must be from 200 to 599",
        "status=503",
    ),
    "a request that is a number": (
        lambda emulator: emulator.faults.add(5),
        "faults.add: request: expected text, got 5",
        'request="POST /identity"',
    ),
    "a route that is not there": (
        lambda emulator: emulator.faults.add("POST /identiy", status=503),
        "faults.add: request: no route matches 'POST /identiy'; did you mean 'POST /identity'?",
        'request="POST /identity"',
    ),
    "a route that is nothing like one": (
        lambda emulator: emulator.faults.add("POST /v7/claims/of/mine", status=503),
        "faults.add: request: no route matches 'POST /v7/claims/of/mine'; there is ",
        'request="POST /identity"',
    ),
    "an argument among claims that is misspelt": (
        lambda emulator: emulator.spacetime.issue_token(subject="a", expire_in=-100),
        "spacetime.issue_token: there is no argument 'expire_in'; did you mean 'expires_in'?",
        "expires_in=60",
    ),
    "an argument among claims in another spelling": (
        lambda emulator: emulator.spacetime.issuer("https://a.example.com").issue_token(subject="a", expiresIn=60),
        "issuer.issue_token: there is no argument 'expiresIn'; did you mean 'expires_in'?",
        "expires_in=60",
    ),
    "a delay of three": (
        lambda emulator: emulator.faults.add("POST /identity", delay=(1, 2, 3)),
        "faults.add: delay: expected a number or a timedelta or a list of two, got a list of 3",
        "delay=2.5",
    ),
    "a limit's field": (
        lambda emulator: emulator.faults.add("POST /identity", rate_limit={"request": 1}),
        "faults.add: rate_limit.request: unknown key, did you mean 'requests'?",
        "rate_limit={'requests': 10, 'seconds': 60}",
    ),
    "half a character in a fault's body": (
        lambda emulator: emulator.faults.add("POST /identity", body={"a": ["\ud800"]}),
        "faults.add: body: character 1 is U+D800, an unpaired surrogate, which UTF-8 can't hold",
        'body="try again"',
    ),
    "half a character in a fault's header": (
        lambda emulator: emulator.faults.add("POST /identity", status=503, headers={"x-a": "\udfff"}),
        "faults.add: headers.x-a: character 1 is U+DFFF",
        "headers={'x-request-id': '7'}",
    ),
    "a body that is not a number": (
        lambda emulator: emulator.faults.add("POST /identity", body=float("nan")),
        "faults.add: body: expected a finite number, got nan",
        'body="try again"',
    ),
    "a body of an object": (
        lambda emulator: emulator.faults.add("POST /identity", body={"a": object()}),
        "faults.add: body: expected a value of JSON, got an object",
        'body="try again"',
    ),
    "a subject by place": (
        lambda emulator: emulator.spacetime.issue_token("alice"),
        "spacetime.issue_token: without a name it takes nothing, by name subject",
        'subject="alice"',
    ),
    "no subject": (
        lambda emulator: emulator.spacetime.issue_token(expires_in=60),
        "spacetime.issue_token: subject is missing",
        'subject="alice"',
    ),
    "a subject that is a number": (
        lambda emulator: emulator.spacetime.issue_token(subject=5),
        "spacetime.issue_token: subject: expected text, got 5",
        'subject="alice"',
    ),
    "a life that is text": (
        lambda emulator: emulator.spacetime.issue_token(subject="a", expires_in="60"),
        "spacetime.issue_token: expires_in: expected a number or a timedelta, got '60'",
        "expires_in=60",
    ),
    "half a character in a claim": (
        lambda emulator: emulator.spacetime.issue_token(subject="a", role="\ud800"),
        "spacetime.issue_token: role: character 1 is U+D800",
        'role="admin"',
    ),
    "a claim that is not a number": (
        lambda emulator: emulator.spacetime.issue_token(subject="a", ratio=[float("inf")]),
        "spacetime.issue_token: ratio[0]: expected a finite number, got inf",
        'ratio="admin"',
    ),
    "half a character in a subject": (
        lambda emulator: emulator.spacetime.issue_token(subject="a\ud800"),
        "spacetime.issue_token: subject: character 2 is U+D800",
        'subject="alice"',
    ),
    "half a character in a wallet": (
        lambda emulator: emulator.intuition.issue_api_key("\ud800"),
        "intuition.issue_api_key: wallet: character 1 is U+D800",
        'wallet="0x81"',
    ),
    "no wallet": (
        lambda emulator: emulator.intuition.issue_api_key(),
        "intuition.issue_api_key: wallet is missing",
        'wallet="0x81"',
    ),
    "a time that is text": (
        lambda emulator: emulator.clock.advance("61"),
        "clock.advance: by: expected a number or a timedelta, got '61'",
        "by=61",
    ),
    "a moment without an offset": (
        lambda emulator: emulator.clock.freeze(NAIVE),
        "clock.freeze: at: datetime.datetime(2024, 1, 1, 0, 0) has no offset",
        'at="2024-02-15T05:47:17Z"',
    ),
    "a moment that is none": (
        lambda emulator: emulator.clock.freeze("yesterday"),
        "clock.freeze: at: 'yesterday' is not a time",
        'at="2024-02-15T05:47:17Z"',
    ),
    "a setting that is misspelt": (
        lambda emulator: emulator.reset(sead=7),
        "reset: there is no argument 'sead'; did you mean 'seed'?",
        "seed=7",
    ),
    "a seed that is text": (
        lambda emulator: emulator.reset(seed="7"),
        "reset: seed: expected a whole number, got '7'",
        "seed=7",
    ),
    "a scenario that is a number": (
        lambda emulator: emulator.load(5),
        "load: scenario: expected a name, a path, a document, a function, or a list of them, got 5",
        'scenario="two_friends"',
    ),
    "a method that is a number": (
        lambda emulator: emulator.journal.find(5),
        "journal.find: method: expected text, got 5",
        'method="POST"',
    ),
    "a filter that is misspelt": (
        lambda emulator: emulator.journal.find(stauts=404),
        "journal.find: there is no argument 'stauts'; did you mean 'status'?",
        "status=404",
    ),
    "a query that is a list": (
        lambda emulator: emulator.journal.assert_requested(query=["page"]),
        "journal.assert_requested: query: expected a mapping, got a list of 1",
        "query={'page': '2'}",
    ),
    "an order of numbers": (
        lambda emulator: emulator.journal.assert_order(5),
        "journal.assert_order: requests: expected text, got 5",
        'requests="POST /v1/identity"',
    ),
    "a timeout that is text": (
        lambda emulator: emulator.journal.wait_for("POST", "/x", timeout="1"),
        "journal.wait_for: timeout: expected a number or a timedelta, got '1'",
        "timeout=5",
    ),
    "a place that is text": (
        lambda emulator: emulator.journal["POST"],
        "journal[…]: expected a whole number, got 'POST'",
        "journal[-1]",
    ),
    "an identity that is a number": (
        lambda emulator: emulator.intuition.complete(5),
        "intuition.complete: identity: expected text, got 5",
        'identity="jp"',
    ),
    "a stub for what is emulated": (
        lambda emulator: emulator.stub("POST /identity", json={}),
        "stub: 'POST /identity' is emulated",
        "",
    ),
    "a stub's keyword": (
        lambda emulator: emulator.stub("POST /claims", staus=200),
        "stub: there is no argument 'staus'; did you mean 'status'?",
        "status=503",
    ),
    "a stub's status": (
        lambda emulator: emulator.stub("POST /claims", status="200"),
        "stub: status: expected a whole number, got '200'",
        "status=503",
    ),
    "a stub's status out of its bounds": (
        lambda emulator: emulator.stub("POST /claims", status=99),
        "stub: status: 99 is not a valid status",
        "status=503",
    ),
    "a stub's credentials": (
        lambda emulator: emulator.stub("POST /claims", auth="spacetim"),
        "stub: auth: expected spacetime or intuition or none, got 'spacetim'; did you mean 'spacetime'?",
        'auth="none"',
    ),
    "a stub's function in the place of its body": (
        lambda emulator: emulator.stub("POST /claims", json=lambda exchange: {}),
        "stub: json: it is a function, which is given as answer=…",
        "json={'display_name': 'JP'}",
    ),
    "a stub's answer": (
        lambda emulator: emulator.stub("POST /claims", answer=5),
        "stub: answer: expected a function, got 5",
        "answer=lambda exchange: {}",
    ),
    "half a character in a stub's text": (
        lambda emulator: emulator.stub("POST /claims", text="\ud800"),
        "stub: text: character 1 is U+D800",
        'text="done"',
    ),
    "a reducer that is a number": (
        lambda emulator: emulator.stub_reducer("chat", 5),
        "stub_reducer: reducer: expected text, got 5",
        'reducer="send"',
    ),
    "an owner that is none": (
        lambda emulator: emulator.spacetime.add_database("alice"),
        "spacetime.add_database: owner: expected an identity of 64 hex digits, got 'alice'",
        'owner=emulator.actors["alice"].identity',
    ),
    "a name that is a number": (
        lambda emulator: emulator.spacetime.add_database(EXAMPLES["identity"], 5),
        "spacetime.add_database: name: expected text, got 5",
        'name="chat"',
    ),
    "a fault of a socket": (
        lambda emulator: emulator.faults.add("GET /v1/database/*/subscribe", websocket={"clos": 1011}),
        "faults.add: websocket.clos: unknown key, did you mean 'close'?",
        "websocket={'close': 1011}",
    ),
    "a fault of a socket where there is none": (
        lambda emulator: emulator.faults.add("POST /identity", websocket={"close": 1011}),
        "faults.add: websocket: 'POST /identity' has no WebSocket",
        "websocket={'close': 1011}",
    ),
    "a frame that is a number": (
        lambda emulator: emulator.journal.wait_for("GET", "/x", frame=5, timeout=0),
        "journal.wait_for: frame: expected text, got 5",
        'frame="InitialConnection"',
    ),
    "a matrix by place": (
        lambda emulator: emulator.faults.matrix(5),
        "faults.matrix: without a name it takes nothing, by name websocket; got 5 too",
        "websocket=True",
    ),
}


@pytest.fixture(params=["in process", "by URL"])
def handle(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Emulator]:
    yield emulator if request.param == "in process" else RemoteEmulator(emulator.url)
    assert len(emulator.faults) == 0, "nothing was changed"


@pytest.mark.parametrize(("call", "begins", "example"), CALLS.values(), ids=CALLS)
def test_a_wrong_call_says_what_is_wrong_and_how_it_is_right(
    handle: Emulator, call: Callable[[Any], object], begins: str, example: str
) -> None:
    with pytest.raises(WrongArgument) as raised:
        call(handle)

    assert str(raised.value).startswith(begins)
    assert str(raised.value).endswith(f"or example {example}" if example else "")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Config(sead=7), "Config: there is no argument 'sead'; did you mean 'seed'? For example seed=7"),  # type: ignore[call-arg]
        (lambda: Config(freeze_at=5), "Config: freeze_at: expected a datetime or text, got 5; for example freeze_at="),  # type: ignore[arg-type]
        (lambda: Config(freeze_at=NAIVE), "Config: freeze_at: datetime.datetime(2024, 1, 1, 0, 0) has no offset"),
        (lambda: Config(scenario=[None]), "Config: scenario: expected a name, a path, a document"),  # type: ignore[list-item]
        (lambda: running_in_thread(prot=3000), "running_in_thread: there is no argument 'prot'; did you mean 'port'?"),  # type: ignore[call-arg]
        (lambda: running_in_thread(port="3000"), "running_in_thread: port: expected a whole number, got '3000'"),  # type: ignore[arg-type]
        (lambda: running_in_thread(7), "running_in_thread: config: expected a Config, got 7"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_started(call: Callable[[], object], message: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        call()

    assert str(raised.value).startswith(message)


PUBLIC = [
    pytest.param(kind, name, parameter, id=f"{kind.__name__}.{name}({parameter})")
    for kind in (LocalEmulator, LocalSpacetime, LocalIntuition, LocalActor, LocalIssuer, Clock, ExchangeQueries)
    for name, member in inspect.getmembers(kind, inspect.isfunction)
    if not name.startswith("_") and (kind is not Clock or name in {"advance", "freeze", "skew"})
    for parameter, described in inspect.signature(member).parameters.items()
    if parameter != "self" and not described.kind.name.startswith("VAR_")
]


@pytest.mark.parametrize(("kind", "method", "parameter"), PUBLIC)
def test_every_argument_of_every_method_is_checked(emulator: Emulator, kind: type, method: str, parameter: str) -> None:
    emulator.load({"version": 1, "spacetime": {"identities": {"alice": None}}})
    issuer = emulator.spacetime.issuer("https://auth.example.com")
    handles = [issuer, emulator, emulator.spacetime, emulator.intuition, emulator.actors["alice"], emulator.clock]
    owner = next(each for each in (*handles, emulator.journal) if isinstance(each, kind))
    nothing = object()
    named = inspect.signature(getattr(kind, method)).parameters.values()
    needed = [each for each in named if each.default is each.empty and not each.kind.name.startswith("VAR_")]
    given = {each.name: nothing for each in needed if each.name != "self"}

    with pytest.raises(WrongArgument) as raised:
        getattr(owner, method)(**{**given, parameter: nothing})

    assert f"{parameter}: expected " in str(raised.value)
    emulator.reset()


def test_every_argument_of_a_connection_is_checked(emulator: Emulator) -> None:
    for handle in (LocalConnection, RemoteConnection):
        for parameter in ("code", "reason"):
            with pytest.raises(WrongArgument, match=f"connection.close: {parameter}: expected "):
                handle.close(object(), **{parameter: object()})  # type: ignore[arg-type]


def test_every_argument_has_an_example() -> None:
    names = {each.values[2] for each in PUBLIC} | {*FaultSettings.__annotations__, *Settings.__annotations__}
    without = {"config", "exchanges", "snapshot"}

    assert {name for name in names if isinstance(name, str)} - without <= set(EXAMPLES)


@pytest.mark.parametrize(
    ("method", "path", "body", "error", "hint"),
    [
        ("POST", "/faults", {"request": "POST /identity", "do": {"drop": "middle"}},
         "do.drop: expected before or after, got 'middle'", '"do": {"drop": "before"}'),
        ("POST", "/faults", {"request": "POST /identity", "do": {"staus": 503}},
         "do.staus: unknown key, did you mean 'status'?", '"do": {"status": 503}'),
        ("POST", "/faults", {"request": "POST /identity", "status": 503},
         "status: it is an action", '{"request": "POST /identity", "do": {"status": 503}}'),
        ("POST", "/faults", {"request": "POST /identity", "do": {"nth": 2}}, "do.nth: it stands beside `do`", '"do"'),
        ("POST", "/faults", {"request": "POST /identity", "probability": "half", "do": {"hang": True}},
         "probability: expected a number, got 'half'", '"probability": 0.5'),
        ("POST", "/reset", {"seed": "7"}, "seed: expected a whole number, got '7'", 'send {"seed": 7}'),
        ("POST", "/clock", {"advance": [1]}, "advance: expected a number, got a list of 1", 'send {"advance": 61}'),
        ("POST", "/intuition/status", {"identity": "1", "status": "complet"},
         "status: expected complete or error or removed, got 'complet'; did you mean 'complete'?", '"complete"'),
        ("POST", "/intuition/lifecycle", {"pending": True, "complete_after": -1},
         "complete_after: -1 is too small; the limit is 0", '"complete_after": 30'),
        ("POST", "/intuition/lifecycle", {}, "pending: missing", '"pending": true'),
        ("POST", "/intuition/api-keys", {"wallet": 5}, "wallet: expected text, got 5", 'send {"wallet": "0x81"}'),
        ("POST", "/spacetime/tokens", {"subject": 5}, "subject: expected text, got 5", '"subject": "alice"'),
        ("POST", "/spacetime/tokens", {"actor": "bob"}, "no actor 'bob'; there is ", "/_emulator/actors"),
        ("PUT", "/snapshot", {"version": 1, "sead": 7},
         "sead: unknown key, did you mean 'seed'?", "nothing was changed"),
        ("GET", "/journal?refused=yes", None, "refused: expected true or false, got 'yes'", "`refused` true or false"),
        ("GET", "/journal?limit=9999999999", None, "of at most 9 digits, got '9999999999'", "numbers"),
        ("GET", "/spacetime/identities?limit=9999999999", None, "of at most 9 digits, got '9999999999'", "?limit=100"),
        ("GET", "/journal?last=-1", None, "last: expected a whole number, got '-1'", "numbers"),
        ("GET", "/journal?status=6xx", None, "status: expected a whole number, got '6xx'", "like 4xx"),
        ("GET", "/journal?limt=1", None, "unknown key 'limt'", "did you mean 'limit'?"),
        ("GET", "/journal/99", None, "there is no exchange '99'; the journal is empty", "GET /_emulator/journal"),
    ],
)  # fmt: skip
def test_a_wrong_call_over_http_says_the_same(
    emulator: Emulator, method: str, path: str, body: object, error: str, hint: str
) -> None:
    answer = requests.request(method, f"{emulator.url}/_emulator{path}", json=body, timeout=PATIENCE)

    assert answer.status_code in {400, 404}
    assert error in answer.json()["error"]
    assert hint in answer.json()["hint"]
    assert len(emulator.faults) == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("POST", "/reset", {"seed": True}, "seed: expected a whole number, got true"),
        ("POST", "/intuition/api-keys", {"wallet": None}, "wallet: expected text, got null"),
        ("POST", "/faults", {"request": "POST /identity", "do": {"status": False}},
         "do.status: expected a whole number, got false"),
        ("POST", "/stubs", {"request": "POST /claims", "status": True}, "status: expected a whole number, got true"),
        ("POST", "/stubs", {"request": "POST /identity"},
         "'POST /identity' is emulated (intuition.create_identity), so no stub can answer it; "
         "for another response add a fault to it"),
        ("PUT", "/snapshot", {"version": True}, "version: expected a whole number, got true; seed: missing"),
        ("POST", "/scenario", {"version": 1, "clock": {"skew": True}}, "clock.skew: expected a number, got true"),
        ("POST", "/clock", {"advance": 1e300}, "advance: the clock can't leave the years 1970 to 9999, got 1e+300"),
        ("POST", "/clock", {"resume": False}, "resume: expected true, got false"),
        ("POST", "/spacetime/tokens", {"subject": "a", "expires_in": 1e300},
         "expires_in is 1e+300; it is from -1000000000000 to 1000000000000 seconds"),
        ("POST", "/spacetime/tokens", {"subject": "a", "expires_in": 5, "null_exp": True},
         "a token with expires_in has a time in `exp`, so null_exp has no place"),
        ("POST", "/intuition/lifecycle", {"pending": True, "complete_after": 1e300},
         "complete_after: expected from 0 to 1,000,000,000 seconds, got 1e+300"),
        ("POST", "/issuers", {"url": "https://a.example.com", "jwks": {}},
         "the server (profile documented) refuses the whole key set of https://a.example.com: the key set: "
         "missing field `keys` at line 1 column 2; to test that, register it with `accept_as_server`"),
        ("GET", "/journal?method=P1", None, "invalid filter: method: 'P1' is not a method"),
    ],
)  # fmt: skip
def test_who_sends_json_is_told_in_json(emulator: Emulator, method: str, path: str, body: object, error: str) -> None:
    answer = requests.request(method, f"{emulator.url}/_emulator{path}", json=body, timeout=PATIENCE)

    assert answer.status_code == 400
    assert answer.json()["error"].removeprefix("invalid snapshot: ").startswith(error)


def test_a_claim_can_have_any_name_that_is_no_misspelt_argument(handle: Emulator) -> None:
    claims: dict[str, Any] = {"kind": "x", "expires_at": 5, "role": "admin", "audiences": 7}

    token = handle.spacetime.issue_token(subject="a", **claims)

    assert jwt.decode(token, options={"verify_signature": False}).items() >= claims.items()


def test_over_http_claims_have_any_names(emulator: Emulator) -> None:
    issuer = emulator.spacetime.issuer("https://auth.example.com")
    claims = {"subject": "b", "expire_in": -100}

    for path in ("/spacetime/tokens", f"/issuers/{issuer.number}/tokens"):
        body = {"subject": "a", "claims": claims}
        answer = requests.post(f"{emulator.url}/_emulator{path}", json=body, timeout=PATIENCE).json()
        assert jwt.decode(answer["token"], options={"verify_signature": False}).items() >= claims.items()


def test_lengths_of_time_are_timedeltas_too(emulator: Emulator) -> None:
    emulator.clock.freeze("2024-02-15T05:47:17Z")
    emulator.clock.advance(timedelta(minutes=1))
    emulator.intuition.lifecycle(complete_after=timedelta(seconds=30))
    fault = emulator.faults.add("POST /identity", delay=timedelta(0), at=timedelta(hours=1), status=503)

    assert emulator.clock.now().minute == 48
    assert emulator.spacetime.issue_token(subject="a", expires_in=timedelta(days=1))
    assert "at 3600.0" in repr(fault)


def test_moments_are_texts_too(emulator: Emulator) -> None:
    emulator.reset(freeze_at="2024-02-15T05:47:17Z")
    requests.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)

    assert emulator.clock.now().year == 2024
    assert len(emulator.journal.find(since="2024-02-15T05:47:17Z")) == 1
    assert emulator.journal.find(since="2024-02-15T05:47:18Z") == []
    assert Config(freeze_at="2024-02-15T05:47:17Z") == Config(freeze_at=emulator.clock.now())


def test_a_request_that_a_stub_answers_has_a_route(handle: Emulator) -> None:
    handle.stub("POST /claims", json=[])
    with pytest.raises(AssertionError) as stubbed:
        handle.journal.assert_requested("POST /claims")
    with pytest.raises(AssertionError) as missing:
        handle.journal.assert_requested("POST /claim")

    assert "There is no such route" not in str(stubbed.value)
    assert "There is no such route" in str(missing.value)


def test_a_fault_can_meet_what_a_stub_answers(handle: Emulator) -> None:
    handle.stub("POST /claims", json=[])
    handle.faults.add("POST /claims", status=503).remove()


@pytest.mark.parametrize("given", [5, None, "http://127.0.0.1:3000"])
def test_a_broken_token_is_made_for_an_emulator(given: Any) -> None:
    with pytest.raises(WrongArgument, match=r"^token: emulator: expected an Emulator, got .+; for example token\("):
        broken()[0].token(given)
