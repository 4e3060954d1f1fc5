"""`serve --world-ports` and `exec --worlds`."""

import json
import sys

import pytest
import requests

from emulator.control.remote import RemoteEmulator
from emulator.server.listening import listen
from emulator.server.worlds import PortRange
from tests.cli.command import execute, run, serving
from tests.waiting import PATIENCE


def free_ports() -> PortRange:
    """Two ports side by side that nobody has."""
    while True:
        with listen("127.0.0.1", 0) as first:
            port = int(first.url.rpartition(":")[2])
            if port == 65535:
                continue
            try:
                listen("127.0.0.1", port + 1).close()
            except Exception:  # noqa: BLE001, S112 - taken
                continue
        return PortRange(port, port + 1)


def test_worlds_have_the_ports_of_the_range_and_a_full_range_is_an_error() -> None:
    ports = free_ports()
    with serving("--port", "0", "--world-ports", str(ports)) as (_, ready):
        answers = [requests.post(f"{ready['url']}/_emulator/worlds", timeout=PATIENCE) for _ in range(3)]

        assert [each.json()["url"] for each in answers[:2]] == [f"http://127.0.0.1:{port}" for port in ports]
        assert answers[2].status_code == 409
        assert answers[2].json()["error"].startswith(f"no port of --world-ports {ports} is free: 2 have worlds")


def test_the_port_of_a_closed_world_is_used_again() -> None:
    ports = free_ports()
    with serving("--port", "0", "--world-ports", str(ports[0])) as (_, ready):
        worlds = RemoteEmulator(ready["url"]).worlds
        for _ in range(3):
            world = worlds.open()
            assert world.port == ports.first
            worlds.close(world)


def test_a_port_that_another_process_has_is_passed_over() -> None:
    ports = free_ports()
    with listen("127.0.0.1", ports.first), serving("--port", "0", "--world-ports", str(ports)) as (_, ready):
        assert RemoteEmulator(ready["url"]).worlds.open().port == ports.last


@pytest.mark.parametrize("text", ["3064-3001", "0-5", "1-65536", "x", "3001-", "-3001", "3001-3002-3003", "٣٠٠١"])
def test_what_is_no_range_is_an_error_in_one_line(text: str) -> None:
    status, output = run("serve", "--port", "0", f"--world-ports={text}")

    assert status == 2
    assert "write them like 3001-3064" in output


def test_the_next_port_comes_first() -> None:
    assert list(PortRange(3001, 3004).after(3002)) == [3003, 3004, 3001, 3002]
    assert list(PortRange(3001, 3003).after(0)) == [3001, 3002, 3003]


PROGRAM = """
import json, os, urllib.request
urls = {name: url for name, url in os.environ.items() if name.startswith("IDENTITY_EMULATOR_URL")}
for url in urls.values():
    urllib.request.urlopen(urllib.request.Request(url + "/v1/identity", method="POST"))
totals = [json.load(urllib.request.urlopen(url + "/_emulator/journal"))["total"] for url in urls.values()]
print(json.dumps([urls, totals]))
"""


def test_exec_opens_worlds_for_its_command() -> None:
    done = execute("--worlds", "3", "--", sys.executable, "-c", PROGRAM)

    urls, totals = json.loads(done.stdout)
    names = ["IDENTITY_EMULATOR_URL", *(f"IDENTITY_EMULATOR_URL_{number}" for number in range(3))]
    assert (sorted(urls), totals, done.stderr) == (names, [1] * 4, "")
    assert len(set(urls.values())) == 4


@pytest.mark.parametrize("number", ["-1", "257", "x"])
def test_exec_opens_no_other_number_of_worlds(number: str) -> None:
    assert run("exec", "--worlds", number, "--", "true")[0] == 2


def test_the_variables_of_exec_are_no_mistake_in_a_command_within_it() -> None:
    done = execute("--worlds", "1", "--", sys.executable, "-m", "emulator", "exec", "--", sys.executable, "-c", "")

    assert (done.returncode, done.stderr) == (0, "")
