"""Cases written by hand, where nothing is recorded: what the two documentation pages say.

Each begins with what it needs, such as a new identity, so that it can be sent alone, and in any order. Statuses, names
and kinds of values are compared; what a page does not say (other headers, phrases, framing) is not.
"""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from emulator.conformance.cases import PAGE, Case, Step
from emulator.services.spacetimedb.model import Claims, identity_of
from emulator.services.spacetimedb.signing_keys import SigningKey
from tests.conftest import data
from tests.recorded_rows import RECORDED_AT

Sent = tuple[str, ...]
"""Method and path, then header lines; a body is the last, after an empty line."""
Said = tuple[int, Any]
"""Status, and the JSON body; or a header line, and any body; or None, and any body."""


class Fact(NamedTuple):
    rule: str
    evidence: str
    exchanges: tuple[tuple[Sent, Said], ...]
    """On one connection. `<name>` is replaced by the member of that name in the response before."""
    compared: tuple[str, ...] = ("values",)
    """What mask the bodies have; none if they are compared as they are."""


# --- SpacetimeDB's page -----------------------------------------------------------------------------------------------

_BASIC, _BEARER = "Authorization: Basic <basic token>", "Authorization: Bearer <token>"
_NEW: tuple[Sent, Said] = ("POST /v1/identity",), (200, {"identity": "...", "token": "eyJ0.eyJ0.c2ln"})
_EXCHANGED: Said = 200, {"token": "eyJ0.eyJ0.c2ln"}


def _of_a_new_identity(rule: str, evidence: str, status: int, said: Any, *sent: str) -> Fact:
    return Fact(rule, evidence, (_NEW, (sent, (status, said))))


_EXCHANGE, _VERIFY = "POST /v1/identity/websocket-token", "GET /v1/identity/<identity>/verify"
_SET_EMAIL = "POST /v1/identity/<identity>/set-email?email=jp%40example.com"

SPACETIMEDB = (
    Fact("a new identity: identity and token", "page", (_NEW,)),
    _of_a_new_identity("a short-lived token for a Basic one", "page", *_EXCHANGED, _EXCHANGE, _BASIC),
    _of_a_new_identity("a short-lived token for a Bearer one", "inferred", *_EXCHANGED, _EXCHANGE, _BEARER),
    _of_a_new_identity("a short-lived token needs credentials", "page", 401, None, _EXCHANGE),
    _of_a_new_identity(
        "the public key is called a certificate chain",
        "page",
        200,
        "content-type: application/pem-certificate-chain",
        "GET /v1/identity/public-key",
    ),
    _of_a_new_identity("an e-mail address is stored", "page", 200, None, _SET_EMAIL, _BASIC),
    _of_a_new_identity("an e-mail address needs credentials", "page", 401, None, _SET_EMAIL),
    _of_a_new_identity(
        "databases are listed as addresses", "page", 200, {"addresses": []}, "GET /v1/identity/<identity>/databases"
    ),
    _of_a_new_identity("a token of this identity", "page", 204, None, _VERIFY, _BASIC),
    _of_a_new_identity("a token of another identity", "page", 400, None, f"GET /v1/identity/{'0' * 64}/verify", _BASIC),
    _of_a_new_identity("a token that is none", "page", 401, None, _VERIFY, "Authorization: Basic dG9rZW46bm9uZQ=="),
    _of_a_new_identity("a token with another signature", "page", 401, None, _VERIFY, f"{_BEARER}AA"),
    _of_a_new_identity("credentials that can't be read", "page", 401, None, _VERIFY, "Authorization: Basic ?"),
    _of_a_new_identity("no credentials", "page", 401, None, _VERIFY),
)
"""In the page's order."""


# --- Intuition's page -------------------------------------------------------------------------------------------------

_KEY = "x-api-key: <api key>"
_SAMPLE = {
    "display_name": "JP",
    "creator": "0x...81",
    "description": "It is JP.",
    "image": "https://my-image.com/me.jpg",
    "external_reference": "https://github.com",
}
_TIME = "2024-02-15T05:47:17.289011Z"
_USER = {
    "id": "7...",
    "created_at": _TIME,
    "updated_at": _TIME,
    "last_login": _TIME,
    "api_key": "",
    "wallet": "0x...81",
    "role": "User",
}
_ROW = {
    "id": "f9...",
    "identity_id": "did:intuition:ipfs:Xxx",
    "identity_hash": "x...",
    **{name: _SAMPLE[name] for name in ("display_name", "description", "image", "external_reference")},
    "creator": _USER,
    "status": "complete",
    "created_at": _TIME,
    "num_positions": 0,
    "updated_at": _TIME,
    "vault_id": "1",
    "assets_sum": "0",
    "conviction_sum": "0",
    "conviction_price": "0",
}
_BARE = {name: value for name, value in _ROW.items() if name not in {"description", "image", "external_reference"}}
_ONE_ROW: Said = 200, {"page": 1, "limit": 1, "total": 1, "data": [_ROW]}
_NO_ROW: Said = 200, {"page": 1, "limit": 100, "total": 0, "data": []}
_MISSING, _INVALID = "`Authorization` header  or Api Key is missing", "`x-api-key` is invalid"


def _create(path: str = "/identity", body: Mapping[str, Any] | str = _SAMPLE, key: str = _KEY) -> Sent:
    text = body if isinstance(body, str) else json.dumps(body)
    return f"POST {path}", "Content-Type: application/json", key, "", text


def _error(status: int, text: str = "...") -> Said:
    return status, {"code": status, "error": text}


_MADE: tuple[Sent, Said] = _create(), (200, _ROW)
_ROW_BUT_FOR_IDS, _WHOLE = ("blanks", "row"), ("blanks",)

INTUITION = (
    Fact("a new identity: the row of the sample", "page", (_MADE,), _ROW_BUT_FOR_IDS),
    Fact("the other name of the route", "page", ((_create("/identities"), (200, _ROW)),), _ROW_BUT_FOR_IDS),
    Fact(
        "what is not given is left out",
        "inferred",
        ((_create(body={"display_name": "JP", "creator": "0x...81"}), (200, _BARE)),),
        _ROW_BUT_FOR_IDS,
    ),
    Fact(
        "a body with a trailing comma",
        "page",
        ((_create(body='{"display_name":"JP","creator":"0x...81",}'), _error(400)),),
    ),
    Fact("a body without a creator", "inferred", ((_create(body={"display_name": "JP"}), _error(400)),)),
    Fact("no API key", "page", ((_create(key="Accept: */*"), _error(401, _MISSING)),), _WHOLE),
    Fact("no API key for a list", "page", ((("GET /identities",), _error(401, _MISSING)),), _WHOLE),
    Fact("a wrong API key", "page", ((_create(key="x-api-key: none"), _error(401, _INVALID)),), _WHOLE),
    Fact(
        "an identity by its identity_id",
        "page",
        (_MADE, (("GET /identity/<identity_id>", _KEY), (200, _ROW))),
        _ROW_BUT_FOR_IDS,
    ),
    Fact("an identity by its id", "inferred", (_MADE, (("GET /identity/<id>", _KEY), (200, _ROW))), _ROW_BUT_FOR_IDS),
    Fact("no such identity", "page", ((("GET /identity/00000000-0000-4000-8000-000000000000", _KEY), _error(404)),)),
    Fact("all identities, in pages", "page", (_MADE, (("GET /identities?page=1&limit=1", _KEY), _ONE_ROW))),
    Fact("a search", "page", (_MADE, (("GET /identities/search?displayName=JP&limit=1", _KEY), _ONE_ROW))),
    Fact("no positions", "invented", (_MADE, (("GET /identity/<identity_id>/positions", _KEY), _NO_ROW))),
)


# --- the edges of expiry: to the second of the target's clock; when it has passed, the case is sent again -------------


def edges_of_expiry(accepted: int, negative: str, text: str) -> Iterator[Case]:
    """Tokens that expired so many seconds ago, or a second more; what the release makes of a negative `exp`."""
    refused = b"401 Unauthorized\r\n\r\n" + text.encode()
    now = int(RECORDED_AT.timestamp())
    yield _expiry(f"expired {accepted} s ago", now - accepted, _ACCEPTED, _NO_CONTENT)
    yield _expiry(f"expired {accepted + 1} s ago", now - accepted - 1, _EXPIRED, refused)
    for exp in (-1, -61):
        yield _expiry(f"exp {exp}", exp, _NEGATIVE, refused if negative == "expired" else _NO_CONTENT)
    yield _expiry("exp 0", 0, _EXPIRED, refused)


_NO_CONTENT = b"204 No Content\r\n\r\n"
_ACCEPTED, _EXPIRED, _NEGATIVE = (
    "a token is accepted for 60 s after its `exp`",
    "an expired token is told so",
    "what a negative `exp` means",
)


def _expiry(name: str, exp: int, rule: str, answer: bytes) -> Case:
    return Case(
        name=name,
        steps=(Step("send", _verify(_expiring(exp))),),
        response=b"HTTP/1.1 " + answer,
        closed=None,
        moment=RECORDED_AT,
        masks=("other headers",),
        group="expiry",
        rule=rule,
        evidence="source",
        needs=("keys",),
    )


def _expiring(exp: int) -> str:
    """A token of the recordings' key."""
    at = int(RECORDED_AT.timestamp())
    key = SigningKey(derive_private_key(int(data("test_key.json")["scalar"]), SECP256R1()))
    claims = Claims.issued("localhost", "test-subject", (), exp - at, {}, at=at * 1_000_000, null_exp=False)
    return key.mint(claims)


def _verify(token: str) -> bytes:
    path = f"/v1/identity/{identity_of('localhost', 'test-subject')}/verify"
    lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1:3000", f"Authorization: Bearer {token}", "", "")
    return "\r\n".join(lines).encode()


# --- as cases ---------------------------------------------------------------------------------------------------------


def documented() -> Iterator[Case]:
    """SpacetimeDB's page."""
    return map(_case, SPACETIMEDB)


def intuition() -> Iterator[Case]:
    """`POST /identity`, and the pages beside it."""
    return map(_case, INTUITION)


def _case(fact: Fact) -> Case:
    steps, response = list[Step](), b""
    for number, (sent, said) in enumerate(fact.exchanges):
        steps += [Step("wait", number)] if number else []
        steps.append(Step("fill", _request(sent)))
        response += _response(said)
    compared = fact.compared if isinstance(fact.exchanges[-1][1][1], dict) else ("body",)
    needs = ("api_key",) if any("<api key>" in line for sent, _ in fact.exchanges for line in sent) else ()
    return Case(
        name=fact.rule,
        steps=tuple(steps),
        response=response,
        closed=None,
        masks=("other headers", "reason", *compared),
        group=PAGE,
        rule=fact.rule,
        evidence=fact.evidence,
        needs=needs,
    )


def _request(sent: Sent) -> bytes:
    first, *rest = sent
    headers, body = (rest[:-2], rest[-1].encode()) if "" in rest else (rest, b"")
    length = [f"Content-Length: {len(body)}"] if first.startswith("POST") else []
    return "\r\n".join([f"{first} HTTP/1.1", "Host: 127.0.0.1:3000", *headers, *length, "", ""]).encode() + body


def _response(said: Said) -> bytes:
    status, body = said
    header = f"{body}\r\n" if isinstance(body, str) else ""
    text = json.dumps(body, separators=(",", ":")) if isinstance(body, dict) else ""
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{header}\r\n{text}".encode()
