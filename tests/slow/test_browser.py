"""A page of another origin in a real browser: it can use the APIs as far as CORS allows, never the control routes."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, NamedTuple

import pytest

from emulator import Emulator
from emulator.world.stage import Stage
from tests.waiting import PATIENCE
from tests.worlds import make_stage, served, world_of

PAGE = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --host-resolver-rules=MAP\tevil.example\t127.0.0.1"
)
SEED, MARK = 7, "only-in-the-journal"

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here (Debian: apt-get install chromium)")


@contextmanager
def page_served(emulator_url: str) -> Iterator[tuple[int, Queue[dict[str, Any]]]]:
    """The port of the page's own server, and what the page reports to it."""
    home: Queue[dict[str, Any]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(PAGE.replace("EMULATOR", emulator_url).encode())

        def do_POST(self) -> None:
            home.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.answer(b"")

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, home
        server.shutdown()


def browse(host: str, emulator_url: str, profile: Path) -> dict[str, Any]:
    """What a page of `host` found out."""
    with page_served(emulator_url) as (port, home):
        flags = [flag.replace("\t", " ") for flag in FLAGS.split(" ")]
        command = [str(BROWSER), *flags, f"--user-data-dir={profile}", f"http://{host}:{port}/"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
            try:
                return home.get(timeout=4 * PATIENCE)
            finally:
                browser.kill()


class Visit(NamedTuple):
    stage: Stage
    emulator: Emulator
    found: dict[str, Any]
    """What the page found out."""


@pytest.fixture(scope="module", params=["127.0.0.1", "localhost", "evil.example"])
def visit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    stage = make_stage(seed=SEED)
    with served(stage) as emulator:
        emulator.spacetime.create_identity(subject="alice", email=f"{MARK}@example.com")
        found = browse(request.param, emulator.url, tmp_path_factory.mktemp("profile"))
        yield Visit(stage, emulator, found)


def test_the_page_got_to_its_end(visit: Visit) -> None:
    assert "broken" not in visit.found


def test_it_changed_nothing(visit: Visit) -> None:
    emulator, world = visit.emulator, world_of(visit.stage)

    assert world.seed == SEED
    assert len(world.spacetime.emails) == 1
    assert len(emulator.faults) == 0
    assert not world.spacetime.keyring.retired
    assert not emulator.clock.frozen
    assert len(emulator.journal) == world.journal.total > 0


@pytest.mark.parametrize("path", ["journal", "state", "health", "actors", "faults"])
def test_it_read_nothing(visit: Visit, path: str) -> None:
    found = visit.found

    assert found[f"read {path}"] == "TypeError"
    assert found[f"read blindly {path}"] == "opaque"


def test_the_page_could_read_no_response_to_a_post(visit: Visit) -> None:
    found = visit.found
    told = {name: answer for name, answer in found.items() if name.startswith(("reset", "rotate", "fault", "advance"))}

    assert {name: answer for name, answer in told.items() if "blindly" in name} == {
        name: "opaque" for name in told if "blindly" in name
    }
    assert {answer for name, answer in told.items() if "blindly" not in name} == {"TypeError"}
    assert found["clear journal"] == "TypeError"
    assert [found[way] for way in ("script", "image", "socket")] == ["error", "error", "error"]


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("create", 200),
        ("public key", 200),
        ("Authorization", 204),
        ("Content-Type", 200),
        ("Accept", 200),
        ("DELETE", 405),
        ("not found", "TypeError"),
        ("x-api-key", "TypeError"),
        ("x-other", "TypeError"),
        ("cookies", "TypeError"),
    ],
)
def test_it_uses_spacetimedbs_api_as_far_as_its_cors_lets_any_page(visit: Visit, what: str, status: object) -> None:
    assert visit.found[what] == status


@pytest.mark.parametrize("what", ["list", "list with key", "create"])
def test_intuitions_api_has_no_cors(visit: Visit, what: str) -> None:
    emulator, found = visit.emulator, visit.found

    assert found[f"Intuition, {what}"] == "TypeError"
    assert found["Intuition, create blindly"] == "opaque"
    assert len(emulator.intuition.identities) == 0
    assert {each.status for each in emulator.journal.exchanges if each.path == "/identity"} == {401, 405}
