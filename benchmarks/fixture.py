"""What the pytest plugin costs: `python -m benchmarks --only fixture`.

Runs alternate with the same thing done without us where there is such a thing, so that the machine's mood cancels out.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.rates import BARE, OURS
from benchmarks.settings import Settings

TESTS = 300


Samples = dict[str, list[float]]


# --- the plugin module ------------------------------------------------------------------------------------------------

_IMPORT = """
import sys, time
import pytest, contextlib, os
begin = time.perf_counter()
import conftest_plugin
print((time.perf_counter() - begin) * 1000)
"""
_HOOKS = """
import pytest, sys, time

class Timer:
    spent = 0.0

def timed(function):
    def call(*args, **kwargs):
        begin = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            Timer.spent += time.perf_counter() - begin
    return call

import conftest_plugin
for name in ("pytest_addoption", "pytest_configure"):
    original = getattr(conftest_plugin, name)
    replacement = timed(original)
    replacement.__wrapped__ = original
    setattr(conftest_plugin, name, replacement)
pytest.main(["-q", "-p", "conftest_plugin", "-p", "no:cacheprovider", sys.argv[1]])
print(Timer.spent * 1000)
"""


def unused(runs: int) -> Samples:
    """Importing the plugin module and calling its hooks in a session that uses nothing of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test_nothing.py"
        path.write_text("def test_nothing(): pass\n")
        cost = [_last_number(_IMPORT, str(path), folder) + _last_number(_HOOKS, str(path), folder) for _ in range(runs)]
    return {OURS: cost}


def _last_number(program: str, argument: str, folder: str) -> float:
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-c", program, argument]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


# --- first use --------------------------------------------------------------------------------------------------------

_FIRST_OURS = """
import time, urllib.request
begin = time.perf_counter()
from emulator import running_in_thread
with running_in_thread() as emulator:
    request = urllib.request.Request(emulator.url + "/v1/identity", method="POST")
    urllib.request.urlopen(request).read()
    print((time.perf_counter() - begin) * 1000)
"""
_FIRST_BARE = """
import time, urllib.request
begin = time.perf_counter()
import asyncio, threading
from aiohttp import web

async def answer(request):
    return web.Response(text="hello")

async def serve():
    global url
    app = web.Application()
    app.router.add_post("/v1/identity", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = "http://127.0.0.1:%d" % site._server.sockets[0].getsockname()[1]

loop = asyncio.new_event_loop()
loop.run_until_complete(serve())
threading.Thread(target=loop.run_forever, daemon=True).start()
urllib.request.urlopen(urllib.request.Request(url + "/v1/identity", method="POST")).read()
print((time.perf_counter() - begin) * 1000)
"""


def first_use(runs: int) -> Samples:
    """Imports, boot and first answer, in a process that has imported nothing."""
    pairs = [(_last_number(_FIRST_OURS, "", "."), _last_number(_FIRST_BARE, "", ".")) for _ in range(2 * runs)]
    return {OURS: [ours for ours, _ in pairs], BARE: [bare for _, bare in pairs]}


# --- each further test ------------------------------------------------------------------------------------------------

_CONFTEST = """
import pytest, time, threading, asyncio, statistics, json, os, urllib.request

@pytest.fixture
def empty():
    yield

def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.callspec.params["number"])  # the kinds alternate

spent = {}

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    begin = time.perf_counter()
    result = yield
    spent.setdefault(item.originalname, []).append((time.perf_counter() - begin) * 1000)
    return result

def pytest_sessionfinish(session):
    with open(os.environ["SPENT"], "w") as file:
        json.dump({name: statistics.median(each[5:]) for name, each in spent.items()}, file)
"""
_TESTS = """
import pytest

many = pytest.mark.parametrize("number", range({tests}))

@many
def test_empty(number, empty): pass

@many
def test_ours(number, identity_emulator): pass

@many
def test_httpserver(number, httpserver): pass

@many
async def test_aiohttp_server(number, aiohttp_server):
    from aiohttp import web
    await aiohttp_server(web.Application())
"""


_FIXTURES = {
    "test_ours": OURS,
    "test_empty": "an empty fixture",
    "test_httpserver": "pytest-httpserver",
    "test_aiohttp_server": "a fresh aiohttp_server",
}


def per_test(runs: int) -> Samples:
    """The median test of a session of many that do nothing but ask for a fixture."""
    medians = [_one_session() for _ in range(runs)]
    return {name: [each[test] for each in medians] for test, name in _FIXTURES.items() if test in medians[0]}


def _one_session() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "conftest.py").write_text(_CONFTEST)
        (here / "test_it.py").write_text(_TESTS.format(tests=TESTS))
        options = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--asyncio-mode=auto"]
        scope = ["-o", "asyncio_default_fixture_loop_scope=function"]
        command = [sys.executable, "-m", "pytest", *options, *scope, folder]
        environment = {**os.environ, "SPENT": str(here / "spent.json")}
        subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
        found: dict[str, float] = json.loads((here / "spent.json").read_text())
    return found


# --- scenarios --------------------------------------------------------------------------------------------------------

_LOADED = """
import time
begin = time.perf_counter()
from emulator import running_in_thread
with running_in_thread(scenario="crowded") as emulator:
    taken = (time.perf_counter() - begin) * 1000
    begin = time.perf_counter()
    for _ in range(100):
        emulator.reset()
    reset = (time.perf_counter() - begin) * 10
import resource
print(taken, reset, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def crowded(runs: int) -> Samples:
    """A scenario of 100,000 identities: loading it (imports included), a reset to it, and the process in MiB."""
    found = [
        subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(runs)
    ]
    names = ("loading", "reset", "process")
    return {name: [float(each[column]) for each in found] for column, name in enumerate(names)}


# --- the end ----------------------------------------------------------------------------------------------------------


def session_end(runs: int) -> Samples:
    """Stopping the server's thread."""
    return {"idle": [_end(hung=False) for _ in range(runs)], "a handler hangs": [_end(hung=True) for _ in range(runs)]}


def _end(*, hung: bool) -> float:
    from emulator import running_in_thread

    with running_in_thread() as emulator:
        urllib.request.urlopen(f"{emulator.url}/v1/ping").read()  # noqa: S310 - it is ours
        if hung:
            _hang(emulator.port)
            while _received(emulator.url) < 2:
                time.sleep(0.001)
        begin = time.perf_counter()
    return (time.perf_counter() - begin) * 1000


def _received(url: str) -> int:
    """Requests that came, answered or not."""
    with urllib.request.urlopen(f"{url}/_emulator/state") as answer:  # noqa: S310 - it is ours
        total: int = json.load(answer)["journal"]["total"]
    return total


def _hang(port: int) -> None:
    import socket

    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(
        b"POST /identity HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
        b"x-api-key: 00000000-0000-4000-8000-000000000001\r\n\r\n{"
    )
    threading.Timer(5, connection.close).start()


def fixture(settings: Settings) -> dict[str, Any]:
    """Milliseconds, unless said otherwise."""
    measured = {
        "unused": unused,
        "first use": first_use,
        "each test": per_test,
        "crowded": crowded,
        "end": session_end,
    }
    return {"fixture": {name: measure(settings.runs) for name, measure in measured.items()}}


if __name__ == "__main__":
    from benchmarks.__main__ import main

    main(["--only", "fixture", "--only", "resets"])
