"""Worlds beside the first one, opened and closed through the control routes and through both handles."""

import logging
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from emulator import Config, Emulator, Misconfigured, running_in_thread
from emulator.control.remote import RemoteEmulator
from emulator.server.worlds import MOST_WORLDS
from tests.client import create, steer
from tests.conftest import API_KEY
from tests.raw import connect
from tests.server.sessions import HANDSHAKE, serving_sessions
from tests.waiting import A_MOMENT, PATIENCE, eventually
from tests.websocket import CLOSE, Peer

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A server of its own: a reset closes no world."""
    with running_in_thread(seed=3) as emulator:
        yield emulator


@pytest.fixture(params=["local", "remote"])
def handle(emulator: Emulator, request: pytest.FixtureRequest) -> Emulator:
    return emulator if request.param == "local" else RemoteEmulator(emulator.url)


def opened(emulator: Emulator, body: Any = None) -> RemoteEmulator:
    """A world that is opened over HTTP."""
    return RemoteEmulator(steer(emulator, "POST", "/worlds", body).json()["url"])


def answers(url: str) -> bool:
    try:
        requests.get(f"{url}/v1/ping", timeout=PATIENCE)
    except requests.ConnectionError:
        return False
    return True


def hang(world: Emulator) -> socket.socket:
    """A request that gets no response."""
    fault = world.faults.add("GET /v1/ping", hang=True)
    connection = connect(world.url)
    connection.sendall(b"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert eventually(lambda: fault.fired == 1)
    return connection


# --- over HTTP --------------------------------------------------------------------------------------------------------


def test_a_world_has_an_id_an_url_and_variables_for_its_clients(emulator: Emulator) -> None:
    answer = steer(emulator, "POST", "/worlds", {"seed": 7, "idle_exit": 60})

    world = answer.json()
    assert (answer.status_code, world["id"], world["idle_exit"]) == (200, "1", 60)
    assert world["url"] != emulator.url
    assert world["env"] == {
        "IDENTITY_EMULATOR_URL": world["url"],
        "SPACETIMEDB_URI": world["url"],
        "INTUITION_API_URL": world["url"],
        "INTUITION_API_KEY": API_KEY,
    }


def test_its_variables_have_the_tokens_of_its_actors(emulator: Emulator) -> None:
    world = steer(emulator, "POST", "/worlds", {"scenario": "two_friends"}).json()

    assert world["env"]["ALICE_TOKEN"] == RemoteEmulator(world["url"]).actors["alice"].token


def test_each_world_has_its_own_journal_rows_clock_and_faults(emulator: Emulator) -> None:
    one, other = opened(emulator), opened(emulator)

    one.faults.add("POST /identity", status=503)
    one.clock.freeze(NOON)

    assert [create(each).status_code for each in (one, other, emulator)] == [503, 200, 200]
    assert [len(each.journal) for each in (one, other, emulator)] == [1, 1, 1]
    assert [each.clock.frozen for each in (one, other, emulator)] == [True, False, False]


def test_a_reset_of_one_leaves_the_others(emulator: Emulator) -> None:
    one, other = opened(emulator), opened(emulator)
    for each in (one, other, emulator):
        create(each)

    steer(one, "POST", "/reset")

    assert [len(each.journal) for each in (one, other, emulator)] == [0, 1, 1]


def test_what_the_body_leaves_out_is_as_at_the_servers_start() -> None:
    with running_in_thread(seed=9, spacetime_profile="v2.14", scenario="two_friends") as emulator:
        emulator.reset(seed=1)

        world = opened(emulator)

        assert steer(world, "GET", "/health").json()["seed"] == 9
        assert steer(world, "GET", "/health").json()["profiles"]["spacetime"] == "v2.14"
        assert set(world.actors) == {"alice", "bob"}
        assert set(opened(emulator, {"scenario": []}).actors) == set()


def test_a_world_has_what_the_body_says(emulator: Emulator) -> None:
    body = {"seed": 7, "scenario": "two_friends", "spacetime_profile": "v1", "freeze_at": "2030-01-01T12:00:00Z"}

    world = opened(emulator, body)

    assert steer(world, "GET", "/health").json()["seed"] == 7
    assert steer(world, "GET", "/health").json()["profiles"]["spacetime"] == "v1"
    assert (world.clock.frozen, world.clock.now()) == (True, NOON)


def test_a_token_of_one_seed_is_good_in_each_world(emulator: Emulator) -> None:
    one, other = opened(emulator), opened(emulator)
    made = requests.post(f"{one.url}/v1/identity", timeout=PATIENCE).json()

    verified = requests.get(
        f"{other.url}/v1/identity/{made['identity']}/verify",
        headers={"Authorization": f"Bearer {made['token']}"},
        timeout=PATIENCE,
    )

    assert verified.status_code == 204


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"sed": 7}, "unknown key 'sed'"),
        ({"seed": "x"}, "seed: expected a whole number"),
        ({"idle_exit": 0}, "idle_exit: 0 is too small; it must be more than 0"),
        ({"idle_exit": -1}, "idle_exit: -1 is too small"),
        ({"freeze_at": "noon"}, "freeze_at: "),
        ({"spacetime_profile": "v9"}, "there is no spacetime profile 'v9'"),
        ({"intuition_profile": "v9"}, "there is no intuition profile 'v9'"),
        ({"scenario": "nowhere"}, "there is no scenario 'nowhere'"),
        ({"scenario": "/etc/passwd"}, "`scenario` is"),
    ],
)
def test_a_wrong_body_opens_nothing(emulator: Emulator, body: dict[str, Any], error: str) -> None:
    answer = steer(emulator, "POST", "/worlds", body)

    assert (answer.status_code, error in answer.json()["error"]) == (400, True), answer.text
    assert steer(emulator, "GET", "/worlds").json() == {"worlds": []}


def test_each_port_tells_of_the_same_worlds(emulator: Emulator) -> None:
    one, other = opened(emulator), opened(emulator)

    found = [[world["url"] for world in steer(each, "GET", "/worlds").json()["worlds"]] for each in (emulator, other)]

    assert found == [[one.url, other.url]] * 2


def test_a_world_can_open_another(emulator: Emulator) -> None:
    other = opened(opened(emulator))

    assert answers(other.url)
    assert len(list(emulator.worlds)) == 2


def test_a_closed_world_refuses_connections(emulator: Emulator) -> None:
    one, other = opened(emulator), opened(emulator)

    left = steer(emulator, "DELETE", "/worlds/1")

    assert (left.status_code, [world["id"] for world in left.json()["worlds"]]) == (200, ["2"])
    assert [answers(each.url) for each in (one, other, emulator)] == [False, True, True]


def test_a_world_can_close_itself(emulator: Emulator) -> None:
    world = opened(emulator)

    left = steer(world, "DELETE", "/worlds/1")

    assert (left.status_code, left.json()) == (200, {"worlds": []})
    assert not answers(world.url)


@pytest.mark.parametrize("id", ["0", "2", "x", "%00"])
def test_a_world_that_is_not_there_is_not_found(emulator: Emulator, id: str) -> None:  # noqa: A002
    opened(emulator)

    assert steer(emulator, "DELETE", f"/worlds/{id}").status_code == 404


def test_a_world_is_closed_once(emulator: Emulator) -> None:
    opened(emulator)

    assert [steer(emulator, "DELETE", "/worlds/1").status_code for _ in range(2)] == [200, 404]


def test_websockets_of_a_closed_world_get_1001() -> None:
    with serving_sessions() as emulator:
        world = opened(emulator)
        with Peer(world.url, HANDSHAKE) as peer:
            peer.frames(2)

            steer(emulator, "DELETE", "/worlds/1")

            frame = peer.frame()
            assert frame is not None
            assert (frame.first, frame.payload[:2]) == (CLOSE, (1001).to_bytes(2))


def test_requests_under_way_in_a_closed_world_are_cut_off(emulator: Emulator) -> None:
    world = opened(emulator)
    with hang(world) as connection:
        steer(emulator, "DELETE", "/worlds/1")

        assert connection.recv(1) == b""


def test_all_worlds_end_with_the_server() -> None:
    with running_in_thread() as emulator:
        urls = [opened(emulator).url for _ in range(3)]
        assert all(map(answers, urls))

    assert not any(map(answers, urls))


def test_a_world_without_requests_is_closed(emulator: Emulator) -> None:
    world = opened(emulator, {"idle_exit": 0.01})

    assert eventually(lambda: list(emulator.worlds) == [])
    assert eventually(lambda: not answers(world.url))


def test_a_world_with_a_request_under_way_is_not_idle(emulator: Emulator) -> None:
    used = emulator.worlds.open(idle_exit=0.1)
    with hang(used):
        idle = emulator.worlds.open(idle_exit=0.2)

        assert eventually(lambda: idle.url not in [each.url for each in emulator.worlds])
        assert [each.url for each in emulator.worlds] == [used.url]

    assert eventually(lambda: list(emulator.worlds) == [])


def test_the_url_has_the_host_that_the_client_used(emulator: Emulator) -> None:
    asked = emulator.url.replace("127.0.0.1", "localhost")

    world = requests.post(f"{asked}/_emulator/worlds", timeout=PATIENCE).json()

    assert world["url"].startswith("http://localhost:")
    assert answers(world["url"])


def test_the_control_token_and_the_guards_hold_on_each_port() -> None:
    with running_in_thread(control_token="s3cret") as emulator:
        refused = requests.post(f"{emulator.url}/_emulator/worlds", timeout=PATIENCE)
        world = RemoteEmulator(emulator.url, "s3cret").worlds.open()

        assert refused.status_code == 401
        assert requests.post(f"{world.url}/_emulator/reset", timeout=PATIENCE).status_code == 401
        assert world.control_token == "s3cret"
        world.reset()


def test_a_page_of_another_origin_steers_no_world(emulator: Emulator) -> None:
    world = opened(emulator)

    for url in (emulator.url, world.url):
        answer = requests.post(f"{url}/_emulator/worlds", headers={"Origin": "http://evil.example"}, timeout=PATIENCE)
        assert answer.status_code == 403


def test_worlds_are_bounded(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_WORLDS == 256
    monkeypatch.setattr("emulator.server.worlds.MOST_WORLDS", 3)
    for _ in range(3):
        emulator.worlds.open()

    answer = steer(emulator, "POST", "/worlds")

    assert answer.status_code == 409
    assert answer.json()["error"] == "3 worlds are open, which is the most"
    assert "idle_exit" in answer.json()["hint"]


# --- handles ----------------------------------------------------------------------------------------------------------


def test_a_handle_opens_a_world_with_settings(handle: Emulator) -> None:
    world = handle.worlds.open(seed=7, scenario="two_friends", freeze_at=NOON)

    assert (world.clock.now(), set(world.actors)) == (NOON, {"alice", "bob"})
    assert (
        world.actors["alice"].token
        == handle.worlds.open(Config(seed=7, scenario="two_friends", freeze_at=NOON)).actors["alice"].token
    )


def test_a_handle_lists_and_closes_worlds(handle: Emulator) -> None:
    one, other = handle.worlds.open(), handle.worlds.open()

    one.worlds.close(one)

    assert [each.url for each in handle.worlds] == [other.url]
    assert eventually(lambda: not answers(one.url))


def test_the_first_world_can_not_be_closed(handle: Emulator) -> None:
    with pytest.raises(Misconfigured, match="no world is open at"):
        handle.worlds.close(handle)


def test_a_wrong_config_opens_nothing(handle: Emulator) -> None:
    with pytest.raises(Misconfigured, match="there is no spacetime profile 'v9'"):
        handle.worlds.open(spacetime_profile="v9")

    assert list(handle.worlds) == []


def test_over_http_a_world_has_no_files_of_the_server(emulator: Emulator) -> None:
    with pytest.raises(Misconfigured, match="has no journal_size of its own"):
        RemoteEmulator(emulator.url).worlds.open(journal_size=5)


def test_aborting_the_requests_of_one_world_leaves_those_of_others(emulator: Emulator) -> None:
    one, other = emulator.worlds.open(), emulator.worlds.open()
    hanging = [hang(each) for each in (one, other)]

    one.abort_requests()

    assert hanging[0].recv(1) == b""
    hanging[1].settimeout(A_MOMENT)
    with pytest.raises(TimeoutError):
        hanging[1].recv(1)
    for each in hanging:
        each.close()


def test_worlds_are_opened_from_many_threads_at_once(emulator: Emulator) -> None:
    with ThreadPoolExecutor(8) as pool:
        worlds = list(pool.map(lambda _: emulator.worlds.open(), range(32)))

    assert len({world.url for world in worlds}) == 32
    assert all(answers(world.url) for world in worlds)


# --- who resets -------------------------------------------------------------------------------------------------------


def reset_as(emulator: Emulator, client: str) -> None:
    headers = {"X-Emulator-Client": client}
    assert requests.post(f"{emulator.url}/_emulator/reset", headers=headers, timeout=PATIENCE).status_code == 200


def test_our_client_says_which_process_it_is(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "emulator"):
        RemoteEmulator(emulator.url).reset()

    assert f"{socket.gethostname()}/{os.getpid()}" in caplog.text


def test_two_clients_that_reset_one_world_are_logged_once(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    for client in ("ci/1", "ci/2", "ci/1", "ci/3"):
        reset_as(emulator, client)

    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "ci/1 and ci/2 reset the same world" in warnings[0]


def test_clients_with_a_world_each_are_not_logged(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    one, other = opened(emulator), opened(emulator)
    for _ in range(2):
        reset_as(one, "ci/1")
        reset_as(other, "ci/2")

    assert [each for each in caplog.records if each.levelno == logging.WARNING] == []


def test_one_client_that_resets_often_is_not_logged(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        reset_as(emulator, "ci/1")

    assert [each for each in caplog.records if each.levelno == logging.WARNING] == []
