"""What the pytest plugin costs: `python -m benchmarks.fixture`.

Every figure is a median of several runs, alternating with the same thing done without us where there is such a thing,
so that the machine's mood cancels out. A row with a budget says whether it is within; one without only compares.
"""

import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

RUNS = 7
TESTS = 300


class Row(NamedTuple):
    what: str
    ours: float
    theirs: float
    unit: str
    budget: str
    within: bool


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


def import_and_hooks() -> Row:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test_nothing.py"
        path.write_text("def test_nothing(): pass\n")
        cost = statistics.median(
            _last_number(_IMPORT, str(path), folder) + _last_number(_HOOKS, str(path), folder) for _ in range(RUNS)
        )
    return Row("plugin module: import and hooks, unused", cost, 0.0, "ms", "at most 5 ms", cost <= 5)


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


def first_use() -> Row:
    pairs = [(_last_number(_FIRST_OURS, "", "."), _last_number(_FIRST_BARE, "", ".")) for _ in range(2 * RUNS)]
    bare = statistics.median(theirs for _, theirs in pairs)
    more = statistics.median(ours - theirs for ours, theirs in pairs)
    return Row(
        "first use: imports, boot, first answer", bare + more, bare, "ms", "bare aiohttp + 60 ms", within=more <= 60
    )


# --- each further test ------------------------------------------------------------------------------------------------

_CONFTEST = """
import pytest, time, threading, asyncio, statistics, json, os, urllib.request

@pytest.fixture
def empty():
    yield

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


def per_test() -> list[Row]:
    medians = [_one_session() for _ in range(RUNS)]
    row = {name: statistics.median(each[name] for each in medians) for name in medians[0]}
    rows = [
        Row(
            "each further test",
            row["test_ours"],
            row["test_empty"],
            "ms",
            "an empty fixture + 0.3 ms",
            row["test_ours"] <= row["test_empty"] + 0.3,
        )
    ]
    for name, peer in (("test_httpserver", "pytest-httpserver"), ("test_aiohttp_server", "a fresh aiohttp_server")):
        if name in row:
            rows.append(Row(f"each further test, beside {peer}", row["test_ours"], row[name], "ms", "-", within=True))
        else:
            rows.append(Row(f"each further test, beside {peer}: not installed", 0, 0, "ms", "-", within=True))
    return rows


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


# --- resetting a world that holds much --------------------------------------------------------------------------------


def resets() -> list[Row]:
    from emulator import running_in_thread
    from emulator.exchange import Exchange, Message
    from emulator.intuition.model import Draft

    nothing = Message((), b"", 0)

    with running_in_thread() as emulator:

        def empty() -> None:
            pass

        def full_journal() -> None:
            journal = emulator._stage.world.journal
            for number in range(10_000):
                journal.record(Exchange(number, "GET", "/v1/ping", "", nothing, 200, nothing, "", 0, 0.0))

        def big_world() -> None:
            world = emulator._stage.world
            world.intuition.populate(((f"{n}", Draft("JP", "0x81"), "complete") for n in range(100_000)), 0)

        def reset_after(fill: Callable[[], None]) -> float:
            fill()
            begin = time.perf_counter()
            emulator.reset()
            return (time.perf_counter() - begin) * 1000

        plain = statistics.median(reset_after(empty) for _ in range(50))
        journal = statistics.median(reset_after(full_journal) for _ in range(RUNS))
        world = statistics.median(reset_after(big_world) for _ in range(3))
    return [
        Row("reset of an empty world", plain, 0.0, "ms", "at most 0.3 ms", plain <= 0.3),
        Row("reset with 10,000 exchanges in the journal", journal, plain, "ms", "at most 0.3 ms", journal <= 0.3),
        Row("reset of a world of 100,000 identities", world, plain, "ms", "at most 0.3 ms", world <= 0.3),
    ]


# --- scenarios --------------------------------------------------------------------------------------------------------

_LOADED = """
import time
from emulator import running_in_thread
with running_in_thread() as emulator:
    begin = time.perf_counter()
    emulator.load("crowded")
    taken = time.perf_counter() - begin
    begin = time.perf_counter()
    for _ in range(100):
        emulator.reset()
    reset = (time.perf_counter() - begin) * 10
import resource
print(taken, reset, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def scenarios() -> list[Row]:
    runs = [
        subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True) for _ in range(3)
    ]
    columns = zip(*(map(float, each.stdout.split()) for each in runs), strict=True)
    taken, reset, memory = map(statistics.median, columns)
    return [
        Row("loading `crowded`, 100,000 identities", taken, 0.0, "s", "at most 2 s", taken <= 2),
        Row("the process then", memory, 0.0, "MiB", "at most 150 MiB", memory <= 150),
        Row("reset to `crowded`", reset, 0.0, "ms", "at most 0.3 ms", reset <= 0.3),
    ]


# --- the end ----------------------------------------------------------------------------------------------------------


def session_end() -> list[Row]:
    from emulator import running_in_thread

    def end(*, hung: bool) -> float:
        with running_in_thread() as emulator:
            urllib.request.urlopen(f"{emulator.url}/v1/ping").read()  # noqa: S310 - it is ours
            if hung:
                _hang(emulator.port)
                while emulator._stage.world.journal.total < 2:
                    time.sleep(0.001)
            begin = time.perf_counter()
        return (time.perf_counter() - begin) * 1000

    idle = statistics.median(end(hung=False) for _ in range(RUNS))
    hung = statistics.median(end(hung=True) for _ in range(RUNS))
    return [
        Row("session end, idle", idle, 0.0, "ms", "at most 20 ms", idle <= 20),
        Row("session end, a handler hangs", hung, 0.0, "ms", "at most 150 ms", hung <= 150),
    ]


def _hang(port: int) -> None:
    import socket

    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(
        b"POST /identity HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
        b"x-api-key: 00000000-0000-4000-8000-000000000001\r\n\r\n{"
    )
    threading.Timer(5, connection.close).start()


def main() -> None:
    # As pip leaves an installed package; compiling is not what is measured.
    compileall.compile_dir(Path(__file__).parents[1] / "emulator", quiet=1)
    compileall.compile_file(Path(__file__).parents[1] / "conftest_plugin.py", quiet=1)
    rows = [import_and_hooks(), first_use(), *per_test(), *resets(), *scenarios(), *session_end()]
    print(f"{'what':<58}{'ours':>9}{'beside':>9}      budget")
    for row in rows:
        verdict = "ok  " if row.within else "OVER"
        print(f"{row.what:<58}{row.ours:>9.2f}{row.theirs:>9.2f} {row.unit}  {verdict} {row.budget}")
    raise SystemExit(0 if all(row.within for row in rows) else 1)


if __name__ == "__main__":
    main()
