"""Cases that need a database of the target: its routes, the first message of each protocol, frames without a module."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from emulator.conformance.cases import Case, Step
from tests.project.conformance_changes import TOKEN, as_2_14, without_exp
from tests.recorded_rows import conversations, first_messages
from tests.recordings import RECORDED, cases

DATABASE = b"alpha"
"""Of the recordings; another takes its place."""


_ROUTES = {
    "database: HEAD alpha": "HEAD has neither a length nor chunks",
    "database: GET alpha/identity [none]": "the identity of a name",
    "database: timestamp": "the server's time",
    "database 022: GET alpha/identity": "the identity of a name",
    "database 030: GET alpha/unstable/timestamp": "the server's time",
}
"""What each row shows: those that say nothing of what is in the database."""


def routes(release: str) -> Iterator[Case]:
    """`v1.12.0` or `v2.8.3`."""
    for case in cases(f"{release}-database.jsonl"):
        if case.name in _ROUTES:
            masks = (*case.masks, "hashes")
            yield replace(case, group="databases", rule=_ROUTES[case.name], needs=_needs(case), masks=masks)


def routes_of_v2_14() -> Iterator[Case]:
    return (replace(case, evidence="inferred") for case in as_2_14(routes("v2.8.3")))


def _needs(case: Case) -> tuple[str, ...]:
    return ("keys", "database") if b"eyJ" in case.request else ("database",)


# --- WebSockets -------------------------------------------------------------------------------------------------------


def conversations_of_v1() -> Iterator[Case]:
    return _chosen(first_messages(RECORDED / "v1.12.0-websocket.jsonl.gz"), _OF_V1)


def conversations_of_v2() -> Iterator[Case]:
    return _chosen(conversations(RECORDED / "v2.8.3-websocket.jsonl.gz"), _OF_V2)


def conversations_of_v2_14() -> Iterator[Case]:
    """The same, by the source of later releases; new tokens have no `exp`."""
    return (_without_exp(replace(case, evidence="source")) for case in conversations_of_v2())


_FIRST, _FRAMES = "first message", "frames"
_Names = Mapping[str, tuple[str, str]]
"""By the name of a row, its group and rule."""

_OF_V1: _Names = {
    "handshake: bsatn, token, connection id": (_FIRST, "v1.bsatn: identity, token, connection id"),
    "handshake: json, token, connection id": (_FIRST, "v1.json: identity, token, connection id"),
    "handshake: bsatn anonymous, nothing in the query": (_FIRST, "v1.bsatn: a new identity for nobody"),
    "handshake: json anonymous": (_FIRST, "v1.json: a new identity for nobody"),
    "handshake: token in the query": (_FIRST, "the token of the query is sent back"),
    "handshake: both, json first": (_FIRST, "the subprotocol is chosen in the server's order"),
    "handshake: both in two lines, json first": (_FIRST, "the subprotocol is chosen in the server's order"),
    "handshake: v3, v2, v1.bsatn": (_FIRST, "newer subprotocols are passed over"),
    "handshake: connection_id upper case": (_FIRST, "a connection id is 32 hex digits"),
    "handshake: short key": (_FIRST, "version and key of the protocol"),
    "compression: token of 970, Gzip": (_FIRST, "up to 1,024 bytes nothing is compressed"),
}
_OF_V2: _Names = {
    **{
        f"frames: {short} {row}": (_FIRST, f"{protocol}: {rule}")
        for short, protocol in (("v1b", "v1.bsatn"), ("v1j", "v1.json"), ("v2", "v2.bsatn"), ("v3", "v3.bsatn"))
        for row, rule in (
            ("token cid", "identity, token, connection id"),
            ("anonymous", "a new identity for nobody"),
            ("light, confirmed=true", "parameters of the query"),
        )
    },
    "compression v2 Gzip token 970": (_FIRST, "up to 1,024 bytes nothing is compressed"),
    "compression v2 None token 1100": (_FIRST, "up to 1,024 bytes nothing is compressed"),
    "frames: v2 undecodable tag 9": (_FRAMES, "what can't be read closes with 1011"),
    "frames: v2 undecodable trailing": (_FRAMES, "v2.bsatn: bytes after a message are passed over"),
    "frames: v1j undecodable unknown": (_FRAMES, "what can't be read closes with 1011"),
    "frames: v3 unsubscribe unknown": (_FRAMES, "a subscription that there is not"),
    "frames: v3 ping": (_FRAMES, "a ping is answered"),
    "frames: v3 close 4999": (_FRAMES, "a close is answered with its code and reason"),
    "frames: v3 close 999": (_FRAMES, "a code that no close may have"),
    "frames: v3 unmasked": (_FRAMES, "what violates the protocol ends the connection"),
}


def _chosen(recorded: Iterable[Case], chosen: _Names) -> Iterator[Case]:
    """The chosen ones; of a first message nothing that follows."""
    seen = set[str]()
    for case in recorded:
        name = case.name.removeprefix("websocket ")
        if name not in chosen or name in seen:  # some rows were recorded twice
            continue
        seen.add(name)
        group, rule = chosen[name]
        turns = case.turns if group == _FRAMES else (replace(case.turns[0], ends=False),)
        steps = (Step("send", _OF_ANY.sub(b"/v1/database/%b/" % DATABASE, case.request, count=1)),)
        yield replace(case, steps=steps, group=group, rule=rule, needs=_needs(case), turns=turns, closed=None)


_OF_ANY = re.compile(rb"/v1/database/[\w-]+/")


def sessions() -> Iterator[Case]:
    """What 2.10.2 added, by its public code."""
    request = (
        b"GET /v1/database/nowhere/subscribe?session_id=zz HTTP/1.1\r\nHost: 127.0.0.1:3000\r\n"
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: v3.bsatn.spacetimedb\r\n\r\n"
    )
    text = b"Failed to deserialize query string: session_id must be a hex-encoded 128-bit value"
    yield Case(
        name="handshake: session_id=zz",
        steps=(Step("send", request),),
        response=b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n\r\n" + text,
        closed=None,
        masks=("other headers",),
        group="handshake",
        rule="a session id is a number of 128 bits in hex",
        evidence="source",
    )


def _without_exp(case: Case) -> Case:
    said = b" ".join((case.response, *(data for turn in case.turns for _, data in turn.frames)))
    for token in TOKEN.finditer(said):
        case = _replaced(case, token[0], without_exp(token, case.request))
    return case


def _replaced(case: Case, old: bytes, new: bytes) -> Case:
    """In frames with its length before it, if they are in BSATN."""
    before, after = (len(each).to_bytes(4, "little") + each for each in (old, new))
    turns = (
        replace(
            turn, frames=tuple((first, data.replace(before, after).replace(old, new)) for first, data in turn.frames)
        )
        for turn in case.turns
    )
    return replace(case, response=case.response.replace(old, new), turns=tuple(turns))
