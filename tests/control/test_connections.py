"""Open WebSockets, listed and closed through the control routes and through both handles."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from emulator import Emulator
from emulator.control.remote import RemoteEmulator
from tests.client import steer
from tests.server.sessions import CONNECTION_ID, DATABASE, HANDSHAKE, ME, serving_sessions
from tests.websocket import CLOSE, Frame, Peer

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with serving_sessions() as emulator:
        yield emulator


@pytest.fixture
def emulator(server: Emulator) -> Emulator:
    server.reset()
    server.clock.freeze(NOON)
    return server


@pytest.fixture(params=["local", "remote"])
def handle(emulator: Emulator, request: pytest.FixtureRequest) -> Emulator:
    return emulator if request.param == "local" else RemoteEmulator(emulator.url)


@pytest.fixture
def peer(emulator: Emulator) -> Iterator[Peer]:
    with Peer(emulator.url, HANDSHAKE) as peer:
        peer.frames(2)
        yield peer


def test_they_are_listed_over_http(emulator: Emulator, peer: Peer) -> None:
    assert steer(emulator, "GET", "/connections").json() == {
        "connections": [
            {
                "id": CONNECTION_ID,
                "identity": ME,
                "database": DATABASE,
                "protocol": "echo",
                "since": "2030-01-01T12:00:00.000000Z",
                "actor": "",
            }
        ]
    }


def test_one_is_closed_over_http(emulator: Emulator, peer: Peer) -> None:
    told = steer(emulator, "DELETE", "/connections", {"id": CONNECTION_ID, "code": 4000, "reason": "enough"})

    assert told.json() == {"connections": []}
    assert peer.frame() == Frame(CLOSE, b"\x0f\xa0enough")
    assert steer(emulator, "GET", "/connections").json() == {"connections": []}


def test_all_are_closed_over_http(emulator: Emulator, peer: Peer) -> None:
    with Peer(emulator.url, HANDSHAKE) as other:
        other.frames(2)
        assert steer(emulator, "DELETE", "/connections").json() == {"connections": []}
        assert peer.frame() == other.frame() == Frame(CLOSE, b"\x03\xe8")


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"id": "02" * 16}, 404, "there is no open connection '02020202020202020202020202020202'"),
        ({"code": 999}, 400, "code: 999 is not a valid code; it must be 1000 to 1003, 1007 to 1013, or 3000 to 4999"),
        ({"code": 1005}, 400, "code: 1005 is not a valid code; it must be 1000 to 1003, 1007 to 1013, or 3000 to 4999"),
        ({"code": "4000"}, 400, "code: expected a whole number, got '4000'"),
        ({"reason": "é" * 62}, 400, "reason: it has 124 bytes; at most 123 fit into a Close frame"),
        ({"code": 4000, "ids": []}, 400, "unknown key 'ids'"),
    ],
)
def test_what_can_not_be_closed_is_refused_and_nothing_is(
    emulator: Emulator, peer: Peer, body: dict[str, object], status: int, error: str
) -> None:
    told = steer(emulator, "DELETE", "/connections", body)

    assert (told.status_code, told.json()["error"]) == (status, error)
    assert len(emulator.spacetime.connections) == 1


def test_both_handles_see_the_same(handle: Emulator, peer: Peer) -> None:
    [connection] = handle.spacetime.connections

    assert (connection.id, connection.identity, connection.database) == (CONNECTION_ID, ME, DATABASE)
    assert (connection.protocol, connection.since, connection.actor) == ("echo", NOON, "")
    assert repr(connection) == f"<Connection {CONNECTION_ID} echo>"


def test_one_that_is_not_there_yet_says_how_to_wait_for_it(handle: Emulator) -> None:
    handle.reset()

    with pytest.raises(
        IndexError, match=r"^connections\[0\]: 0 WebSockets are open; wait for its first message: journal"
    ):
        _ = handle.spacetime.connections[0]


def test_both_handles_close(handle: Emulator, peer: Peer) -> None:
    [connection] = handle.spacetime.connections

    connection.close(4001, "bye")
    connection.close(4002, "too late")

    assert peer.frame() == Frame(CLOSE, b"\x0f\xa1bye")
    assert list(handle.spacetime.connections) == []


@pytest.mark.parametrize(("code", "reason"), [(999, ""), (True, ""), (1000, "x" * 124), (1000, "\ud800")])
def test_both_handles_refuse_what_no_frame_can_have(handle: Emulator, peer: Peer, code: int, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^connection\.close: (code|reason): .+; for example \1="):
        handle.spacetime.connections[0].close(code, reason)

    assert len(handle.spacetime.connections) == 1


def test_frames_are_the_same_over_http(handle: Emulator, peer: Peer) -> None:
    peer.send(CLOSE, b"\x03\xe8bye")

    [exchange] = handle.journal.wait_for("GET", "/v1/ping", frame="1000 bye")

    assert exchange.websocket is not None
    assert [str(frame) for frame in exchange.websocket.kept][:2] == [f"< text: hello {ME}", "< ping"]


def test_exchanges_without_a_websocket_have_no_such_key(emulator: Emulator, peer: Peer) -> None:
    steer(emulator, "GET", "/health")
    found = steer(emulator, "GET", "/journal").json()["exchanges"]

    assert [sorted(each["websocket"]) for each in found] == [["dropped", "ended", "frames"]]


def test_connections_are_in_no_snapshot(emulator: Emulator, peer: Peer) -> None:
    assert "connections" not in steer(emulator, "GET", "/snapshot").json()
