"""From the start of a process to its first answer, and from SIGTERM to its end."""

import sys
from typing import Any

from benchmarks import peers
from benchmarks.load import request
from benchmarks.rates import BARE, OURS
from benchmarks.servers import HERE, emulator, running, start
from benchmarks.settings import Settings

_CREATE = request("POST", "/v1/identity")


def starts(settings: Settings) -> dict[str, Any]:
    with running(OURS, emulator(), _CREATE) as server:
        same = server.ask(request("GET", peers.PUBLIC_KEY))
    ready, missing = peers.prepare_all(same)
    commands = {
        OURS: (emulator(), _CREATE),
        **{name: (command, _CREATE) for name, command in settings.variants.items()},
        BARE: ([sys.executable, str(HERE / "hello.py"), "{port}"], _CREATE),
        **{peer.name: (peer.command, peer.probe) for peer in ready},
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(settings.runs + 1):
        for name, (command, probe) in commands.items():
            server, took = start(name, command, probe)
            found[name].append({"start": took, "stop": server.stop()})
    # The first round filled the caches of the disk and of compiled modules.
    return {"starts": {name: each[1:] for name, each in found.items()}, "missing": missing}
