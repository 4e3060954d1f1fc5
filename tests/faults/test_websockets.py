"""Faults on `subscribe`: before the handshake those of every route, after it those of a WebSocket."""

from collections.abc import Callable, Iterator

import pytest

from emulator import Emulator, running_in_thread
from emulator.faults.fault_matrix import Kind, matrix
from tests.raw import connect, exchange, request
from tests.waiting import eventually
from tests.websocket import CLOSE, TEXT, Frame, Peer

SUBSCRIBE = "GET /v1/database/*/subscribe"
SCENARIO = {"version": 1, "spacetime": {"identities": {"alice": {"databases": ["chat"]}}}}
QUERY = '{"Subscribe":{"query_strings":["SELECT * FROM t"],"request_id":1}}'


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with running_in_thread(scenario=SCENARIO) as emulator:
        yield emulator


@pytest.fixture
def emulator(server: Emulator) -> Emulator:
    server.reset()
    return server


def handshake(emulator: Emulator, query: str = "") -> bytes:
    return request(
        "GET",
        f"/v1/database/chat/subscribe{query}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: v1.json.spacetimedb",
        f"Authorization: Bearer {emulator.actors['alice'].token}",
    )


@pytest.fixture
def connected(emulator: Emulator) -> Iterator[Callable[[], Peer]]:
    peers: list[Peer] = []

    def new_peer() -> Peer:
        peers.append(Peer(emulator.url, handshake(emulator)))
        return peers[-1]

    yield new_peer
    for peer in peers:
        peer.__exit__()


def said(frame: Frame | None) -> bytes:
    assert frame is not None
    return frame.payload


# --- before the handshake ---------------------------------------------------------------------------------------------


def test_a_status_refuses_the_handshake_once(emulator: Emulator, connected: Callable[[], Peer]) -> None:
    emulator.faults.add(SUBSCRIBE, nth=1, status=503)

    assert exchange(emulator.url, handshake(emulator)).status == 503
    assert connected().head.startswith(b"HTTP/1.1 101 ")


_STATUSES = {"status": 503, "rate_limit": 429, "truncate": 200, "malformed_chunk": 200, "invalid_json": 200} | {
    "rotate_key": 401,
    **dict.fromkeys(("drop_before", "drop_after", "tcp_reset", "garbage"), 0),
}


@pytest.mark.parametrize("kind", [kind for kind in matrix() if kind.name != "hang"])
def test_every_kind_answers_the_handshake_or_ends_the_connection(
    emulator: Emulator, connected: Callable[[], Peer], kind: Kind
) -> None:
    emulator.faults.add(SUBSCRIBE, **kind.do)

    try:
        status = int(connected().head.split(b" ")[1])
    except (AssertionError, ConnectionError):
        status = 0

    assert status == _STATUSES.get(kind.name, 101)
    assert bool(emulator.spacetime.connections) == (status == 101)


def test_a_handshake_that_hangs_is_cut_off(emulator: Emulator) -> None:
    fault = emulator.faults.add(SUBSCRIBE, hang=True)
    with connect(emulator.url) as connection:
        connection.sendall(handshake(emulator))
        assert eventually(lambda: fault.fired == 1)
        emulator.abort_requests()
        assert connection.recv(1) == b""


# --- after it ---------------------------------------------------------------------------------------------------------


def test_no_first_message(emulator: Emulator, connected: Callable[[], Peer]) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"first_message": False})
    peer = connected()
    peer.send(TEXT, QUERY)

    frames = [frame for frame in peer.frames(2) if frame and frame.first == TEXT]

    assert [frame.payload[:24] for frame in frames] == [b'{"InitialSubscription":{']


def test_another_identity(emulator: Emulator, connected: Callable[[], Peer]) -> None:
    emulator.faults.add(SUBSCRIBE, nth=2, websocket={"identity": True})
    mine = emulator.actors["alice"].identity.encode()

    first, second = (said(connected().frame()) for _ in range(2))

    assert mine in first
    assert mine not in second
    assert b'"__identity__":"0xc200' in second


def test_a_given_identity(emulator: Emulator, connected: Callable[[], Peer]) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"identity": "ab" * 32})

    assert b"ab" * 32 in said(connected().frame())


def test_an_error_in_the_middle(emulator: Emulator, connected: Callable[[], Peer]) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"error": "the table is gone", "after_messages": 1})
    peer = connected()
    peer.frames(2)
    peer.send(TEXT, QUERY)

    assert said(peer.frame()).startswith(b'{"InitialSubscription"')
    assert b"the table is gone" in said(peer.frame())
    peer.send(TEXT, QUERY)
    assert said(peer.frame()).startswith(b'{"InitialSubscription"')


def test_a_close_after_messages(emulator: Emulator, connected: Callable[[], Peer]) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"close": 4000, "reason": "session taken", "after_messages": 2})
    peer = connected()
    peer.frames(2)
    peer.send(TEXT, QUERY)
    peer.send(TEXT, QUERY)

    assert peer.frames(3)[2] == Frame(CLOSE, b"\x0f\xa0session taken")
    assert eventually(lambda: not emulator.spacetime.connections)


def test_a_close_after_seconds(emulator: Emulator, connected: Callable[[], Peer]) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"close": 1001, "after_seconds": 0.01})

    assert connected().frames(3)[2] == Frame(CLOSE, b"\x03\xe9")


def test_a_cut(emulator: Emulator, connected: Callable[[], Peer]) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"cut": True, "first_message": False})

    assert connected().ends()


def test_a_handshake_that_is_refused_is_refused_as_usual(emulator: Emulator) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"close": 4000})

    assert exchange(emulator.url, request("GET", "/v1/database/chat/subscribe")).status == 426


@pytest.mark.parametrize("kind", matrix(websocket=True))
def test_every_kind_can_be_added(emulator: Emulator, kind: Kind) -> None:
    assert emulator.faults.add(SUBSCRIBE, **kind.do).status == "waiting"


def test_a_route_without_a_websocket_has_no_such_fault(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match=r"'POST /v1/identity' has no WebSocket; .* GET /v1/database/\*/subscribe"):
        emulator.faults.add("POST /v1/identity", websocket={"cut": True})


def test_the_fault_is_in_the_journal(emulator: Emulator, connected: Callable[[], Peer]) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"close": 4000})
    connected()

    [exchange] = emulator.journal.wait_for("GET", "/v1/database/chat/subscribe", frame="4000")

    assert exchange.fault == "GET /v1/database/*/subscribe: websocket: {'close': 4000}"


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_has_one_connection_and_the_next_try_succeeds(emulator: Emulator) -> None:
    emulator.reset(spacetime_profile="v2.14")
    again = handshake(emulator, "?session_id=0a")
    with Peer(emulator.url, again) as first, Peer(emulator.url, again) as second:
        first.frames(2)
        assert second.frame() == Frame(CLOSE, b"\x0f\xa0")
        assert first.ends()
        with Peer(emulator.url, again) as third:
            assert said(third.frame()).startswith(b'{"IdentityToken"')


def test_other_sessions_do_not_conflict(emulator: Emulator) -> None:
    emulator.reset(spacetime_profile="v2.14")
    with (
        Peer(emulator.url, handshake(emulator, "?session_id=0a")) as first,
        Peer(emulator.url, handshake(emulator, "?session_id=0b")) as second,
        Peer(emulator.url, handshake(emulator)) as third,
    ):
        assert all(said(peer.frame()).startswith(b'{"IdentityToken"') for peer in (first, second, third))
