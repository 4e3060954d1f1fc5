"""Snapshots and restores in the middle of requests."""

import json
import os
import threading
from http.client import HTTPConnection
from time import monotonic

from emulator import Emulator
from emulator.world.stage import Stage
from tests.conftest import API_KEY
from tests.slow.conftest import Figure
from tests.waiting import PATIENCE
from tests.worlds import make_stage, served, world_of

SECONDS = min(float(os.environ.get("LOAD_SECONDS", "60")), 20.0)
HEADERS = {"x-api-key": API_KEY, "content-type": "application/json"}
DRAFT = json.dumps({"display_name": "JP", "creator": "0x81"})


class Maker(threading.Thread):
    """A client that creates rows and lists them, until it is stopped."""

    def __init__(self, emulator: Emulator, over: threading.Event) -> None:
        super().__init__()
        self._port, self._over = emulator.port, over
        self.statuses: set[int] = set()
        self.answered = 0

    def run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        while not self._over.is_set():
            for method, path, body in (("POST", "/identity", DRAFT), ("GET", "/identities?limit=5", None)):
                connection.request(method, path, body, HEADERS)
                answer = connection.getresponse()
                answer.read()
                self.statuses.add(answer.status)
                self.answered += 1
        connection.close()


def assert_sound(stage: Stage) -> int:
    """Every row is there once, and found by its id and its vault; how many there are."""
    world = world_of(stage)
    store = world.intuition
    with world.context.lock:
        rows = list(store.rows.merged().values())
        assert len({row.id for row in rows}) == len(rows) == len(store)
        assert [row.vault_id for row in rows] == [str(number + 1) for number in range(len(rows))]
        assert all(store.find(row.id) is row is store.find(row.vault_id) for row in rows)
    return len(rows)


def test_a_world_brought_back_in_the_middle_of_requests_is_whole(figure: Figure) -> None:
    restored, over = 0, threading.Event()
    stage = make_stage(seed=7)
    with served(stage) as emulator:
        makers = [Maker(emulator, over) for _ in range(4)]
        for maker in makers:
            maker.start()
        end = monotonic() + SECONDS
        try:
            while monotonic() < end:
                if assert_sound(stage) > 2000:
                    emulator.reset()
                snapshot = emulator.snapshot()
                over.wait(0.005)  # some requests come
                emulator.restore(snapshot)
                restored += 1
        finally:
            over.set()
            for maker in makers:
                maker.join()

    assert [maker.statuses for maker in makers] == [{200}] * 4
    figure("snapshots brought back in the middle of requests of 4 clients", str(restored))
    figure("… requests answered meanwhile, and rows lost or doubled", f"{sum(each.answered for each in makers)}, 0")
