"""Recorded handshakes of v2.8.3, and what other releases do differently.

Methods, credentials and names of databases are judged before `subscribe` is called.
"""

import asyncio
import base64
import gzip
import hashlib
import json
import re
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiohttp import HttpVersion10, HttpVersion11
from multidict import CIMultiDict

from emulator.core.errors import Refused
from emulator.http.request import Request
from emulator.http.response import Response
from emulator.services.spacetimedb.auth import Caller
from emulator.services.spacetimedb.model import Identity
from emulator.services.spacetimedb.refusals import describe
from emulator.services.spacetimedb.store import Store
from emulator.services.spacetimedb.websocket.handshake import subscribe
from emulator.services.spacetimedb.websocket.session import Session
from tests.conftest import DATA
from tests.worlds import make_world

ALICE = Identity("c20035600353a2e93544d898c6ed0eac323e200c0468300f22958f8b472a265d")
DATABASES = {
    "alpha": Identity("c200622995ae9edec284eb74117c02566789079a4e8722c9683679b92fd86e93"),
    "beta": Identity("c2001dbbe4cccc9e2a686e90839647e412b0aabd417d81ec73c408255fa75815"),
}
"""As published before the recording."""

CALLER = Caller(ALICE, "TOK")
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "v1.bsatn.spacetimedb",
}


def store(profile: str = "v2.8") -> Store:
    made = make_world(spacetime_profile=profile, seed=7).spacetime
    for name, identity in DATABASES.items():
        made.add_database(ALICE, name, identity)
    return made


def request(target: str, headers: Any, *, minor: int = 1) -> Request:
    version = HttpVersion11 if minor else HttpVersion10
    of_aiohttp = {"raw_path": target, "version": version, "headers": CIMultiDict(headers), "raw_headers": ()}
    raw = SimpleNamespace(method="GET", body_exists=False, **of_aiohttp)
    made = Request(raw)  # type: ignore[arg-type]
    made.params = (made.path.split("/")[3],)
    return made


def response(to: Request, of: Store, caller: Caller = CALLER) -> Response:
    try:
        return asyncio.run(subscribe(to, of, caller))
    except Refused as refused:
        return describe(of.profile, refused)


def refusal(query: str = "", profile: str = "v2.8", database: str = "alpha", **changes: str | None) -> tuple[int, str]:
    """Status and text, after changes of headers, in which `_` is `-`."""
    headers = dict(UPGRADE)
    for name, value in changes.items():
        key = name.replace("_", "-")
        headers = {each: old for each, old in headers.items() if each.lower() != key}
        if value is not None:
            headers[key] = value
    got = response(request(f"/v1/database/{database}/subscribe{query}", headers), store(profile))
    return got.status, got.body.decode()


def session(query: str = "", profile: str = "v2.8", protocol: str = "v2.bsatn.spacetimedb") -> Session:
    headers = {**UPGRADE, "Sec-WebSocket-Protocol": protocol}
    got = response(request(f"/v1/database/alpha/subscribe{query}", headers), store(profile))
    assert got.upgrade is not None
    assert isinstance(got.upgrade.session, Session)
    return got.upgrade.session


# --- recorded ---------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    name: str
    method: str
    target: str
    minor: int
    headers: Any
    status: int
    answered: dict[str, str]
    lines: list[str]
    body: str


def rows() -> list[Row]:
    with gzip.open(DATA / "recorded" / "v2.8.3-handshake.jsonl.gz", "rt", encoding="utf-8") as file:
        return [_row(json.loads(line)) for line in file]


def _row(row: Any) -> Row:
    first, *lines = base64.b64decode(row["request_b64"]).decode("utf-8", "surrogateescape").split("\r\n")
    method, target, version = first.split(" ")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines if line)]
    head, _, body = base64.b64decode(row["response_b64"]).decode().partition("\r\n\r\n")
    status, *answered = head.split("\r\n")
    named = dict(line.split(": ", 1) for line in answered)
    code = int(status.split(" ")[1])
    return Row(row["name"], method, target, int(version[-1]), CIMultiDict(headers), code, named, answered, body)


def of_the_edge(row: Row) -> bool:
    return row.method != "GET" or "spacetime-identity" not in row.answered or "Bad_Name" in row.target


RECORDED = rows()


@pytest.mark.parametrize("row", [row for row in RECORDED if not of_the_edge(row)], ids=lambda row: str(row.name))
def test_the_response_is_the_recorded_one(row: Row) -> None:
    caller = Caller(Identity(row.answered["spacetime-identity"]), row.answered["spacetime-identity-token"])

    got = response(request(row.target, row.headers, minor=row.minor), store(), caller)

    own = [line for line in row.lines if re.match("connection|upgrade|sec-", line)]
    assert (got.status, got.body.decode()) == (row.status, row.body)
    assert got.headers.decode().split("\r\n")[:-1] == own
    assert got.content_type == row.answered.get("content-type", "")


def test_the_other_recorded_rows_are_about_methods_credentials_and_names() -> None:
    assert (len(RECORDED), sum(map(of_the_edge, RECORDED))) == (86, 13)


# --- what the recording leaves open -----------------------------------------------------------------------------------


def test_no_protocol_of_v2_is_chosen_by_releases_1() -> None:
    offered = "v3.bsatn.spacetimedb, v2.bsatn.spacetimedb"

    assert refusal(profile="v1", sec_websocket_protocol=offered) == (400, "no valid protocol selected")


def test_the_servers_order_counts() -> None:
    offered = "v1.json.spacetimedb,v1.bsatn.spacetimedb,v2.bsatn.spacetimedb,v3.bsatn.spacetimedb"

    chosen = [session(profile=each, protocol=offered).subprotocol for each in ("v1", "v2.8", "v2.14", "documented")]

    assert chosen == ["v1.bsatn.spacetimedb", *["v3.bsatn.spacetimedb"] * 3]


@pytest.mark.parametrize(
    ("profile", "text"),
    [("v1", "Could not resolve database `nodb`"), ("v2.8", "`nodb` not found"), ("documented", "`nodb` not found")],
)
def test_an_unknown_name_has_the_text_of_the_release(profile: str, text: str) -> None:
    assert refusal(profile=profile, database="nodb") == (404, text)


@pytest.mark.parametrize("profile", ["v1", "v2.8"])
@pytest.mark.parametrize("written", ["{}", "0x{}"])
def test_an_unknown_identity_is_an_error_of_the_server_before_protocols_are_looked_at(
    profile: str, written: str
) -> None:
    unknown = "c200" + "ab" * 30

    got = refusal(profile=profile, database=written.format(unknown), sec_websocket_protocol=None)

    assert got == (500, f"Unable to authorize {ALICE} for SQL: database {unknown} not found")


@pytest.mark.parametrize(
    "written", ["alpha", DATABASES["alpha"], DATABASES["alpha"].upper(), f"0x{DATABASES['alpha']}"]
)
def test_a_database_is_found_by_name_and_by_identity(written: str) -> None:
    got = response(request(f"/v1/database/{written}/subscribe", UPGRADE), store())

    assert got.upgrade is not None
    assert got.upgrade.session.database == DATABASES["alpha"]


ZERO = "?connection_id=" + "0" * 32
FAULTS: list[tuple[str, Any]] = [
    ("Failed to deserialize query string: provided string was not `true` or `false`", {"query": f"{ZERO}&light=1"}),
    ("This service requires use of the websocket protocol", {"query": ZERO, "upgrade": "other"}),
    ("`Sec-WebSocket-Version` header did not include '13'", {"sec_websocket_version": "12"}),
    ("`Sec-WebSocket-Key` header missing", {"sec_websocket_key": None}),
    ("Invalid connection ID: the all-zeros ConnectionId is reserved.", {"query": ZERO}),
    ("`nodb` not found", {"database": "nodb"}),
    ("no valid protocol selected", {"sec_websocket_protocol": "foo"}),
]
"""In the server's order."""


@pytest.mark.parametrize("count", range(len(FAULTS)))
def test_of_several_faults_the_first_in_the_servers_order_is_told(count: int) -> None:
    faults: dict[str, Any] = {}
    for _, fault in reversed(FAULTS[count:]):
        faults |= fault

    assert refusal(**faults)[1] == FAULTS[count][0]


def test_the_key_is_hashed_whatever_it_is() -> None:
    got = response(request("/v1/database/alpha/subscribe", {**UPGRADE, "Sec-WebSocket-Key": "a b\udcff"}), store())

    digest = hashlib.sha1(b"a b\xff258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    assert b"sec-websocket-accept: %b\r\n" % base64.b64encode(digest) in got.headers


def test_unknown_parameters_are_ignored() -> None:
    assert session("?token=x&token=y&foo=%ff&client_address=1").subprotocol == "v2.bsatn.spacetimedb"


def test_a_connection_id_is_kept_in_lower_case() -> None:
    assert session("?connection_id=" + "AB" * 16).connection_id == "ab" * 16


def test_a_connection_without_an_id_gets_one_of_the_seed() -> None:
    assert session().connection_id == session().connection_id
    assert re.fullmatch("[0-9a-f]{32}", session().connection_id)


@pytest.mark.parametrize(("text", "kept"), [("0" * 31 + "1", "0" * 31 + "1"), ("AB", "0" * 30 + "ab"), (None, None)])
def test_a_session_id_is_a_number_in_hex(text: str | None, kept: str | None) -> None:
    query = "" if text is None else f"?session_id={text}"

    assert session(query, "v2.14").session_id == kept


@pytest.mark.parametrize("text", ["", "0x01", "zz", "1" * 33, "-1", "%ff"])
def test_another_session_id_is_refused(text: str) -> None:
    problem = "Failed to deserialize query string: session_id must be a hex-encoded 128-bit value"

    assert refusal(f"?session_id={text}", "v2.14") == (400, problem)


def test_a_session_id_twice_is_refused() -> None:
    text = "Failed to deserialize query string: duplicate field `session_id`"

    assert refusal("?session_id=1&session_id=1", "documented") == (400, text)


@pytest.mark.parametrize("profile", ["v1", "v2.8"])
def test_releases_before_2_10_2_know_no_session_id(profile: str) -> None:
    assert session("?session_id=zz", profile, "v1.bsatn.spacetimedb").session_id is None
