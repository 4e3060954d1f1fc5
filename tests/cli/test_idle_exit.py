"""`serve --idle-exit`. How long it takes is in tests/server/test_idle.py."""

import json
from pathlib import Path

import pytest

from tests.cli.command import run, serving
from tests.limits import LIMIT


def test_an_unused_server_ends_with_status_0_its_export_and_without_its_ready_file(tmp_path: Path) -> None:
    ready, world = tmp_path / "ready.json", tmp_path / "world.json"
    files = "--ready-file", str(ready), "--export-on-exit", str(world)
    with serving("--port", "0", "--idle-exit", "0.01", *files) as (process, line):
        assert process.wait(LIMIT) == 0
        assert process.stderr
        assert "INFO    nobody has used it for 0.01 s: this server ends\n" in process.stderr.read()

    assert json.loads(world.read_text())["seed"] == line["seed"]
    assert not ready.exists()


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "1e99"])
def test_seconds_that_never_come_are_refused(seconds: str) -> None:
    status, output = run("serve", "--idle-exit", seconds)

    assert status == 2
    assert "is not more than 0 and at most 1e+07 seconds" in output
