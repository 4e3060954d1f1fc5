"""The Dockerfile, as far as it goes without an engine: its settings, its command, its health check, what it copies."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.limits import LIMIT
from tests.project.import_rules import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LAST_STAGE = "FROM" + DOCKERFILE.rpartition("FROM")[2]
BIN = Path(sys.executable).parent


def value(instruction: str) -> str:
    [found] = re.findall(rf"^{instruction}\s+(.*)$", LAST_STAGE, re.MULTILINE)
    return str(found)


def command_of(text: str) -> list[str]:
    """A command in the form of a JSON array."""
    found = json.loads(text[text.index("[") :])
    return [str(BIN / found[0]), *found[1:]] if found[0] == "identity-emulator" else found


def settings(port: str) -> dict[str, str]:
    given = dict(re.findall(r'(IDENTITY_EMULATOR_\w+)="([^"]*)"', value("ENV")))
    return {**os.environ, **given, "IDENTITY_EMULATOR_PORT": port, "IDENTITY_EMULATOR_CONTROL_TOKEN": "local-tests"}


@pytest.fixture
def port() -> Iterator[str]:
    """Of what the image runs, on a port that the system picks."""
    command = [*command_of(value("ENTRYPOINT")), *json.loads(value("CMD"))]
    with subprocess.Popen(command, env=settings("0"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as serve:
        assert serve.stdout
        yield str(json.loads(serve.stdout.readline())["port"])
        serve.send_signal(signal.SIGTERM)


def test_the_health_check_passes_while_the_command_runs(port: str) -> None:
    check = command_of(value("HEALTHCHECK"))

    done = subprocess.run(check, env=settings(port), capture_output=True, text=True, timeout=LIMIT, check=False)

    assert done.returncode == 0, done.stderr


def test_without_a_control_token_the_command_says_what_to_do() -> None:
    environment = settings("0")
    del environment["IDENTITY_EMULATOR_CONTROL_TOKEN"]
    command = [*command_of(value("ENTRYPOINT")), *json.loads(value("CMD"))]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False)

    assert done.returncode != 0
    assert "control token" in done.stderr.lower().replace("-", " ").replace("_", " ")


def test_the_image_runs_as_a_user_who_is_not_root() -> None:
    assert value("USER") == "emulator"


def test_it_has_two_stages_and_the_second_copies_what_the_first_made() -> None:
    assert len(re.findall("^FROM", DOCKERFILE, re.MULTILINE)) == 2
    assert value("COPY") == "--from=build /opt/emulator /opt/emulator"


def test_the_package_can_be_built_from_what_is_copied(tmp_path: Path) -> None:
    kept = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    for name in kept:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)

    build = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(tmp_path)]
    subprocess.run(build, check=True, timeout=LIMIT)

    assert list(tmp_path.glob("identity_emulator-*.whl"))
