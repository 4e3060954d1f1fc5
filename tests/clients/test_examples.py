"""The examples in other languages: they pass, show why one failed, and say what to do without the command.

Their test files run side by side, each in a world of its own.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from emulator import running_in_thread
from tests.clients.programs import command, fetched
from tests.limits import LIMIT
from tests.project.import_rules import ROOT
from tests.waiting import PATIENCE

BUILT = Path(tempfile.gettempdir()) / "identity-emulator-examples"
"""What Cargo has built is kept, since most of it are libraries."""

ENVIRONMENT = {
    "CARGO_BUILD_JOBS": "1",  # the machine may have other work
    "CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR") or str(BUILT / "cargo"),
}
_OUTSIDE = {name: value for name, value in os.environ.items() if not name.startswith("IDENTITY_EMULATOR_")}
AN_HOUR = 3600.0
"""Seconds after which a build is given up."""


class Example(NamedTuple):
    """How the tests of a project are run. `broken` is a file of it, a text in it, and one that makes a test fail.

    `worlds` is how many its tests open.
    """

    folder: str
    needs: tuple[str, ...]
    fetch: tuple[str, ...]
    test: tuple[str, ...]
    passed: str
    broken: tuple[str, str, str]
    worlds: int = 2


NODE_TESTS = ("node", "--test", "--test-reporter=tap")
SHELL_TESTS = 'for file in test_*.sh; do sh "$file" || exit; done'
EXAMPLES = (
    Example(
        "node",
        ("node", "npm"),
        ("npm", "install", "--no-audit", "--no-fund", "--prefer-offline"),
        NODE_TESTS,
        "# pass 5\n# fail 0",
        ("session.test.mjs", "segments: a token", "no such reason"),
    ),
    Example(
        "go",
        ("go",),
        ("go", "mod", "download"),
        ("go", "test", "-count=1", "-v", "./..."),
        "(--- PASS.*){5}PASS",
        ("session_test.go", "segments: a token", "no such reason"),
    ),
    Example(
        "java",
        ("java", "mvn"),
        (),
        ("mvn", "-B", "test"),
        r"Tests run: 5, Failures: 0, Errors: 0, Skipped: 0.*BUILD SUCCESS",
        ("src/test/java/game/SessionTest.java", "segments: a token", "no such reason"),
    ),
    Example(
        "rust",
        ("cargo",),
        ("cargo", "fetch", "--locked"),
        ("cargo", "test", "--locked", "--offline"),
        "5 passed; 0 failed",
        ("tests/session.rs", "segments: a token", "no such reason"),
        worlds=5,
    ),
    Example(
        "shell",
        ("sh", "curl", "jq"),
        (),
        ("sh", "-c", SHELL_TESTS),
        r"(ok \w+\s+){5}$",
        ("test_session.sh", "segments: a token", "no such reason"),
    ),
)
UNREACHED = re.compile(r"Could not transfer|Could not resolve dependencies|Unknown host")


class Done(NamedTuple):
    status: int
    printed: str


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda example: example.folder)
def example(request: pytest.FixtureRequest) -> Example:
    found = request.param
    assert isinstance(found, Example)
    if sys.platform == "win32" and "sh" in found.needs:
        pytest.skip("a POSIX shell is needed")
    for name in found.needs:
        command(name)
    return found


@pytest.fixture(scope="module")
def project(example: Example, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, with what it needs of others."""
    folder = tmp_path_factory.mktemp("example") / "project"
    left_out = shutil.ignore_patterns("node_modules", "target")
    # As of now: for Cargo a file that is older than what it has built has not changed.
    shutil.copytree(ROOT / "examples" / example.folder, folder, ignore=left_out, copy_function=shutil.copy)
    if example.fetch:
        fetched(command(example.fetch[0]), *example.fetch[1:], folder=folder)
    return folder


def ran(example: Example, folder: Path, environment: Mapping[str, str]) -> Done:
    done = subprocess.run(
        [command(example.test[0]), *example.test[1:]],
        cwd=folder,
        env={**_OUTSIDE, **ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=AN_HOUR if "cargo" in example.needs else LIMIT,
        check=False,
    )
    if done.returncode and UNREACHED.search(done.stdout):
        pytest.skip(f"{example.test[0]}: {done.stdout[-200:]}")
    return Done(done.returncode, done.stdout)


def with_the_command() -> dict[str, str]:
    return {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def without_the_command() -> dict[str, str]:
    places = os.environ["PATH"].split(os.pathsep)
    return {"PATH": os.pathsep.join(place for place in places if not shutil.which("identity-emulator", path=place))}


def test_the_example_passes(example: Example, project: Path) -> None:
    done = ran(example, project, with_the_command())

    assert done.status == 0, done.printed
    assert re.search(example.passed, done.printed, re.DOTALL), done.printed


def test_its_worlds_can_be_in_one_process(example: Example, project: Path) -> None:
    with running_in_thread() as emulator:
        done = ran(example, project, emulator.env())
        left, asked = list(emulator.worlds), len(emulator.journal)
        opened = requests.post(f"{emulator.url}/_emulator/worlds", timeout=PATIENCE).json()

    assert done.status == 0, done.printed
    assert re.search(example.passed, done.printed, re.DOTALL), done.printed
    assert opened["id"] == str(example.worlds + 1)
    assert (left, asked) == ([], 0)


def test_a_failed_test_prints_its_exchanges(example: Example, project: Path) -> None:
    name, text, wrong = example.broken
    file = project / name
    right = file.read_text(encoding="utf-8")
    file.write_text(right.replace(text, wrong), encoding="utf-8")
    try:
        done = ran(example, project, with_the_command())
    finally:
        file.write_text(right, encoding="utf-8")

    assert done.status != 0
    assert "POST /v1/identity/websocket-token" in done.printed, done.printed
    assert "segments: a token has three parts separated by dots, this has 1" in done.printed


def test_without_the_command_it_says_where_to_get_it(example: Example, project: Path) -> None:
    done = ran(example, project, without_the_command())

    assert done.status != 0
    sentence = "identity-emulator is not on the PATH: install it with `pipx install PATH-OF-ITS-CLONE`, or see its"
    assert sentence in done.printed, done.printed
