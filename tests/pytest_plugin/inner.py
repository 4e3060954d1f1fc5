"""Runs of pytest within a test, as users have them."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.metadata import entry_points
from io import StringIO
from pathlib import Path
from textwrap import dedent
from unittest import mock
from warnings import catch_warnings

import pytest

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


_OURS_ONLY = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
_STRICT = ("-W", "error", "-p", "no:cacheprovider")


def only(*plugins: str) -> list[str]:
    """Options under which pytest loads these of the installed plugins, and ours: all of them take three seconds."""
    ours = {"conftest_plugin", "identity_emulator_names"}
    others = {each.name for each in entry_points(group="pytest11")} - ours - {*plugins}
    return [option for name in sorted(others) for option in ("-p", f"no:{name}")]


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
    """A folder of tests, and pytest there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "pytest.ini").write_text("[pytest]\n")

    def write(self, text: str, name: str = "test_it.py") -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        head = dedent(CLIENT) if path.name.startswith("test_") else ""
        path.write_text(head + dedent(text), encoding="utf-8")

    def __call__(self, *options: str, **environment: str) -> Outcome:
        """Within this process, as pytest's own `pytester` does: a fifth of the time."""
        printed = StringIO()
        variables = {**neutral_environment(), **_OURS_ONLY, "COLUMNS": "80", **environment}
        with (
            _alone(self.folder),
            mock.patch.dict(os.environ, variables, clear=True),
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(printed),
            redirect_stderr(printed),
        ):
            patch.chdir(self.folder)
            patch.syspath_prepend(self.folder)  # as `python -m pytest` does
            status = pytest.main(["-p", "conftest_plugin", *_STRICT, *options])
        return Outcome(status, printed.getvalue())

    def process(self, *options: str, autoload: bool = False, **environment: str) -> Outcome:
        """In a process of its own, as users have it: for what depends on what is imported first, and with plugins that
        change or remember things of the whole process.
        """
        chosen = {} if autoload else _OURS_ONLY
        plugins = only("randomly", "xdist") if autoload else ["-p", "conftest_plugin"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, *_STRICT, *options],
            cwd=self.folder,
            env={**neutral_environment(), **chosen, **environment},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return Outcome(done.returncode, done.stdout + done.stderr)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Neither are this process's warnings and garbage the run's, nor what the run leaves this process's."""
    gc.freeze()  # pytest collects garbage at the end of a run: the run's own
    try:
        with catch_warnings(action="default"):
            yield
    finally:
        with catch_warnings(action="ignore"):
            _forget(folder)
        gc.unfreeze()


def _forget(folder: Path) -> None:
    """Free the run's modules and the failure that pytest keeps for a debugger."""
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or sys.executable).is_relative_to(folder):
            del sys.modules[name]
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        vars(sys).pop(name, None)
    gc.collect()
