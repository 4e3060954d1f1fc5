"""`--export-on-exit`: the world is written to a file at the end."""

import json
import signal
import sys
from pathlib import Path

import pytest
import requests

from tests.cli.command import execute, run, serving
from tests.conftest import API_KEY
from tests.limits import LIMIT


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM and SIGHUP")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.Signals(1)])
def test_the_world_is_written_down_at_the_end(tmp_path: Path, number: signal.Signals) -> None:
    target = tmp_path / "world.json"
    with serving("--port", "0", "--seed", "7", "--export-on-exit", str(target)) as (process, ready):
        row = {"display_name": "JP", "creator": "0x81"}
        requests.post(f"{ready['url']}/identity", json=row, headers={"x-api-key": API_KEY}, timeout=LIMIT)
        process.send_signal(number)
        assert process.wait(LIMIT) == 0

    found = json.loads(target.read_text(encoding="utf-8"))
    assert [each["display_name"] for each in found["intuition"]["identities"]] == ["JP"]
    assert [each.name for each in tmp_path.iterdir()] == ["world.json"]


def test_exec_writes_the_world_down_too(tmp_path: Path) -> None:
    target = tmp_path / "world.json"
    execute("--seed", "7", "--export-on-exit", str(target), "--", sys.executable, "-c", "")

    assert json.loads(target.read_text(encoding="utf-8"))["seed"] == 7


def test_a_missing_folder_is_reported_at_the_start(tmp_path: Path) -> None:
    status, output = run("serve", "--port", "0", "--export-on-exit", str(tmp_path / "no" / "world.json"))

    assert (status, "there is no such folder" in output) == (2, True)
