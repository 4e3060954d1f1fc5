"""WebSockets on real sockets: head, frames, pings, closes, and their place in world and journal."""

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping

import pytest

from emulator import Emulator
from emulator.http.upgrade import Close, Intervals, Later, Output, Send
from emulator.journal.frames import Frames
from tests.raw import request
from tests.server.sessions import CONNECTION_ID, DATABASE, HANDSHAKE, HEAD, ME, PATH, Echo, serving_sessions
from tests.waiting import A_MOMENT, eventually
from tests.websocket import BINARY, CLOSE, PING, PONG, TEXT, Frame, Peer, masked
from tests.worlds import make_stage

HELLO = Frame(TEXT, f"hello {ME}".encode())
NEVER = Intervals(ping=600, silence=600)


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with serving_sessions() as emulator:
        yield emulator


@pytest.fixture
def emulator(server: Emulator) -> Emulator:
    server.reset()
    return server


@pytest.fixture
def peer(emulator: Emulator) -> Iterator[Peer]:
    with Peer(emulator.url, HANDSHAKE) as peer:
        assert peer.frames(2) == [HELLO, Frame(PING, b"")]
        yield peer


def frames_of(emulator: Emulator) -> Frames:
    """Of the one WebSocket that there was."""
    [exchange] = emulator.journal.exchanges
    assert exchange.websocket is not None
    return exchange.websocket


# --- the handshake ----------------------------------------------------------------------------------------------------


def test_the_head_is_written_as_it_is_given_with_the_date_and_no_length(peer: Peer) -> None:
    assert peer.head == HEAD + b"date: <date>\r\n\r\n"


def test_what_came_in_the_same_packet_as_the_handshake_belongs_to_the_websocket(emulator: Emulator) -> None:
    with Peer(emulator.url, HANDSHAKE + masked(TEXT, b"at once")) as peer:
        assert peer.frames(3)[2] == Frame(TEXT, b"at once")


def test_requests_behind_an_upgrade_that_is_not_granted_are_answered(emulator: Emulator) -> None:
    declined = HANDSHAKE.replace(PATH.encode(), b"/v1/health")
    with Peer(emulator.url, declined + request("GET", PATH) + b"garbage\r\n\r\n") as peer:
        assert peer.head.startswith(b"HTTP/1.1 200 OK")
        peer._stream.read(int(peer.head.partition(b"content-length: ")[2].partition(b"\r")[0]))
        assert peer._stream.readline() == b"HTTP/1.1 200 OK\r\n"
        assert b"HTTP/1.1 400 Bad Request" in peer._stream.read()


def test_an_upgrade_behind_other_requests_is_granted(emulator: Emulator) -> None:
    with Peer(emulator.url, request("GET", PATH) + HANDSHAKE + masked(TEXT, b"x")) as peer:
        assert peer.head.startswith(b"HTTP/1.1 200 OK")
        assert peer._stream.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
        while peer._stream.readline() != b"\r\n":
            pass
        assert peer.frames(3)[2] == Frame(TEXT, b"x")


# --- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [TEXT, BINARY])
def test_messages_are_answered(peer: Peer, kind: int) -> None:
    peer.send(kind, b"abc")

    assert peer.frame() == Frame(kind, b"abc")


def test_4096_bytes_are_one_frame(peer: Peer) -> None:
    peer.send(BINARY, b"x" * 4096)

    assert peer.frame() == Frame(0x82, b"x" * 4096)


def test_more_are_fragments_of_4096(peer: Peer) -> None:
    peer.send(TEXT, b"x" * 8193)

    assert peer.frames(3) == [Frame(0x01, b"x" * 4096), Frame(0x00, b"x" * 4096), Frame(0x80, b"x")]


def test_pings_are_answered_between_fragments(peer: Peer) -> None:
    peer.send(0x01, b"a")
    peer.send(PING, b"mid")
    peer.send(0x80, b"b")

    assert peer.frames(2) == [Frame(PONG, b"mid"), Frame(TEXT, b"ab")]


def test_a_message_may_have_as_many_bytes_as_the_limit() -> None:
    with serving_sessions(largest_message=10) as emulator, Peer(emulator.url, HANDSHAKE) as peer:
        peer.send(TEXT, b"x" * 10)
        assert peer.frames(3)[2] == Frame(TEXT, b"x" * 10)
        peer.send(TEXT, b"x" * 11)
        assert peer.ends()


def test_fragments_count_together() -> None:
    with serving_sessions(largest_message=10) as emulator, Peer(emulator.url, HANDSHAKE) as peer:
        peer.send(0x01, b"x" * 6)
        peer.send(0x80, b"x" * 5)
        peer.frames(2)
        assert peer.ends()


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x03\xe8", b"\x03\xe9bye", b"\x0b\xb8", b"\x13\x87", b"\x03\xf5"],
    ids=["empty", "1000", "reason", "3000", "4999", "1013"],
)
def test_a_close_is_echoed_and_the_connection_ends(peer: Peer, payload: bytes) -> None:
    peer.send(CLOSE, payload)

    assert peer.frame() == Frame(CLOSE, payload)
    assert peer.ends()


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 5000, 65535])
def test_a_code_that_nobody_may_send_is_a_violation(peer: Peer, code: int) -> None:
    peer.send(CLOSE, code.to_bytes(2))

    assert peer.frame() == Frame(CLOSE, b"\x03\xeaProtocol violation")
    assert peer.ends()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x89\x01x",
        masked(0xC1, b"x"),
        masked(0xA1, b"x"),
        masked(0x91, b"x"),
        masked(0x83, b"x"),
        masked(0x8B, b"x"),
        masked(PING, b"x" * 126),
        masked(0x09, b"x"),
        masked(0x80, b"x"),
        masked(0x01, b"x") + masked(TEXT, b"y"),
        masked(TEXT, b"\xff"),
        masked(0x01, b"\xe2") + masked(0x80, b"\x28\xa1"),
        masked(0x01, b"\xe2\x82") + masked(0x80, b""),
        masked(CLOSE, b"\x03"),
        masked(CLOSE, b"\x03\xe8\xff"),
    ],
    ids=["unmasked", "rsv1", "rsv2", "rsv3", "opcode 3", "opcode 11", "long ping", "half a ping", "continuation",
         "message in a message", "no UTF-8", "no UTF-8 in parts", "half a letter", "short close", "close no UTF-8"],
)  # fmt: skip
def test_a_violation_ends_the_connection_without_a_close(peer: Peer, sent: bytes) -> None:
    peer.socket.sendall(sent)

    assert peer.ends()


def test_the_session_closes(peer: Peer) -> None:
    peer.send(TEXT, b"close")

    assert peer.frame() == Frame(CLOSE, b"\x0f\xa0as you wish")


def test_after_the_servers_close_nothing_is_answered_until_the_client_closes(peer: Peer) -> None:
    peer.send(TEXT, b"close")
    peer.frame()
    peer.send(TEXT, b"x")
    peer.send(PING, b"x")

    assert peer.is_silent(A_MOMENT)
    peer.send(CLOSE, b"\x0f\xa0as you wish")
    assert peer.ends()


def test_the_session_cuts(peer: Peer) -> None:
    peer.send(TEXT, b"cut")

    assert peer.frame() == Frame(TEXT, b"last")
    assert peer.ends()


def test_a_bug_is_logged_and_closes_with_1011(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "emulator"):
        peer.send(TEXT, b"raise")

        assert peer.frame() == Frame(CLOSE, b"\x03\xf3a bug in identity-emulator; its log has the traceback")
    assert "ZeroDivisionError" in caplog.text


def test_a_bug_in_the_first_message_closes_too(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Echo):
        def opened(self) -> list[Output]:
            raise ZeroDivisionError("on purpose")

    with serving_sessions(session=Broken) as emulator, Peer(emulator.url, HANDSHAKE) as peer:
        assert peer.frame() == Frame(CLOSE, b"\x03\xf3a bug in identity-emulator; its log has the traceback")


def test_a_long_reason_is_sent_whole_as_by_the_real_server() -> None:
    class Wordy(Echo):
        def opened(self) -> list[Output]:
            return [Close(1011, "é" * 100)]

    with serving_sessions(session=Wordy) as emulator, Peer(emulator.url, HANDSHAKE) as peer:
        assert peer.frame() == Frame(CLOSE, b"\x03\xf3" + "é".encode() * 100)


# --- time -------------------------------------------------------------------------------------------------------------


def test_the_next_ping_comes_when_the_last_was_answered() -> None:
    with (
        serving_sessions(intervals=Intervals(ping=0.01, silence=600)) as emulator,
        Peer(emulator.url, HANDSHAKE) as peer,
    ):
        peer.frames(2)
        assert peer.is_silent(A_MOMENT)
        peer.send(PONG)
        assert peer.frame() == Frame(PING, b"")


def test_any_pong_will_do() -> None:
    with (
        serving_sessions(intervals=Intervals(ping=0.01, silence=600)) as emulator,
        Peer(emulator.url, HANDSHAKE) as peer,
    ):
        peer.frames(2)
        peer.send(PONG, b"unasked")
        assert peer.frame() == Frame(PING, b"")


def test_a_silent_client_is_served_no_more_and_its_next_byte_ends_the_connection() -> None:
    with (
        serving_sessions(intervals=Intervals(ping=600, silence=0.01)) as emulator,
        Peer(emulator.url, HANDSHAKE) as peer,
    ):
        peer.frames(2)
        assert eventually(lambda: not emulator.spacetime.connections)
        assert peer.is_silent(A_MOMENT)
        peer.send(TEXT, b"too late")
        assert peer.ends()
        assert str(frames_of(emulator).ended) == "cut by the server: nothing came for 0.01 s"


def test_something_can_be_done_later() -> None:
    later = Later(0.01, lambda: [Send("later"), Close(4001, "late")])
    with serving_sessions(later=later) as emulator, Peer(emulator.url, HANDSHAKE) as peer:
        assert peer.frames(4)[2:] == [Frame(TEXT, b"later"), Frame(CLOSE, b"\x0f\xa1late")]


# --- over TLS ---------------------------------------------------------------------------------------------------------


def peer_of(emulator: Emulator) -> Peer:
    return Peer(emulator.url, HANDSHAKE, emulator.ssl_context() if emulator.trust else None)


def test_over_tls_messages_are_answered_and_a_close_ends_the_connection() -> None:
    with serving_sessions(tls=True) as emulator, peer_of(emulator) as peer:
        assert peer.head.startswith(HEAD)
        peer.frames(2)
        peer.send(TEXT, b"again")
        assert peer.frame() == Frame(TEXT, b"again")
        peer.send(CLOSE, b"\x03\xe8")
        assert peer.frame() == Frame(CLOSE, b"\x03\xe8")
        assert peer.ends()


def test_over_tls_a_server_that_stops_says_1001() -> None:
    with serving_sessions(tls=True) as emulator:
        peer = peer_of(emulator)
        peer.frames(2)
    with peer:
        assert peer.frame() == Frame(CLOSE, b"\x03\xe9module exited")


def test_the_real_client_library_opens_wss() -> None:
    from websockets.sync.client import connect

    with serving_sessions(tls=True) as emulator:
        url = emulator.url.replace("https", "wss") + PATH
        with connect(url, ssl=emulator.ssl_context()) as client:
            assert client.recv() == f"hello {ME}"


# --- a client that does not read --------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_a_client_that_does_not_read_is_no_longer_read_from(tls: bool) -> None:
    class Talkative(Echo):
        def received(self, message: object) -> list[Output]:
            return [Send(b"x" * 100_000)]

    with serving_sessions(session=Talkative, intervals=NEVER, tls=tls) as emulator, peer_of(emulator) as peer:
        peer.frames(2)
        peer.socket.settimeout(A_MOMENT)
        with pytest.raises(TimeoutError):
            peer.socket.sendall(masked(TEXT, b"more") * 2_000_000)
        frames = frames_of(emulator)
        assert frames.dropped + len(frames) < 1000


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_it_is_read_from_again_when_it_reads(tls: bool) -> None:
    class Talkative(Echo):
        def received(self, message: object) -> list[Output]:
            return [Send(b"x" * 4000)] * 25

    with serving_sessions(session=Talkative, intervals=NEVER, tls=tls) as emulator, peer_of(emulator) as peer:
        peer.frames(2)
        peer.socket.sendall(masked(TEXT, b"more") * 1000)  # 10 kB, which the sockets hold though nobody reads
        for _ in range(25_000):
            assert peer.frame() == Frame(BINARY, b"x" * 4000)


# --- in the world -----------------------------------------------------------------------------------------------------


def test_an_open_connection_is_listed(emulator: Emulator, peer: Peer) -> None:
    [connection] = emulator.spacetime.connections

    assert connection.id == CONNECTION_ID
    assert connection.identity == ME
    assert connection.database == DATABASE
    assert connection.protocol == "echo"
    assert connection.since == emulator.journal.exchanges[0].at
    assert connection.actor == ""


def test_it_is_closed_through_its_handle(emulator: Emulator, peer: Peer) -> None:
    [connection] = emulator.spacetime.connections

    connection.close(4000, "enough")

    assert emulator.spacetime.connections == []
    assert peer.frame() == Frame(CLOSE, b"\x0f\xa0enough")


def test_by_default_with_1000(emulator: Emulator, peer: Peer) -> None:
    emulator.spacetime.connections[0].close()

    assert peer.frame() == Frame(CLOSE, b"\x03\xe8")


def test_a_second_close_does_nothing(emulator: Emulator, peer: Peer) -> None:
    [connection] = emulator.spacetime.connections
    connection.close(4000)
    connection.close(4001)

    assert peer.frame() == Frame(CLOSE, b"\x0f\xa0")
    assert peer.is_silent(A_MOMENT)


def test_it_is_listed_no_more_when_the_client_has_gone(emulator: Emulator) -> None:
    with Peer(emulator.url, HANDSHAKE) as peer:
        peer.frames(2)
        assert len(emulator.spacetime.connections) == 1

    assert eventually(lambda: not emulator.spacetime.connections)


@pytest.mark.parametrize("replace", ["reset", "load", "restore"])
def test_another_world_closes_the_connections_of_the_old(emulator: Emulator, peer: Peer, replace: str) -> None:
    snapshot = emulator.snapshot()
    replacements: Mapping[str, Callable[[], object]] = {
        "reset": emulator.reset,
        "load": lambda: emulator.load("two_friends"),
        "restore": lambda: emulator.restore(snapshot),
    }
    replacements[replace]()

    assert peer.frame() == Frame(CLOSE, b"\x03\xe9module exited")
    assert emulator.spacetime.connections == []
    emulator.load({"version": 1})


def test_requests_that_are_cut_off_leave_connections_alone(emulator: Emulator, peer: Peer) -> None:
    emulator.abort_requests()
    peer.send(TEXT, b"still here")

    assert peer.frame() == Frame(TEXT, b"still here")


def test_the_server_stops_with_a_close() -> None:
    with serving_sessions() as emulator:
        peer = Peer(emulator.url, HANDSHAKE)
        peer.frames(2)
    with peer:
        assert peer.frame() == Frame(CLOSE, b"\x03\xe9module exited")
        assert peer.ends()


# --- in the journal ---------------------------------------------------------------------------------------------------


def test_the_exchange_is_recorded_with_the_101(emulator: Emulator, peer: Peer) -> None:
    [exchange] = emulator.journal.find("GET", PATH, status=101)

    assert exchange.matched
    assert frames_of(emulator).ended is None
    assert exchange.response.header("upgrade") == "websocket"


def test_frames_are_recorded_as_they_come(emulator: Emulator, peer: Peer) -> None:
    peer.send(TEXT, b"one")
    peer.send(BINARY, b"four")
    peer.send(PONG)
    peer.frames(2)
    peer.send(CLOSE, b"\x03\xe8bye")

    frames = frames_of(emulator)
    assert eventually(lambda: frames.ended is not None)
    assert [str(frame) for frame in frames.kept] == [
        f"< text: hello {ME}", "< ping", "> text: one", "< text: one", "> binary: 4 bytes", "< binary: 4 bytes",
        "> pong", "> close: 1000 bye", "< close: 1000 bye",
    ]  # fmt: skip
    assert [frame.size for frame in frames.kept] == [70, 0, 3, 3, 4, 4, 0, 5, 5]
    assert str(frames.ended) == "closed 1000 by the client: bye"


def test_how_it_ended_is_recorded(emulator: Emulator) -> None:
    def ended(send: Callable[[Peer], object], said: str) -> bool:
        emulator.reset()
        with Peer(emulator.url, HANDSHAKE) as peer:
            peer.frames(2)
            frames = frames_of(emulator)
            send(peer)
        return eventually(lambda: str(frames.ended) == said)

    assert ended(lambda peer: peer.send(CLOSE), "closed without a code by the client")
    assert ended(lambda peer: peer.send(TEXT, "close"), "closed 4000 by the server: as you wish")
    assert ended(lambda peer: peer.send(TEXT, "cut"), "cut by the server")
    assert ended(lambda peer: peer.send(0x83), "cut by the server: invalid opcode")
    assert ended(lambda peer: None, "cut by the client: the connection ended")


def test_a_waiting_test_is_woken_by_a_frame(emulator: Emulator, peer: Peer) -> None:
    found = []
    waiting = threading.Thread(target=lambda: found.extend(emulator.journal.wait_for(frame="wanted")))
    waiting.start()
    peer.send(TEXT, b"the wanted word")
    waiting.join()

    assert [exchange.status for exchange in found] == [101]


def test_the_actor_is_known_by_its_identity() -> None:
    class Alice(Echo):
        identity = ""

    scenario = {"version": 1, "spacetime": {"identities": {"alice": None}}}
    with serving_sessions(make_stage(scenario=scenario), session=Alice) as emulator:
        Alice.identity = emulator.actors["alice"].identity
        with Peer(emulator.url, HANDSHAKE):
            assert emulator.spacetime.connections[0].actor == "alice"


def test_the_library_is_imported_at_the_first_upgrade() -> None:
    code = (
        "import sys, urllib.request; from emulator import running_in_thread\n"
        "with running_in_thread() as emulator:\n"
        "    urllib.request.urlopen(emulator.url + '/v1/ping').close()\n"
        "print('websockets' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout == "False\n"
