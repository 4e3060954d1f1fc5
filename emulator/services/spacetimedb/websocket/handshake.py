"""The handshake of `subscribe`: crates/client-api/src/routes/subscribe.rs and util/websocket.rs of v2.8.3."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha1
from typing import Any

from emulator.http.parameters import path_text, query_pairs
from emulator.http.request import Request
from emulator.http.response import TEXT, Response
from emulator.http.upgrade import Session, Upgrade
from emulator.services.rust.debug_format import debug
from emulator.services.spacetimedb.auth import Caller
from emulator.services.spacetimedb.database.edge import why_unknown
from emulator.services.spacetimedb.model import Database
from emulator.services.spacetimedb.refusals import HandshakeRefused, InvalidQuery
from emulator.services.spacetimedb.releases import Release
from emulator.services.spacetimedb.store import Store
from emulator.services.spacetimedb.websocket import compression

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, 1.3."""


async def subscribe(request: Request, store: Store, caller: Caller) -> Response:
    """101, or the first fault in the server's order. Raises HandshakeRefused or InvalidQuery."""
    asked = _query(request.query, store.profile)
    if request.method == "HEAD":  # axum lets GET's handler answer it, which takes only GET
        return Response(405, b"Request method must be `GET`", TEXT, why="a WebSocket is opened with GET")
    if not _wants_websocket(request):
        return _upgrade_required(request)
    accept = _accepted_key(request)
    connection_id = asked.get("connection_id") or store.new_connection_id()
    if not int(connection_id, 16):
        raise HandshakeRefused(
            400, "Invalid connection ID: the all-zeros ConnectionId is reserved.", "`connection_id` is zero"
        )
    database = _database(request, store, caller)
    subprotocol = _chosen(request, store.profile.subprotocols)
    session = _session(subprotocol, store, caller, database.identity, {**asked, "connection_id": connection_id})
    lines = b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: %b\r\nsec-websocket-protocol: %b\r\n"
    return Response(101, headers=lines % (accept, subprotocol.encode()), upgrade=Upgrade(session))


def _session(subprotocol: str, store: Store, caller: Caller, database: str, asked: Mapping[str, Any]) -> Session:
    from emulator.services.spacetimedb.websocket.protocols import PROTOCOLS  # first needed here
    from emulator.services.spacetimedb.websocket.session import Client, World

    client = Client(
        caller.identity,
        caller.token,
        asked["connection_id"],
        database,
        asked.get("compression", compression.DEFAULT),
        asked.get("session_id"),
    )
    world = World(store.micros, lambda reducer: (database, reducer) in store.stubbed_reducers)
    return PROTOCOLS[subprotocol](client, world, store.profile)


# --- the query --------------------------------------------------------------------------------------------------------


def _query(query: str, profile: Release) -> dict[str, Any]:
    """The known parameters. serde_urlencoded reads pair by pair, so the first fault from the left counts."""
    found: dict[str, Any] = {}
    for name, text in query_pairs(query):
        read = _PARAMETERS.get(name)
        if read is None or (name == "session_id" and not profile.sessions):
            continue
        if name in found:
            raise InvalidQuery(f"duplicate field `{name}`", f"`{name}` is in the query twice")
        try:
            found[name] = read(text)
        except ValueError as wrong:
            raise InvalidQuery(str(wrong), f"`{name}` is {text[:80]!r}") from None
    return found


_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_U128 = re.compile(r"0*([0-9a-fA-F]{1,32})")


def _connection_id(text: str) -> str:
    """32 hex digits, in lower case."""
    if not _HEX.fullmatch(text):
        raise ValueError(f"invalid value: string {debug(text)}, expected a byte array or hex string")
    if len(text) != 32:
        raise ValueError(f"too {'few' if len(text) < 32 else 'many'} elements for array")
    return text.lower()


def _compression(text: str) -> str:
    if text not in compression.CHOICES:
        expected = ", ".join(f"`{each}`" for each in compression.CHOICES)
        raise ValueError(f"unknown variant `{text}`, expected one of {expected}")
    return text


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("provided string was not `true` or `false`")
    return text == "true"


def _session_id(text: str) -> str:
    """32 hex digits, in lower case."""
    found = _U128.fullmatch(text)
    if found is None:
        raise ValueError("session_id must be a hex-encoded 128-bit value")
    return found[1].lower().rjust(32, "0")


_PARAMETERS: Mapping[str, Callable[[str], Any]] = {
    "connection_id": _connection_id,
    "compression": _compression,
    "light": _boolean,
    "confirmed": _boolean,
    "session_id": _session_id,
}


# --- the headers ------------------------------------------------------------------------------------------------------


def _wants_websocket(request: Request) -> bool:
    """As hyper and the crate headers see it: any case in `Connection`, but exactly one `Upgrade: websocket`."""
    connection = {token.lower() for token in _csv(request.header_values("connection"))}
    return request.minor == 1 and "upgrade" in connection and request.header_values("upgrade") == ["websocket"]


def _upgrade_required(request: Request) -> Response:
    # hyper puts `close` in the place of what the handler says.
    closes = request.minor == 1 and "close" in {token.lower() for token in _csv(request.header_values("connection"))}
    return Response(
        426,
        b"This service requires use of the websocket protocol",
        TEXT,
        b"connection: %b\r\nupgrade: websocket\r\n" % (b"close" if closes else b"upgrade"),
        why="no HTTP/1.1 request with `Connection: Upgrade` and `Upgrade: websocket`",
    )


def _accepted_key(request: Request) -> bytes:
    """`sec-websocket-accept` for the key, which may be any text."""
    versions = request.header_values("sec-websocket-version")
    if versions != ["13"]:
        text = "`Sec-WebSocket-Version` header did not include '13'"
        raise HandshakeRefused(400, text, f"`Sec-WebSocket-Version` is {', '.join(versions)[:80]!r}")
    key = request.header("sec-websocket-key")
    if key is None:
        raise HandshakeRefused(400, "`Sec-WebSocket-Key` header missing", "no `Sec-WebSocket-Key`")
    return b64encode(sha1(key.encode("utf-8", "surrogateescape") + _GUID, usedforsecurity=False).digest())


def _chosen(request: Request, subprotocols: Iterable[str]) -> str:
    """The first of the server's protocols that the client offers."""
    offered = list(_csv(request.header_values("sec-websocket-protocol")))
    for subprotocol in subprotocols:
        if subprotocol in offered:
            return subprotocol
    why = f"offered: {', '.join(offered)[:200] or 'nothing'}; the server has {', '.join(subprotocols)}"
    raise HandshakeRefused(400, "no valid protocol selected", why)


def _csv(values: list[str]) -> Iterator[str]:
    """The members of a list in headers; none if a character of it is not visible (util/flat_csv.rs)."""
    joined = ", ".join(values)
    if _VISIBLE.fullmatch(joined):
        yield from (token.strip() for token in _MEMBER.findall(joined))


_VISIBLE = re.compile(r"[\t -~]*")
_MEMBER = re.compile(r'((?:[^",]|"[^"]*(?:"|\Z))+)')


# --- the database -----------------------------------------------------------------------------------------------------


def _database(request: Request, store: Store, caller: Caller) -> Database:
    wanted = path_text(request.params[0], "name_or_identity")
    database = store.database(wanted)
    if database is not None:
        return database
    identity = store.identity_of(wanted)
    if identity is None:
        text = store.profile.unknown_database.format(name=wanted)
        raise HandshakeRefused(404, text, why_unknown(store, wanted))
    text = f"Unable to authorize {caller.identity} for SQL: database {identity} not found"
    raise HandshakeRefused(500, text, why_unknown(store, wanted))
