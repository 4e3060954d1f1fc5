"""Runs of pytest within a test, as users have them."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from tests.limits import LIMIT

CLIENT = """
    import urllib.request

    def create(emulator, path="/v1/identity"):
        request = urllib.request.Request(emulator.url + path, method="POST")
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()

    def status(emulator, path, method="POST"):
        import urllib.error
        try:
            return urllib.request.urlopen(urllib.request.Request(emulator.url + path, method=method)).status
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code

    def names(emulator):
        return list(emulator.actors)
"""
"""What every test file of a run begins with."""

LOOP_SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")
"""pytest-asyncio warns until this is chosen."""


SHAPE_OUTPUT = ("PYTEST", "CI", "BUILD_NUMBER", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "PY_COLORS", "GITHUB_ACTIONS")
"""How names begin that change what pytest prints: where CI is set, say, its summary repeats messages in full."""


def neutral_environment() -> dict[str, str]:
    """This process's environment without what would make pytest print something else on a CI server."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SHAPE_OUTPUT)}


class Outcome(str):
    """What pytest printed."""

    status: int

    def __new__(cls, status: int, output: str) -> "Outcome":
        outcome = super().__new__(cls, output)
        outcome.status = status
        return outcome

    @property
    def summary(self) -> str:
        return self.strip().splitlines()[-1]


class Run:
    """A folder of tests, and pytest in a process of its own there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, text: str, name: str = "test_it.py") -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        head = dedent(CLIENT) if path.name.startswith("test_") else ""
        path.write_text(head + dedent(text), encoding="utf-8")

    def __call__(self, *options: str, autoload: bool = False, **environment: str) -> Outcome:
        chosen = {} if autoload else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        plugin = [] if autoload else ["-p", "conftest_plugin"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugin, "-W", "error", "-p", "no:cacheprovider", *options],
            cwd=self.folder,
            env={**neutral_environment(), **chosen, **environment},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return Outcome(done.returncode, done.stdout + done.stderr)
