"""A change of the emulator is found, and the difference names it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest

from emulator.conformance.cases import table
from emulator.conformance.report import difference
from emulator.core.errors import Refused
from emulator.http import routing
from emulator.http.routing import Resource
from emulator.server.replies import Reply
from emulator.services.rust import debug_format, serde
from emulator.services.spacetimedb import model, refusals, releases, token_json
from emulator.services.spacetimedb.websocket.session import Session
from tests.conformance.holding import change_rules, sent, serving

Patch = pytest.MonkeyPatch


class Mutation(NamedTuple):
    profile: str
    change: Callable[[Patch], object]
    rule: str
    """Of the case that shows it first."""
    shows: str
    """A part of what the command then tells."""


def _a_text(patch: Patch) -> None:
    def refuse(self: refusals.AuthorizationRequired) -> None:
        Refused.__init__(self, 401, "Authorisation required", "a mutation")

    patch.setattr(refusals.AuthorizationRequired, "__init__", refuse)


def _the_order_of_heads(patch: Patch) -> None:
    rendered = Reply._render

    def render(reply: Any, *arguments: Any) -> None:
        rendered(reply, *arguments)
        head, blank, body = reply._bytes.partition(b"\r\n\r\n")
        *lines, last, date = head.split(b"\r\n")
        reply._bytes = b"\r\n".join((*lines, date, last)) + blank + body

    patch.setattr(Reply, "_render", render)


def _a_connection_id(patch: Patch) -> None:
    fields = Session._connection

    def connection(session: Session, identity: str) -> dict[str, Any]:
        return {**fields(session, identity), "connection_id": {"__connection_id__": 1}}

    patch.setattr(Session, "_connection", connection)


def _the_text_of_a_number(patch: Patch) -> None:
    patch.setattr(token_json, "_parsed", lambda data, shape, rules: serde.parse(data, shape))


def _a_blank_in_allow(patch: Patch) -> None:
    begun = Resource.__init__

    def begin(resource: Any, *arguments: Any) -> None:
        begun(resource, *arguments)
        resource.allow = resource.allow.replace(b",", b", ")

    patch.setattr(Resource, "__init__", begin)


def _the_expiry_last(patch: Patch) -> None:
    found = releases.PROFILES["v2.8"]
    first = tuple(name for name in found.checks_without_key if name != "expiry")
    with_key = (*found.checks_with_key, "expiry")
    change_rules(patch, "v2.8", checks_without_key=first, checks_with_key=with_key)


def _no_chunks(patch: Patch) -> None:
    rendered = Reply._render

    def render(reply: Any, request: Any, response: Any, *arguments: Any) -> None:
        rendered(reply, request, msgspec.structs.replace(response, chunked=False), *arguments)

    patch.setattr(Reply, "_render", render)


def _the_checksum_of_an_identity(patch: Patch) -> None:
    made = model.identity_of

    def identity_of(issuer: str, subject: str) -> str:
        identity = made(issuer, subject)
        return identity[:4] + "00000000" + identity[12:]

    patch.setattr(model, "identity_of", identity_of)


def _later(patch: Patch) -> None:
    issued = model.Claims.issued

    def later(*arguments: Any, at: int, **others: Any) -> model.Claims:
        return issued(*arguments, at=at + 1_500_000, **others)

    patch.setattr(model.Claims, "issued", later)


def _expiry(change: Callable[[int, int | None], int | None]) -> Callable[[Patch], None]:
    """By `exp` and the microsecond of the release, another microsecond at which a token is refused."""
    refused_from = releases.Expiry.refused_from

    def changed(expiry: releases.Expiry, exp: int) -> int | None:
        return change(exp, refused_from(expiry, exp))

    return lambda patch: patch.setattr(releases.Expiry, "refused_from", changed)


_NO_CREDENTIALS = "without credentials, or with `token` twice, it is 401"
_METHODS = "a method that a path does not have is 405, with `allow`"
_NEW_TOKEN = "claims are kept, `iat` and `exp` are new"

_ACCEPTED = "a token is accepted for 60 s after its `exp`"
_EXPIRED = "Invalid token: ExpiredSignature"

MUTATIONS = {
    "chunks": Mutation(
        "v2.8", _no_chunks, "the server's time", "> transfer-encoding: chunked            > content-length: 58"
    ),
    "a text": Mutation("v2.8", _a_text, _NO_CREDENTIALS, "> Authorisation required"),
    "the order of heads": Mutation("v2.8", _the_order_of_heads, _METHODS, "> content-length: 0"),
    "the leeway, a second more": Mutation(
        "v2.8",
        lambda patch: patch.setattr(releases, "LEEWAY", 61),
        "an expired token is told so",
        "> HTTP/1.1 401 Unauthorized             > HTTP/1.1 204 No Content",
    ),
    "the leeway, a second less": Mutation(
        "v2.8", lambda patch: patch.setattr(releases, "LEEWAY", 59), _ACCEPTED, _EXPIRED
    ),
    "the leeway of 2.14, a second less": Mutation(
        "v2.14", lambda patch: patch.setattr(releases, "LEEWAY", 59), _ACCEPTED, _EXPIRED
    ),
    "the edge of expiry": Mutation("v2.8", _expiry(lambda exp, edge: edge and edge - 1_000_000), _ACCEPTED, _EXPIRED),
    "an exp of -1": Mutation(
        "v2.8", _expiry(lambda exp, edge: 0 if exp == -1 else edge), "what a negative `exp` means", _EXPIRED
    ),
    "an exp of 0": Mutation(
        "v2.8", _expiry(lambda exp, edge: edge if exp else None), "an expired token is told so", "204 No Content"
    ),
    "a combining mark": Mutation(
        "v2.8",
        lambda patch: patch.setattr(debug_format, "_extends", lambda char: False),
        "a combining mark is told by its number",
        'string "e\u0301"',
    ),
    "the time of a token": Mutation("v2.8", _later, _NEW_TOKEN, '"iat":17'),
    "CORS": Mutation(
        "v2.8",
        lambda patch: patch.setattr(routing, "CORS", b"access-control-allow-origin: *\r\n"),
        _METHODS,
        "> vary: origin, access-control-request… > access-control-allow-origin: *",
    ),
    "the first message": Mutation(
        "v2.8", _a_connection_id, "v1.bsatn: identity, token, connection id", r"\x01\x00\x00\x00"
    ),
    "the text of a number": Mutation("v1", _the_text_of_a_number, _NEW_TOKEN, '":1.8446744073709552e'),
    "a blank in allow": Mutation("v2.8", _a_blank_in_allow, _METHODS, "> allow: GET, HEAD"),
    "what is found first": Mutation(
        "v2.8", _the_expiry_last, "an expired token is told so", "> Invalid token: InvalidAlgorithm"
    ),
    "a checksum": Mutation("v2.8", _the_checksum_of_an_identity, _NEW_TOKEN, '"c200000000001b79'),
    "the life of a token": Mutation(
        "v2.8", lambda patch: patch.setattr(model, "WEBSOCKET_TOKEN_SECONDS", 90), _NEW_TOKEN, '"exp":17'
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_found_and_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    profile, change, rule, shows = MUTATIONS[name]
    change(monkeypatch)

    with serving(profile) as (emulator, given):
        cases = [case for case in table(profile).cases if case.rule == rule]
        first = next(outcome for outcome in sent(cases, emulator, given) if outcome.difference)

    assert shows in "\n".join(difference(first))
