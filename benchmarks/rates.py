"""Requests per second, latency and CPU for each route, beside a bare aiohttp handler that sends the same bytes."""

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import peers, raw
from benchmarks.load import Plan, measure, planned, request
from benchmarks.peers import PUBLIC_KEY, Ready
from benchmarks.servers import Server, emulator, python, running
from benchmarks.settings import Settings

OURS, BARE = "identity-emulator", "bare aiohttp"
RAW = "bare aiohttp + raw ECDSA"
CONNECTIONS = (1, 16)

CEILINGS = (BARE, RAW)

API_KEY = {"x-api-key": "00000000-0000-4000-8000-000000000001"}
_JSON = {"Content-Type": "application/json"}
_BODIES = 5_000
"""Different bodies, so that none pays to be remembered."""

_ASKED = 5_000
"""Requests for identities, of as many different ones as there are."""

_PROBE = request("GET", PUBLIC_KEY)
_RESET = request("POST", "/_emulator/reset", _JSON, b"{}")


def world(size: int) -> str:
    """The name of a server whose world holds that many identities."""
    return f"world of {size:,}"


class Route(NamedTuple):
    """What is measured: each server's requests by its name. The bare handler gets `path`, which is aiohttp's.

    With `fresh`, the emulator is reset before each run; with `once`, no request is sent twice in a run. `raw` names the
    signature operation that is measured in each round.
    """

    name: str
    path: str
    asked: Mapping[str, Sequence[bytes]]
    raw: str = ""
    fresh: bool = False
    once: bool = False
    reads: bool = False

    @property
    def source(self) -> str:
        """The server whose answer the bare handler repeats: the emulator, or that of the largest world."""
        return OURS if OURS in self.asked else [name for name in self.asked if name not in CEILINGS][-1]


class Field:
    """The servers that are measured."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.servers: dict[str, Server] = {}

    def run(self, name: str, command: Sequence[str], probe: bytes = _PROBE) -> Server:
        self.servers[name] = self._stack.enter_context(running(name, command, probe))
        return self.servers[name]

    def run_world(self, size: int) -> Sequence[bytes]:
        """A server with a filled world, and requests for some of its identities."""
        server = self.run(world(size), python("benchmarks.world", "{port}", str(size)))
        with tempfile.NamedTemporaryFile(prefix="ids-") as file:
            server.tell(f"ids {file.name}")
            ids = Path(file.name).read_text(encoding="utf-8").split()
        some = ids[:: max(len(ids) // _ASKED, 1)]
        # No two the same, for a small world too: aiohttp and the client remember what they saw lately.
        return [request("GET", f"/identity/{some[n % len(some)]}?{n}", API_KEY) for n in range(_ASKED)]

    def run_bare(self, routes: Sequence[Route]) -> None:
        """aiohttp answering what the emulator answers to the first request of each route, without and with ECDSA."""
        by_path = {(route.asked[route.source][0][:4], route.path): self._as_answered(route) for route in routes}
        answers = list(by_path.values())
        self._run_bare(BARE, [{**answer, "raw": ""} for answer in answers])
        self._run_bare(RAW, answers)

    def _run_bare(self, name: str, answers: list[dict[str, Any]]) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(answers, file)
            file.flush()
            self.run(name, python("benchmarks.bare", "{port}", file.name))

    def _as_answered(self, route: Route) -> dict[str, Any]:
        first = route.asked[route.source][0]
        status, headers, body = self.servers[route.source].ask(first)
        kept = {name: value for name, value in headers if name not in {"date", "content-length"}}
        method = first.partition(b" ")[0].decode()
        answer = {"status": status, "headers": kept, "body": body.decode()}
        return {"method": method, "path": route.path, "reads": route.reads, "raw": route.raw, **answer}

    def settle(self, name: str, seconds: float) -> None:
        """A world as new, and time for the old one to be let go of: that is measured elsewhere."""
        self.servers[name].ask(_RESET)
        self.servers[name].ask(_PROBE)
        time.sleep(seconds)


def tokens(count: int) -> list[tuple[str, str]]:
    """Identities and their tokens, which every server of seed 7 accepts."""
    from emulator import running_in_thread

    with running_in_thread(seed=7) as emulator:
        made = [emulator.spacetime.create_identity() for _ in range(count)]
    return [(each.identity, each.token) for each in made]


def spacetime_routes(names: Sequence[str], ready: Sequence[Ready], count: int) -> list[Route]:
    """`names` are the emulator, its variants and the bare handler; peers only have a public key."""

    def same(*requests: bytes) -> dict[str, Sequence[bytes]]:
        return dict.fromkeys(names, requests)

    def with_raw(*requests: bytes) -> dict[str, Sequence[bytes]]:
        return dict.fromkeys((*names, RAW), requests)

    made = tokens(count)
    bearer = {"Authorization": f"Bearer {made[0][1]}"}
    new = [request("GET", f"/v1/identity/{who}/verify", {"Authorization": f"Bearer {jwt}"}) for who, jwt in made]
    verify, socket = "/v1/identity/{identity}/verify", "/v1/identity/websocket-token"
    keys = {peer.name: (peer.probe,) for peer in ready}
    return [
        Route("GET public-key", PUBLIC_KEY, {**same(_PROBE), **keys}),
        Route("GET verify, token seen before", verify, same(new[0])),
        Route("GET verify, new tokens", verify, with_raw(*new), raw="verify", fresh=True, once=True),
        Route("POST /v1/identity", "/v1/identity", with_raw(request("POST", "/v1/identity")), raw="sign"),
        Route("POST websocket-token", socket, with_raw(request("POST", socket, bearer)), raw="sign"),
    ]


def _body(number: int) -> bytes:
    fields = {"display_name": f"JP {number}", "creator": f"0x...{number % 100}", "description": f"It is JP {number}."}
    return json.dumps(fields).encode()


def intuition_routes(names: Sequence[str], worlds: Mapping[str, Sequence[bytes]]) -> list[Route]:
    """`worlds` has the requests for identities of each filled world; the bare handler gets those of the first."""
    create = [request("POST", "/identity", {**API_KEY, **_JSON}, _body(number)) for number in range(_BODIES)]
    page = request("GET", "/identities?limit=100", API_KEY)
    ids = {**worlds, BARE: next(iter(worlds.values()))}
    return [
        Route("POST /identity", "/identity", dict.fromkeys(names, create), fresh=True, reads=True),
        Route("GET /identity/{id}", "/identity/{id}", ids),
        Route("GET /identities?limit=100", "/identities", dict.fromkeys(ids, (page,))),
    ]


def _rotated(plans: Mapping[str, Plan], by: int) -> dict[str, Plan]:
    """Each round begins with another server: the first is a little slower."""
    pairs = list(plans.items())
    by %= len(pairs)
    return dict(pairs[by:] + pairs[:by])


def _round(
    field: Field, route: Route, plans: Mapping[str, Plan], connections: int, settings: Settings
) -> dict[str, Any]:
    """One run of each server, and of the raw signature operation."""
    found: dict[str, Any] = {}
    if route.raw:
        found[f"{route.raw} alone"] = {"micros": raw.micros(route.raw)}
    for name, plan in plans.items():
        if route.fresh and name not in CEILINGS:
            field.settle(name, settings.settle)
        found[name] = measure(field.servers[name], plan, connections, settings.seconds)._asdict()
    return found


def _warm(field: Field, plans: Mapping[str, Plan], settings: Settings) -> None:
    for name, plan in plans.items():
        seconds = settings.warm_jvm if name.startswith("WireMock") else settings.warm
        measure(field.servers[name], plan._replace(once=False), 16, seconds)


def _measured(field: Field, route: Route, settings: Settings) -> dict[str, Any]:
    """For each number of connections, the samples of each server in the order of the rounds."""
    print(f"  {route.name}", file=sys.stderr, flush=True)
    with ExitStack() as stack:
        plans = {name: stack.enter_context(planned(each, once=route.once)) for name, each in route.asked.items()}
        _warm(field, plans, settings)
        rounds = {
            str(count): [_round(field, route, _rotated(plans, by), count, settings) for by in range(settings.runs)]
            for count in CONNECTIONS
        }
    return {count: {name: [each[name] for each in found] for name in found[0]} for count, found in rounds.items()}


def rates(settings: Settings) -> dict[str, Any]:
    with ExitStack() as stack:
        field = Field(stack)
        same = field.run(OURS, emulator()).ask(_PROBE)
        for name, command in settings.variants.items():
            field.run(name, command)
        names = (*field.servers, BARE)
        ready, missing = peers.prepare_all(same)
        for peer in ready:
            field.run(peer.name, peer.command, peer.probe)
        worlds = {world(size): field.run_world(size) for size in settings.worlds}
        routes = [*spacetime_routes(names, ready, settings.tokens), *intuition_routes(names, worlds)]
        field.run_bare(routes)
        wanted = [route for route in routes if any(part in route.name for part in settings.routes or ("",))]
        measured = {route.name: _measured(field, route, settings) for route in wanted}
    return {"rates": measured, "missing": missing, "versions": {peer.name: peer.version for peer in ready}}
