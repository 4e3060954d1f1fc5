"""Stubs in scenarios: what is a mistake, with its position, and what a world has of them."""

import pytest

from tests.unit.scenario.support import document, problems, refused, world


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "stubs: [{request: POST /identity}]",
            "2:10 stubs[0].request: 'POST /identity' is emulated (intuition.create_",
        ),
        ("stubs:\n  - request: GET /a\n  - request: GET /v1/ping", "4:5 stubs[1].request: 'GET /v1/ping' is emulated"),
        ("stubs: [{request: get /a}]", "2:10 stubs[0].request: 'get /a' is not like 'POST /claims'"),
        ("stubs: [{request: GET /a, status: 99}]", "2:27 stubs[0].status: 99 is not a valid status"),
        ("stubs: [{request: GET /a, status: ok}]", "stubs[0].status: expected a whole number, got 'ok'"),
        ("stubs: [{request: GET /a, jsn: 1}]", "2:27 stubs[0].jsn: unknown key, did you mean 'json'?"),
        ("stubs: [{request: GET /a, json: 1, text: b}]", "2:36 stubs[0].text: either json or text, not both"),
        ("stubs: [{request: GET /a, headers: {a b: c}}]", "2:27 stubs[0].headers: invalid header 'a b'"),
        ("stubs: [{request: GET /a, auth: google}]", "stubs[0].auth: 'google' is not allowed here"),
        ("stubs: [{json: 1}]", "2:9 stubs[0].request: missing"),
        ("stubs: [{request: GET /b}, {request: GET /a, times: 0}]", "2:46 stubs[1].times: it must be a number from 1"),
        ("stubs: {request: GET /a}", "2:8 stubs: expected a list, got a mapping"),
        (f"stubs: [{'{request: GET /a}, ' * 1001}]", "2:1 stubs: 1,001 stubs up to here; the limit is 1,000"),
        (
            "spacetime: {identities: {a: {databases: [chat]}}, reducers: {chta: [send]}}",
            "2:62 spacetime.reducers.chta: no identity has a database 'chta'; did you mean 'chat'?",
        ),
        (
            "spacetime: {identities: {a: {databases: [chat]}}, reducers: {chat: ['']}}",
            "2:69 spacetime.reducers.chat[0]: '' is not the name of a reducer",
        ),
        (
            "stubs: [{request: POST /claims/*}]\nscript: [{request: POST /claim/7, do: {status: 503}}]",
            "3:11 script[0].request: no route matches 'POST /claim/7'",
        ),
    ],
)
def test_a_mistake_is_found_with_its_position(text: str, problem: str) -> None:
    found = problems(text)

    assert len(found) == 1
    assert problem in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "stubs: [{request: POST /claims, json: }]",
        "stubs: [{request: 'GET /v1/**', text: a}, {request: PUT /identities/*, body: b, status: 201}]",
        "stubs: [{request: GET /a, base64: /wA=, headers: {content-type: image/png}, times: 2, auth: none}]",
        "stubs: [{request: POST /claims/*}]\nscript: [{request: POST /claims/7, do: {status: 503}}]",
        "stubs: [{request: POST /v1/identity/*/set-email}]",
        "spacetime: {profile: v2}\nstubs: [{request: POST /v1/identity/*/set-email}]",
        "spacetime: {identities: {a: {databases: [chat]}}, reducers: {chat: [send, delete]}}",
    ],
)
def test_what_is_no_mistake(text: str) -> None:
    assert problems(text) == []


def test_of_very_many_steps_and_stubs_not_all_are_compared() -> None:
    stubs = ", ".join(f"{{request: GET /a{number}}}" for number in range(1000))
    steps = ", ".join(f"{{request: GET /b{number}, do: {{hang: true}}}}" for number in range(200))

    assert len(problems(f"stubs: [{stubs}]\nscript: [{steps}]")) == 100


def test_what_the_named_profile_emulates_is_a_mistake() -> None:
    text = "spacetime: {profile: documented}\nstubs: [{request: POST /v1/identity/*/set-email}]"

    assert "is emulated (spacetime.set_email)" in problems(text)[0]


def test_a_world_has_the_stubs_in_order() -> None:
    found = world(document(stubs=[{"request": "GET /a", "json": {"b": 1}}, {"request": "GET /**", "status": 404}]))

    assert [(stub.number, stub.request, stub.spec.content[0]) for stub in found.stubs] == [
        (1, "GET /a", b'{"b":1}'),
        (2, "GET /**", b""),
    ]


def test_layers_add_their_stubs_the_lowest_first() -> None:
    layers = [document(stubs=[{"request": f"GET /{name}"}]) for name in ("a", "b")]

    assert [stub.request for stub in world(layers).stubs] == ["GET /a", "GET /b"]


def test_a_world_has_the_stubbed_reducers() -> None:
    spacetime = {"identities": {"alice": {"databases": ["chat"]}}, "reducers": {"chat": ["send"]}}
    found = world(document(spacetime=spacetime)).spacetime
    chat = found.database("chat")

    assert chat is not None
    assert [found.is_stubbed(chat.identity, name) for name in ("send", "delete")] == [True, False]


def test_a_python_scenario_can_have_stubs_that_a_function_answers() -> None:
    found = world(lambda emulator: emulator.stub("GET /claims", answer=lambda _: []))

    assert [stub.function is not None for stub in found.stubs] == [True]


def test_over_http_a_wrong_stub_is_refused_with_all_mistakes() -> None:
    said = refused(document(stubs=[{"request": "GET /a", "status": 1}, {"request": "GET"}]))

    assert "stubs[0].status" in said
    assert "stubs[1].request" in said
