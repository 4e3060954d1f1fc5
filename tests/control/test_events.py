"""`GET /_emulator/events`: what happens in a world, told as it happens."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
import requests

from emulator import Emulator, running_in_thread
from emulator.control.api import events
from emulator.control.api.access import Guard
from emulator.control.emulator import LocalEmulator
from emulator.world.stage import Stage
from tests.client import create, steer
from tests.conftest import API_KEY
from tests.control.calls import call
from tests.events import watching
from tests.raw import connect
from tests.server.sessions import HANDSHAKE, serving_sessions
from tests.unit.journal.test_journal import exchange
from tests.waiting import PATIENCE, eventually
from tests.websocket import TEXT, Peer
from tests.worlds import make_stage, served

SECOND = timedelta(seconds=1)
"""Real time and monotonic time are read one after the other."""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A server of its own: nobody else watches it."""
    with running_in_thread() as emulator:
        yield emulator


def stage_of(emulator: Emulator) -> Stage:
    assert isinstance(emulator, LocalEmulator)
    return emulator.stage


def ping(emulator: Emulator, path: str = "/v1/ping") -> None:
    requests.get(f"{emulator.url}{path}", timeout=PATIENCE)


# --- what is told -----------------------------------------------------------------------------------------------------


def test_it_begins_with_the_world_and_its_numbers(emulator: Emulator) -> None:
    with watching(emulator) as watch:
        world, state = watch.next(), watch.next()

    assert watch.response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert watch.response.headers["cache-control"] == "no-store"
    assert world.name == "world"
    assert world.data["profiles"] == {"spacetime": "documented", "intuition": "documented"}
    assert (world.data["resumed"], world.data["seed"], world.data["total"], world.data["earlier"]) == (False, 0, 0, 0)
    assert state.name == "state"
    assert state.data.keys() == steer(emulator, "GET", "/state").json().keys()


def test_when_the_world_began_is_told_by_real_time(emulator: Emulator) -> None:
    before = datetime.now(UTC)
    emulator.reset()
    emulator.clock.advance(3600)
    after = datetime.now(UTC)

    with watching(emulator) as watch:
        began = datetime.fromisoformat(watch.next().data["began"])

    assert before - SECOND <= began <= after + SECOND


def test_an_exchange_is_told_when_it_happens(emulator: Emulator) -> None:
    with watching(emulator) as watch:
        watch.next("state")
        ping(emulator, "/v1/identity/c200/verify?page=2")
        row = watch.next("exchange").data

    assert (row["n"], row["method"], row["path"], row["query"]) == (1, "GET", "/v1/identity/c200/verify", "page=2")
    assert (row["status"], row["refused"], row["matched"]) == (400, True, True)
    assert row["operation"] == "spacetime.verify"
    assert row["why"] == emulator.journal[0].why
    assert row["websocket"] is None


def test_what_was_before_comes_first(emulator: Emulator) -> None:
    for path in ("/v1/ping", "/v1/pong"):
        ping(emulator, path)

    with watching(emulator) as watch:
        assert [row["path"] for row in watch.rows(2)] == ["/v1/ping", "/v1/pong"]


def test_only_the_last_thousand_of_what_was_before(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_OF_THE_PAST", 2)
    for _ in range(5):
        ping(emulator)

    with watching(emulator) as watch:
        world = watch.next("world").data
        rows = watch.rows(2)

    assert (world["earlier"], world["total"]) == (3, 5)
    assert [row["n"] for row in rows] == [4, 5]


def test_from_now_on_nothing_that_was_before(emulator: Emulator) -> None:
    ping(emulator)

    with watching(emulator, "?after=now") as watch:
        watch.next("state")
        ping(emulator, "/v1/pong")
        assert watch.next("exchange").data["path"] == "/v1/pong"


def test_more_than_one_piece_of_exchanges_comes_in_order(emulator: Emulator) -> None:
    count = 2 * events._AT_ONCE + 1
    with requests.Session() as session:
        for _ in range(count):
            session.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)

    with watching(emulator) as watch:
        assert [row["n"] for row in watch.rows(count)] == list(range(1, count + 1))


def test_secrets_are_masked(emulator: Emulator) -> None:
    token = emulator.spacetime.create_identity().token
    headers = {"Authorization": f"Bearer {token}", "x-api-key": API_KEY}
    requests.get(f"{emulator.url}/v1/nowhere/{API_KEY}/{token}?a=b&token={token}", headers=headers, timeout=PATIENCE)

    with watching(emulator) as watch:
        row = watch.next("exchange").data

    assert token[:20] not in json.dumps(row)
    assert API_KEY not in json.dumps(row)
    assert (row["path"], row["query"]) == ("/v1/nowhere/***/***…", "a=b&token=***…")


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "\u202e\u2028", "\"'`\\", "%0A%0Aevent: dropped"])
def test_no_request_can_write_an_event(emulator: Emulator, hostile: str) -> None:
    requests.get(f"{emulator.url}/v1/x", params={"q": hostile}, headers={"x-a": "b"}, timeout=PATIENCE)
    with connect(emulator.url) as connection:
        connection.sendall(b"GET /a\xe2\x80\xaeb\xff?\xe2\x80\xa8 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(100)

    with watching(emulator) as watch:
        rows = watch.rows(2)

    assert all(text.isprintable() for row in rows for text in row.values() if isinstance(text, str))


def test_a_fault_and_an_actor_are_in_the_row(emulator: Emulator) -> None:
    emulator.load("two_friends")
    emulator.faults.add("GET /v1/ping", status=503)
    alice = emulator.actors["alice"]
    headers = {"Authorization": f"Bearer {alice.token}"}
    requests.get(f"{emulator.url}/v1/identity/{alice.identity}/verify", headers=headers, timeout=PATIENCE)
    ping(emulator)

    with watching(emulator) as watch:
        verified, faulty = watch.rows(2)

    assert (verified["actor"], verified["fault"]) == ("alice", "")
    assert (faulty["status"], "503" in faulty["fault"], faulty["refused"]) == (503, True, True)


# --- worlds -----------------------------------------------------------------------------------------------------------


def test_a_reset_is_told_and_the_next_world_has_another_id(emulator: Emulator) -> None:
    with watching(emulator) as watch:
        first = watch.next("world")
        emulator.reset(seed=8)
        second = watch.next("world")
        ping(emulator)
        row = watch.next("exchange")

    assert (second.data["seed"], second.data["resumed"]) == (8, False)
    assert first.data["world"] != second.data["world"]
    assert row.id == f"{second.data['world']}.1"


def test_a_loaded_scenario_is_told(emulator: Emulator) -> None:
    with watching(emulator) as watch:
        watch.next("world")
        emulator.load("two_friends")
        assert watch.next("world").data["scenario"] == ["two_friends"]


def test_after_a_restored_snapshot_the_journal_is_told_again(emulator: Emulator) -> None:
    ping(emulator)
    snapshot = emulator.snapshot()
    with watching(emulator) as watch:
        watch.next("exchange")
        emulator.restore(snapshot)
        watch.next("world")
        assert watch.next("exchange").data["n"] == 1


def test_a_cleared_journal_is_told_and_what_follows(emulator: Emulator) -> None:
    ping(emulator)
    with watching(emulator) as watch:
        watch.next("exchange")
        steer(emulator, "DELETE", "/journal")
        watch.next("cleared")
        ping(emulator, "/v1/pong")
        assert watch.next("exchange").data["path"] == "/v1/pong"


@pytest.mark.parametrize(
    "change",
    [
        lambda emulator: emulator.clock.advance(60),
        lambda emulator: emulator.clock.freeze(),
        lambda emulator: emulator.faults.add("GET /v1/ping", nth=2, status=503),
        lambda emulator: emulator.stub("GET /nowhere", json=1),
        lambda emulator: emulator.spacetime.rotate_key(),
        lambda emulator: emulator.intuition.issue_api_key(wallet="0x81"),
    ],
    ids=["advance", "freeze", "fault", "stub", "key", "api key"],
)
def test_what_changes_without_a_request_is_told(
    emulator: Emulator, change: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_LOOK_AGAIN", 0.01)
    assert callable(change)
    with watching(emulator) as watch:
        before = watch.next("state").data
        change(emulator)
        assert watch.next("state").data != before


# --- WebSockets -------------------------------------------------------------------------------------------------------


def test_the_frames_of_a_websocket_and_its_end_are_told() -> None:
    with serving_sessions() as emulator, watching(emulator) as watch:
        with Peer(emulator.url, HANDSHAKE) as peer:
            row = watch.next("exchange").data
            peer.send(TEXT, "hello")
            more = watch.next("websocket").data
            while more["frames"] <= row["websocket"]["frames"]:
                more = watch.next("websocket").data
        while more["ended"] is None:
            more = watch.next("websocket").data

    assert (row["status"], row["n"], more["n"]) == (101, 1, 1)
    assert row["websocket"]["ended"] is None
    assert more["ended"]["by"] == "client"


def test_who_comes_back_is_told_how_a_websocket_has_ended_meanwhile() -> None:
    with serving_sessions() as emulator:
        with Peer(emulator.url, HANDSHAKE):
            with watching(emulator) as watch:
                last = watch.next("exchange").id
            assert eventually(lambda: not is_watched(emulator))
        frames = emulator.journal[0].websocket
        assert frames is not None
        assert eventually(lambda: frames.ended is not None)

        with watching(emulator, f"?after={last}") as watch:
            assert watch.next("websocket").data["ended"]["by"] == "client"


# --- resuming ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["header", "query"])
def test_a_watcher_goes_on_after_the_last_event_that_it_got(emulator: Emulator, by: str) -> None:
    for path in ("/v1/ping", "/v1/pong", "/v1/pung"):
        ping(emulator, path)
    with watching(emulator) as watch:
        watch.next("exchange")
        last = watch.next("exchange").id

    query, headers = (f"?after={last}", {}) if by == "query" else ("", {"Last-Event-ID": last})
    with watching(emulator, query, headers) as watch:
        assert watch.next("world").data["resumed"]
        assert watch.next("exchange").data["path"] == "/v1/pung"


@pytest.mark.parametrize("asked", ["now", "the first"])
def test_a_browser_that_connects_again_at_the_same_url_misses_and_repeats_nothing(
    emulator: Emulator, asked: str
) -> None:
    for path in ("/v1/ping", "/v1/pong", "/v1/pung"):
        ping(emulator, path)
    with watching(emulator) as watch:
        first, last = watch.next("exchange").id, watch.next("exchange").id

    after = first if asked == "the first" else asked
    with watching(emulator, f"?after={after}", {"Last-Event-ID": last}) as watch:
        assert watch.next("exchange").data["path"] == "/v1/pung"


def test_after_a_reset_it_begins_anew(emulator: Emulator) -> None:
    ping(emulator)
    with watching(emulator) as watch:
        last = watch.next("exchange").id
    emulator.reset()
    ping(emulator, "/v1/pong")

    with watching(emulator, f"?after={last}") as watch:
        assert not watch.next("world").data["resumed"]
        assert watch.next("exchange").data["path"] == "/v1/pong"


def test_after_what_the_journal_has_dropped_it_begins_anew() -> None:
    with running_in_thread(journal_size=2) as emulator:
        ping(emulator)
        with watching(emulator) as watch:
            last = watch.next("exchange").id
        for _ in range(5):
            ping(emulator)

        with watching(emulator, f"?after={last}") as watch:
            assert not watch.next("world").data["resumed"]
            assert [row["n"] for row in watch.rows(2)] == [5, 6]


@pytest.mark.parametrize("after", ["7", "x.y", "0-1.-1", "0-1.99999999999999999999", "%00", "NOW"])
def test_what_is_no_id_is_400(emulator: Emulator, after: str) -> None:
    answer = call(emulator.url, "GET", f"/events?after={after}")

    assert answer.status == 400
    assert b"send the `id` of an event" in answer.body


def test_an_unknown_parameter_is_400(emulator: Emulator) -> None:
    assert b"did you mean 'after'?" in call(emulator.url, "GET", "/events?aftr=now").body


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_there_are_only_so_many_watchers(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_WATCHERS", 2)
    with ExitStack() as stack:
        watches = [stack.enter_context(watching(emulator)) for _ in range(2)]
        assert [watch.next().name for watch in watches] == ["world", "world"]
        refused = call(emulator.url, "GET", "/events")
    assert (refused.status, b"close a page" in refused.body) == (503, True)
    assert eventually(lambda: call(emulator.url, "HEAD", "/events").status == 200)


def test_who_was_not_told_of_what_is_gone_is_dropped_and_told() -> None:
    stage = make_stage(journal_size=2)

    async def told() -> bytes:
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        pieces = events.Feed(stage).stream(None, from_now=False).pieces(over)
        await anext(pieces)
        await anext(pieces)
        journal = stage.world.journal
        for _ in range(3):
            journal.record(exchange(journal.number()))
        return b"".join([piece async for piece in pieces])

    text = asyncio.run(told()).decode()
    assert text.startswith("event: dropped\ndata: ")
    assert "Last-Event-ID" in text


def is_watched(emulator: Emulator) -> bool:
    stage = stage_of(emulator)
    return bool(stage.on_shown or stage.world.journal._listeners)


def test_while_nobody_watches_nothing_listens(emulator: Emulator) -> None:
    assert not is_watched(emulator)
    with watching(emulator) as watch:
        watch.next()
        assert is_watched(emulator)
    ping(emulator)
    assert eventually(lambda: not is_watched(emulator))


def test_nothing_listens_to_a_world_that_was_replaced_while_it_was_watched(emulator: Emulator) -> None:
    old = stage_of(emulator).world.journal
    with watching(emulator) as watch:
        watch.next("state")
        emulator.reset()
        watch.next("world")
        assert not old._listeners
    assert eventually(lambda: not is_watched(emulator))


def test_many_exchanges_come_in_few_pieces(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_PAUSE", 1)
    with watching(emulator) as watch, requests.Session() as session:
        chunks = watch.response.iter_content(chunk_size=None)
        next(chunks)
        for _ in range(200):
            session.get(f"{emulator.url}/v1/ping", timeout=PATIENCE)
        text, pieces = b"", 0
        while text.count(b"event: exchange") < 200:
            text, pieces = text + next(chunks), pieces + 1

    assert pieces < 100


def test_a_silent_stream_has_a_heartbeat(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_HEARTBEAT", 0.01)
    with watching(emulator) as watch:
        chunks = watch.response.iter_content(chunk_size=None)
        while b"\n:\n\n" not in b"\n" + next(chunks):
            pass


# --- its end ----------------------------------------------------------------------------------------------------------


def test_when_the_server_stops_the_watchers_are_told() -> None:
    with ExitStack() as stack:
        with running_in_thread() as emulator:
            watch = stack.enter_context(watching(emulator))
            watch.next("state")
        assert watch.rest()[-1].name == "closed"


def test_when_a_world_is_closed_its_watchers_are_told(emulator: Emulator) -> None:
    world = emulator.worlds.open()
    with watching(world) as watch, watching(emulator) as other:
        watch.next("state")
        emulator.worlds.close(world)
        assert watch.rest()[-1].name == "closed"
        ping(emulator)
        assert other.next("exchange")


def test_the_end_of_a_test_does_not_cut_off_who_watches(emulator: Emulator) -> None:
    with watching(emulator) as watch:
        watch.next("state")
        emulator.abort_requests()
        ping(emulator)
        assert watch.next("exchange")


# --- who may watch ----------------------------------------------------------------------------------------------------


def test_it_needs_the_control_token() -> None:
    with served(make_stage(), Guard(("127.0.0.1",), "s3cret")) as emulator:
        assert call(emulator.url, "GET", "/events").status == 401
        with watching(emulator, headers={"X-Emulator-Token": "s3cret"}) as watch:
            assert watch.next().name == "world"


def test_a_page_of_another_origin_can_not_watch(emulator: Emulator) -> None:
    assert call(emulator.url, "GET", "/events", "Origin: https://evil.example").status == 403


def test_the_head_alone_has_no_events(emulator: Emulator) -> None:
    answer = requests.head(f"{emulator.url}/_emulator/events", timeout=PATIENCE)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert not is_watched(emulator)


def test_a_client_of_http_1_0_gets_events_until_the_connection_ends(emulator: Emulator) -> None:
    with connect(emulator.url) as connection:
        connection.sendall(b"GET /_emulator/events HTTP/1.0\r\nHost: localhost\r\n\r\n")
        with connection.makefile("rb") as stream:
            head = [line.lower() for line in iter(stream.readline, b"\r\n")]
            assert [stream.readline() for _ in range(2)] == [b"retry: 1000\n", b"\n"]

    assert not any(line.startswith((b"transfer-encoding", b"content-length")) for line in head)


def test_it_works_over_tls() -> None:
    with running_in_thread(tls=True) as emulator:
        assert emulator.trust is not None
        with watching(emulator, verify=str(emulator.trust.ca_file)) as watch:
            watch.next("state")
            requests.get(f"{emulator.plain_url}/v1/ping", timeout=PATIENCE)
            assert watch.next("exchange").data["path"] == "/v1/ping"


def test_two_watchers_are_told_the_same(emulator: Emulator) -> None:
    with watching(emulator) as one, watching(emulator) as other:
        create(emulator)
        assert one.next("exchange") == other.next("exchange")
