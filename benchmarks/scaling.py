"""How far one process goes, and what another costs. `python -m benchmarks.scaling` writes it into docs/scaling.md.

The processor time of a request is what is measured, so that a busy machine changes the figures little. Linux only.
"""

import http.client
import json
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from statistics import median

from benchmarks.servers import OURS, PUBLIC_KEY, ROOT, Server, emulator, running

PAGE = ROOT / "docs" / "scaling.md"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"
KEY = "00000000-0000-4000-8000-000000000001"
PROBE = f"GET {PUBLIC_KEY} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
ROUNDS = 5
"""Each figure is their median."""

Ask = Callable[..., dict[str, str]]


@contextmanager
def connected(server: Server) -> Iterator[Ask]:
    """Requests on one connection, each after the answer to the last."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def ask(method: str, path: str, *, body: str | None = None, **headers: str) -> dict[str, str]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text!r}")
        found: dict[str, str] = json.loads(text) if text[:1] == b"{" else {}
        return found

    yield ask
    connection.close()


def _new_identity(ask: Ask) -> dict[str, str]:
    return ask("POST", "/v1/identity")


def _row(ask: Ask) -> None:
    draft = json.dumps({"display_name": "JP", "creator": "0x81"})
    ask("POST", "/identity", body=draft, x_api_key=KEY, Content_Type="application/json")


def _test(ask: Ask) -> None:
    """As a test of an app asks: a new world, two who sign in, and what they do."""
    ask("POST", "/_emulator/reset")
    for _ in range(2):
        made = _new_identity(ask)
        bearer = f"Bearer {made['token']}"
        ask("POST", "/v1/identity/websocket-token", Authorization=bearer)
        for _ in range(2):
            ask("GET", f"/v1/identity/{made['identity']}/verify", Authorization=bearer)
        _row(ask)


PLANS: dict[str, tuple[Callable[[Ask], object], int]] = {
    "`POST /v1/identity`": (_new_identity, 1000),
    "`POST /identity`": (_row, 1000),
    "a test: a reset and 10 requests": (_test, 100),
}
"""What is done, and how often in a round: long enough for a clock of 10 ms."""


def _cpu(server: Server, done: Callable[[Ask], object], times: int) -> float:
    """Seconds of the server's processor time for one."""
    with connected(server) as ask:
        done(ask)
        before = server.cpu()
        for _ in range(times):
            done(ask)
        return (server.cpu() - before) / times


def figures() -> str:
    rows = []
    with running(OURS, emulator(), PROBE) as server:
        for name, (done, times) in PLANS.items():
            seconds = median(_cpu(server, done, times) for _ in range(ROUNDS))
            rows.append((name, f"{seconds * 1000:.2f} ms", f"{1 / seconds:,.0f}"))
        workers = 0.1 / seconds
    starts = []
    for _ in range(ROUNDS):
        with running(OURS, emulator(), PROBE) as another:
            starts.append((another.cpu(), another.memory()))
    cpu, memory = (median(column) for column in zip(*starts, strict=True))
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return (
        f"| | processor time | a second, on one core |\n| --- | --- | --- |\n{table}\n\n"
        f"Workers whose tests take 100 ms each and ask as much as that test: {workers:.0f} keep one process busy.\n\n"
        f"Another process takes {cpu * 1000:.0f} ms of processor time until its first answer, and {memory:.0f} MiB.\n\n"
        f"Measured on {os.cpu_count()} cores, CPython {platform.python_version()}, aiohttp {version('aiohttp')}, "
        f"over one connection.\n"
    )


def with_figures(page: str, text: str) -> str:
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{text}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(with_figures(PAGE.read_text(encoding="utf-8"), figures()), encoding="utf-8")
