"""Requests per second, latency and CPU for each route, beside a bare aiohttp handler that sends the same bytes."""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import peers
from benchmarks.load import Sample, measure, planned, request
from benchmarks.peers import Ready
from benchmarks.servers import BARE, OURS, PUBLIC_KEY, RAW, Server, emulator, python, running
from benchmarks.settings import FEW, Settings, row_name
from benchmarks.worlds import API_KEY, crowd, identities, page
from emulator import running_in_thread

_JSON = {"Content-Type": "application/json"}
_BODIES = 5_000
"""Different bodies, so that caching them is of no use."""

_TOKENS = 60_000
"""More than a server answers in one run."""

_PROBE = request("GET", PUBLIC_KEY)
_RESET = request("POST", "/_emulator/reset", _JSON, b"{}")


@cache
def tokens(count: int) -> list[tuple[str, dict[str, str]]]:
    """Identities and the headers with their tokens, which every server of seed 7 accepts."""
    with running_in_thread(seed=7) as emulator:
        made = [emulator.spacetime.create_identity() for _ in range(count)]
    return [(each.identity, {"Authorization": f"Bearer {each.token}"}) for each in made]


def verifications(count: int) -> Sequence[bytes]:
    return [request("GET", f"/v1/identity/{who}/verify", bearer) for who, bearer in tokens(count)]


def creations() -> Sequence[bytes]:
    body = '{{"display_name": "JP {0}", "creator": "0x...{1}", "description": "It is JP {0}."}}'
    bodies = [body.format(number, number % 100).encode() for number in range(_BODIES)]
    return [request("POST", "/identity", {**API_KEY, **_JSON}, each) for each in bodies]


class Route(NamedTuple):
    """What is measured: `requests` makes what a server is asked whose world holds so many rows.

    aiohttp's router gets `path`; the bare handler is asked what the emulator is asked. With `fresh`, the emulator is
    reset before each run; with `once`, no request is sent twice in a run. `raw` names the signature operation that
    `RAW` does for each request. With `rows`, all worlds hold some, and those of one more server many.
    """

    name: str
    path: str
    requests: Callable[[Server, int], Sequence[bytes]]
    raw: str = ""
    fresh: bool = False
    once: bool = False
    reads: bool = False
    rows: bool = False
    peers: bool = False


_VERIFY, _SOCKET = "/v1/identity/{identity}/verify", "/v1/identity/websocket-token"

ROUTES = (
    Route("GET public-key", PUBLIC_KEY, lambda *_: [_PROBE], peers=True),
    Route("GET verify, token seen before", _VERIFY, lambda *_: verifications(1)),
    Route("GET verify, new tokens", _VERIFY, lambda *_: verifications(_TOKENS), raw="verify", fresh=True, once=True),
    Route("POST /v1/identity", "/v1/identity", lambda *_: [request("POST", "/v1/identity")], raw="sign"),
    Route("POST websocket-token", _SOCKET, lambda *_: [request("POST", _SOCKET, tokens(1)[0][1])], raw="sign"),
    Route("POST /identity", "/identity", lambda *_: creations(), fresh=True, reads=True),
    Route("GET /identity/{id}", "/identity/{id}", identities, rows=True),
    Route("GET /identities?limit=100", "/identities", lambda *_: [page(100)], rows=True),
)


def rates(settings: Settings) -> dict[str, Any]:
    """For each route and number of connections, each server's samples in the order of the rounds."""
    routes = [route for route in ROUTES if any(part in route.name for part in settings.routes)]
    with_peers = any(route.peers for route in routes) and not settings.variants
    ready, missing = peers.prepare_all() if with_peers else ([], {})
    measured = {route.name: _measured(route, ready if route.peers else [], settings) for route in routes}
    return {"rates": measured, "missing": missing, "versions": {peer.name: peer.version for peer in ready}}


def _measured(route: Route, ready: Sequence[Ready], settings: Settings) -> dict[str, Any]:
    print(f"  {route.name}", file=sys.stderr, flush=True)
    with _running(route, ready, settings) as asked, ExitStack() as stack:
        plans = {server: stack.enter_context(planned(each)) for server, each in asked.items()}
        for server, plan in plans.items():
            seconds = settings.warm_jvm if server.name.startswith("WireMock") else settings.warm
            measure(server, plan, 16, seconds)
        return {str(count): _rounds(route, plans, count, settings) for count in settings.connections}


def _rounds(route: Route, plans: Mapping[Server, Path], connections: int, settings: Settings) -> dict[str, Any]:
    """Runs of all servers in turn. Each round begins with another server: the first is a little slower."""
    found: dict[str, list[Sample]] = {server.name: [] for server in plans}
    servers = list(plans)
    for _ in range(settings.runs):
        for server in servers:
            if route.fresh and server.name not in {BARE, RAW}:
                _reset(server, settings.settle)
            found[server.name].append(measure(server, plans[server], connections, settings.seconds, once=route.once))
        servers = servers[1:] + servers[:1]
    return {
        name: {field: [getattr(sample, field) for sample in each] for field in Sample._fields}
        for name, each in found.items()
    }


def _reset(server: Server, seconds: float) -> None:
    """A new world, and time for the old one to be let go of: that is measured elsewhere."""
    server.ask(_RESET)
    server.ask(_PROBE)
    time.sleep(seconds)


@contextmanager
def _running(route: Route, ready: Sequence[Ready], settings: Settings) -> Iterator[dict[Server, Sequence[bytes]]]:
    """Every server and what it is asked; the emulator is the first."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        asked: dict[Server, Sequence[bytes]] = {}
        for name, (command, rows) in _emulators(route, settings, Path(folder)).items():
            server = stack.enter_context(running(name, command, _PROBE))
            asked[server] = route.requests(server, rows)
        ours, requests = next(iter(asked.items()))
        for name, command in _bare(route, ours, requests[0]).items():
            asked[stack.enter_context(running(name, command, requests[0]))] = requests
        for peer in ready:
            asked[stack.enter_context(running(peer.name, peer.command, peer.probe))] = [peer.probe]
        yield asked


def _emulators(route: Route, settings: Settings, folder: Path) -> dict[str, tuple[list[str], int]]:
    """The command of each, and how many rows it holds."""
    plain = {OURS: emulator(), **settings.variants}
    if not route.rows:
        return {name: (command, 0) for name, command in plain.items()}
    many = settings.many
    filled = {name: (_filled(command, FEW, folder), FEW) for name, command in plain.items()}
    return {**filled, row_name(many): (_filled(emulator(), many, folder), many)}


def _filled(command: list[str], rows: int, folder: Path) -> list[str]:
    path = folder / f"{rows}.yaml"
    path.write_text(json.dumps(crowd(rows)), encoding="utf-8")
    return [*command, "--scenario", str(path)]


def _bare(route: Route, ours: Server, first: bytes) -> dict[str, list[str]]:
    """aiohttp with the emulator's answer to the first request, without and with ECDSA."""
    method = first.partition(b" ")[0].decode()
    answer = {"method": method, "path": route.path, "reads": route.reads, **ours.ask(first)._asdict()}
    operations = {BARE: "", RAW: route.raw} if route.raw else {BARE: ""}
    return {
        name: python("benchmarks.bare", "{port}", json.dumps({**answer, "raw": raw}))
        for name, raw in operations.items()
    }
