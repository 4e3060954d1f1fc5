"""The commands of docs/ctl.md, each as it is written there."""

import re
import shlex
from pathlib import Path

import pytest

from emulator import running_in_thread
from tests.cli.command import run

PAGE = (Path(__file__).parents[2] / "docs" / "ctl.md").read_text(encoding="utf-8")
COMMANDS = [
    line.partition(" # ")[0].partition(" > ")[0] for line in PAGE.split("```sh\n")[1].split("```")[0].splitlines()
]


@pytest.mark.parametrize("command", [each for each in COMMANDS if "--follow" not in each])
def test_the_command_works(command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with running_in_thread() as emulator:
        monkeypatch.setenv("IDENTITY_EMULATOR_URL", emulator.url)
        name, *words = shlex.split(command)

        assert name == "identity-emulator"
        assert run(*words)[0] == 0


def test_the_checks_of_a_token_are_those_that_are_printed() -> None:
    shown = PAGE.split("```text\n")[1].split("```")[0].splitlines()
    with running_in_thread() as emulator:
        emulator.clock.freeze("2026-01-01T00:00:00Z")
        token = emulator.spacetime.issue_token(subject="alice", expires_in=-72)
        printed = run("token", "decode", token, "--url", emulator.url)[1].splitlines()

    assert printed[0] == shown[0]
    assert printed[-12:] == shown[-12:]
    assert re.fullmatch("identity      c200[0-9a-f]{60}", printed[4])
