"""What common clients make of each fault, found by trying. `python -m tests.project.faults_table` writes it down."""

import asyncio
import json
import platform
import re
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from typing import NamedTuple, Protocol

import aiohttp
import httpx
import requests

from emulator import Emulator, running_in_thread
from emulator.faults.fault_matrix import Kind, matrix
from emulator.faults.kinds import CHANGES
from tests.limits import LIMIT
from tests.project.import_rules import ROOT

PAGE = ROOT / "docs" / "faults.md"
BEGIN, END = "<!-- clients: begin -->", "<!-- clients: end -->"
KINDS = tuple(kind for kind in matrix() if not kind.do.keys() & set(CHANGES))
"""Those that change the answer, not the world."""
ROUTES = {"GET": "/v1/health", "POST": "/v1/identity"}
PATIENCE = 0.6
"""Seconds until the clients give up on an answer that never comes. For one that does they wait as long as it takes."""

# --- the clients ------------------------------------------------------------------------------------------------------


class Send(Protocol):
    """A method and a URL, to a status; a good answer was read as JSON."""

    def __call__(self, method: str, url: str, patience: float = LIMIT) -> int: ...


@contextmanager
def _requests() -> Iterator[Send]:
    with requests.Session() as session:
        session.trust_env = False

        def send(method: str, url: str, patience: float = LIMIT) -> int:
            return _read(session.request(method, url, timeout=patience))

        yield send


@contextmanager
def _httpx() -> Iterator[Send]:
    with httpx.Client(trust_env=False) as client:

        def send(method: str, url: str, patience: float = LIMIT) -> int:
            return _read(client.request(method, url, timeout=patience))

        yield send


def _read(answer: requests.Response | httpx.Response) -> int:
    if answer.status_code == 200:
        answer.json()
    return answer.status_code


@contextmanager
def _aiohttp() -> Iterator[Send]:
    with asyncio.Runner() as runner:
        session = runner.run(_aiohttp_session())

        async def ask(method: str, url: str, patience: float) -> int:
            async with session.request(method, url, timeout=aiohttp.ClientTimeout(total=patience)) as answer:
                if answer.ok:
                    await answer.json()
                return answer.status

        def send(method: str, url: str, patience: float = LIMIT) -> int:
            return runner.run(ask(method, url, patience))

        yield send
        runner.run(session.close())


async def _aiohttp_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


@contextmanager
def _urllib() -> Iterator[Send]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(method: str, url: str, patience: float = LIMIT) -> int:
        request = urllib.request.Request(url, method=method)  # noqa: S310 - the test's own server
        with opener.open(request, timeout=patience) as answer:
            json.load(answer)
            status: int = answer.status
            return status

    yield send


CLIENTS: Mapping[str, Callable[[], AbstractContextManager[Send]]] = {
    "requests": _requests,
    "httpx": _httpx,
    "aiohttp": _aiohttp,
    "urllib": _urllib,
}


def versions() -> dict[str, str]:
    """Of each client, as far as the table depends on them: the first two numbers."""
    found = {name: version(name) for name in ("requests", "httpx", "aiohttp")}
    found["urllib"] = platform.python_version()
    return {name: ".".join(text.split(".")[:2]) for name, text in found.items()}


# --- trying -----------------------------------------------------------------------------------------------------------


class Way(NamedTuple):
    """How a request is sent; `kept` is on a connection that has seen one before."""

    method: str
    kept: bool


class Outcome(NamedTuple):
    """What the user sees, and how many requests the server saw."""

    seen: str
    sent: int


def ways(client: str) -> list[Way]:
    """urllib keeps no connection."""
    return [Way(method, kept) for method in ROUTES for kept in (False, True) if not kept or client != "urllib"]


def tried(emulator: Emulator, client: str, kind: Kind, way: Way) -> Outcome:
    """What one call meets when the fault meets every request."""
    emulator.reset()
    url = f"{emulator.url}{ROUTES[way.method]}"
    with CLIENTS[client]() as send:
        if way.kept:
            send(way.method, url)
        emulator.faults.add("* /**", **kind.do)
        seen = _seen(send, way.method, url, PATIENCE if "hang" in kind.do else LIMIT)
    # A client that gives up may do so before the server has written its request down.
    emulator.journal.wait_for(way.method, ROUTES[way.method], times=1 + way.kept, timeout=LIMIT)
    return Outcome(seen, len([each for each in emulator.journal.exchanges if each.fault]))


def _seen(send: Send, method: str, url: str, patience: float) -> str:
    try:
        return str(send(method, url, patience))
    except Exception as error:  # noqa: BLE001 - what they raise is the question
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        return f"`{_name(type(error))}`"


def _name(kind: type) -> str:
    """As it is imported: `requests.ConnectionError`, not `requests.exceptions.ConnectionError`."""
    package = kind.__module__.partition(".")[0]
    if package == "builtins":
        return kind.__name__
    shown = getattr(sys.modules[package], kind.__name__, None) is kind
    return f"{package if shown else kind.__module__}.{kind.__name__}"


# --- writing it down --------------------------------------------------------------------------------------------------


def cell(outcomes: Mapping[Way, Outcome]) -> str:
    seen = list(dict.fromkeys(outcome.seen for outcome in outcomes.values()))
    repeated = [way for way, outcome in outcomes.items() if outcome.sent == 2]
    assert all(outcome.sent in {1, 2} for outcome in outcomes.values()), outcomes
    words = [" or ".join(seen), *_repeated(repeated)]
    return "; ".join(words)


def _repeated(repeated: list[Way]) -> Iterator[str]:
    for method in ROUTES:
        kept = [way.kept for way in repeated if way.method == method]
        if kept:
            yield f"{method} sent twice{'' if False in kept else ' on a kept connection'}"


def column(emulator: Emulator, client: str) -> list[str]:
    return [cell({way: tried(emulator, client, kind, way) for way in ways(client)}) for kind in KINDS]


def table(columns: Mapping[str, list[str]]) -> str:
    rows = [["fault", *columns], ["---"] * (len(columns) + 1)]
    rows += [[f"`{_do(kind)}`", *cells] for kind, *cells in zip(KINDS, *columns.values(), strict=True)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _do(kind: Kind) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in kind.do.items()).replace("'", '"')


def made_with(found: Mapping[str, str]) -> str:
    *libraries, python = (f"{name} {text}" for name, text in found.items())
    return (
        f"Made with {', '.join(libraries)} and {python.replace('urllib', 'Python')}; each gives up after {PATIENCE} s."
    )


def columns_of(page: str) -> dict[str, list[str]]:
    """The columns of the table on the page, by client."""
    lines = [line for line in _between(page).splitlines() if line.startswith("| ")]
    rows = [line.strip("| ").split(" | ") for line in lines]
    head, _, *body = rows
    return {name: [row[place] for row in body] for place, name in enumerate(head)}


def versions_of(page: str) -> dict[str, str]:
    found = re.findall(r"(requests|httpx|aiohttp|Python) ([\d.]+\d)", _between(page))
    return {name.replace("Python", "urllib"): text for name, text in found}


def _between(page: str) -> str:
    return page.partition(BEGIN)[2].partition(END)[0]


def with_table(page: str, text: str) -> str:
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    with running_in_thread() as running:
        made = table({client: column(running, client) for client in CLIENTS})
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_table(page, f"{made}\n\n{made_with(versions())}"), encoding="utf-8")
