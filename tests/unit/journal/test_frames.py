"""Frames of a WebSocket: how many the journal keeps, and how they are shown."""

import json
from threading import RLock

from emulator.core.deferred_free import DeferredFree
from emulator.journal.exchange import Exchange, Message
from emulator.journal.frames import Ended, Frame, Frames, brief
from emulator.journal.journal import Journal
from emulator.journal.limits import KEPT_IN_ALL
from emulator.journal.report import report

NOTHING = Message(b"", b"", 0)


def frame(text: str = "hello") -> Frame:
    return Frame("client", 0, "text", text, len(text))


def exchange(frames: Frames | None, number: int = 1) -> Exchange:
    return Exchange(number, "GET", "/v1/ping", "spacetime.ping", NOTHING, 101, NOTHING, "", 0, 0.0, websocket=frames)


def journal(size: int = 10_000) -> Journal:
    return Journal(size, RLock(), DeferredFree())


def recorded(count: int, text: str = "hello") -> Frames:
    frames, kept = Frames(), journal()
    kept.record(exchange(frames))
    for number in range(count):
        kept.add_frame(frames, frame(f"{text} {number}"))
    return frames


def test_the_newest_200_are_kept() -> None:
    frames = recorded(600)

    assert (frames.dropped, len(frames)) == (400, 200)
    assert frames.kept[-1].text == "hello 599"


def test_no_more_than_64_kib_are_kept() -> None:
    frames = recorded(100, "x" * 1000)

    assert frames.weight <= 64 * 1024
    assert (frames.dropped, len(frames)) == (85, 15)


def test_the_size_of_the_journal_is_bounded_with_them() -> None:
    kept, all_frames = journal(), []
    for number in range(1000):
        all_frames.append(Frames())
        kept.record(exchange(all_frames[-1], number))
        for _ in range(20):
            kept.add_frame(all_frames[-1], frame("x" * 4000))

    assert sum(each.weight for each in kept.exchanges) <= KEPT_IN_ALL
    assert kept.lost > 0
    assert all_frames[0].weight + all_frames[-1].weight < 200_000


def test_nothing_is_added_to_an_exchange_that_was_dropped() -> None:
    kept, frames = journal(size=1), Frames()
    kept.record(exchange(frames))
    kept.add_frame(frames, frame())
    kept.record(exchange(None, 2))

    kept.add_frame(frames, frame())

    assert len(frames) == 1


def test_nor_after_the_journal_was_cleared() -> None:
    kept, frames = journal(), Frames()
    kept.record(exchange(frames))
    kept.clear()

    kept.add_frame(frames, frame())

    assert len(frames) == 0


def test_an_exchange_comes_back_from_json() -> None:
    frames = recorded(2)
    frames.end(Ended("server", cut=False, code=4000, reason="enough"))
    found = Exchange.from_json(json.loads(json.dumps(exchange(frames).to_json())))

    assert found.websocket is not None
    assert found.websocket.kept == frames.kept
    assert found.websocket.ended == frames.ended


def test_how_it_ended_is_told_once() -> None:
    frames = Frames()
    frames.end(Ended("client", cut=False, code=None, reason=""))
    frames.end(Ended("client", cut=True, code=None, reason="the connection ended"))

    assert str(frames.ended) == "closed without a code by the client"


def test_a_report_shows_the_last_frames_without_pings() -> None:
    frames = recorded(12)
    frames.add(Frame("server", 0, "ping", "", 0))
    frames.add(Frame("server", 0, "binary", "x" * 300, 10_000))

    lines = brief(frames)

    assert lines[0] == "… 3 earlier frames"
    assert lines[1] == "> text: hello 3"
    assert lines[-2:] == [f"< binary: {'x' * 190}…", "the connection is open"]


def test_secrets_in_frames_are_masked_in_a_report() -> None:
    token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0." + "s" * 86
    frames = recorded(0)
    frames.add(frame(f'{{"IdentityToken":{{"token":"{token}"}}}}'))

    assert "IdentityToken" in report([exchange(frames)], "http://test")
    assert "s" * 86 not in report([exchange(frames)], "http://test")
