"""What the pytest plugin costs, in turn with the same thing done without the emulator where there is such a thing."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.load import request
from benchmarks.servers import BARE, OURS, ROOT
from benchmarks.settings import Settings
from benchmarks.worlds import API_KEY
from emulator import running_in_thread

TESTS = 300

Samples = dict[str, list[float]]


def fixture(settings: Settings) -> dict[str, Any]:
    """Milliseconds, unless said otherwise."""
    parts = {
        "unused": unused,
        "first use": first_use,
        "each test": each_test,
        "not asking": not_asking,
        "crowded": crowded,
        "end": session_end,
    }
    return {"fixture": {name: measure(settings.runs) for name, measure in parts.items()}}


def _numbers(program: str, tests: str = "", *options: str, **environment: str) -> list[float]:
    """The last line that a program in a process of its own prints; it gets a file of tests, and options."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test_it.py"
        path.write_text(tests)
        command = [sys.executable, "-c", program, str(path), *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [float(number) for number in done.stdout.splitlines()[-1].split()]


_UNUSED = """
import functools, sys, time
import pytest, contextlib, os
spent = []

def timed(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        begin = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent.append(time.perf_counter() - begin)
    return call

conftest_plugin = timed(__import__)("conftest_plugin")
for name in ("pytest_addoption", "pytest_configure"):
    setattr(conftest_plugin, name, timed(getattr(conftest_plugin, name)))
pytest.main(["-q", "-p", "conftest_plugin", "-p", "no:cacheprovider", sys.argv[1]])
assert len(spent) == 3, spent
print()
print(sum(spent) * 1000)
"""


def unused(runs: int) -> Samples:
    """Importing the plugin module and calling its hooks in a session that uses nothing of it."""
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return {OURS: [_numbers(_UNUSED, "def test_nothing(): pass\n", **alone)[0] for _ in range(runs)]}


_FIRST = """
import time, urllib.request
begin = time.perf_counter()
from {module} import running_in_thread
with running_in_thread() as server:
    urllib.request.urlopen(urllib.request.Request(server.url + "/v1/identity", method="POST")).read()
    print((time.perf_counter() - begin) * 1000)
"""


def first_use(runs: int) -> Samples:
    """Imports, start and first answer, in a process that has imported nothing."""
    modules = {OURS: "emulator", BARE: "benchmarks.hello"}
    rounds = [{name: _numbers(_FIRST.format(module=each)) for name, each in modules.items()} for _ in range(2 * runs)]
    return {name: [each[name][0] for each in rounds] for name in modules}


_EACH = """
import pytest, statistics, sys, time
spent = {"ours": [], "empty": [], "other": []}

class Plugin:
    @pytest.fixture
    def empty(self):
        yield

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        begin = time.perf_counter()
        result = yield
        spent[item.name.split("_")[1]].append((time.perf_counter() - begin) * 1000)
        return result

pytest.main(["-q", "-p", "no:randomly", "-p", "no:cacheprovider", *sys.argv[2:], sys.argv[1]], plugins=[Plugin()])
print()
print(*(statistics.median(each[5:]) for each in spent.values() if each[5:]))
"""


def each_test(runs: int) -> Samples:
    """The median of many tests that do nothing but ask for a fixture, every other one for the emulator's."""
    pair = "def test_ours_{0}(identity_emulator): pass\ndef test_empty_{0}(empty): pass\n"
    tests = "".join(pair.format(number) for number in range(TESTS))
    found = [_numbers(_EACH, tests) for _ in range(runs)]
    return {OURS: [ours for ours, _ in found], "an empty fixture": [empty for _, empty in found]}


def not_asking(runs: int) -> Samples:
    """The median of tests that ask for nothing: the server running, the plugin not yet used, no plugin at all."""
    test, alone = "def test_other_{0}(): pass\n", {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    tests = "".join(test.format(number) for number in range(TESTS))
    first = "def test_empty_0(identity_emulator_server): pass\n"
    ours = ("-p", "conftest_plugin")
    rounds = [
        (
            _numbers(_EACH, first + tests, *ours, **alone)[-1],
            _numbers(_EACH, tests, *ours, **alone)[-1],
            _numbers(_EACH, tests, **alone)[-1],
        )
        for _ in range(runs)
    ]
    running, unused, without = zip(*rounds, strict=True)
    return {"server running": list(running), "plugin unused": list(unused), "no plugin": list(without)}


_LOADED = """
import time
begin = time.perf_counter()
from emulator import running_in_thread
with running_in_thread(scenario="crowded"):
    taken = (time.perf_counter() - begin) * 1000
import resource
print(taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def crowded(runs: int) -> Samples:
    """A scenario of 100,000 identities: loading it (imports included), and the process in MiB."""
    found = [_numbers(_LOADED) for _ in range(runs)]
    return {"loading": [taken for taken, _ in found], "process": [size for _, size in found]}


def session_end(runs: int) -> Samples:
    """Stopping the server's thread."""
    return {"idle": [_end(hung=False) for _ in range(runs)], "a handler hangs": [_end(hung=True) for _ in range(runs)]}


def _end(*, hung: bool) -> float:
    post = request("POST", "/identity", {**API_KEY, "Content-Type": "application/json"}, b"{}")
    with socket.socket() as connection, running_in_thread() as emulator:
        connection.connect(("127.0.0.1", emulator.port))
        connection.sendall(request("GET", "/v1/ping"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        if hung:
            connection.sendall(post[:-1])
            while _received(emulator.url) < 2:
                time.sleep(0.001)
        begin = time.perf_counter()
    return (time.perf_counter() - begin) * 1000


def _received(url: str) -> int:
    """Requests that came, answered or not."""
    with urllib.request.urlopen(f"{url}/_emulator/state") as answer:  # noqa: S310 - it is ours
        total: int = json.load(answer)["journal"]["total"]
    return total
