"""From the start of a process to its first answer."""

import sys
from typing import Any

from benchmarks import peers
from benchmarks.load import request
from benchmarks.servers import BARE, HERE, OURS, emulator, running
from benchmarks.settings import Settings

_CREATE = request("POST", "/v1/identity")


def starts(settings: Settings) -> dict[str, Any]:
    ready, missing = ([], {}) if settings.variants else peers.prepare_all()
    commands = {
        **{name: (command, _CREATE) for name, command in {OURS: emulator(), **settings.variants}.items()},
        BARE: ([sys.executable, str(HERE / "hello.py"), "{port}"], _CREATE),
        **{peer.name: (peer.command, peer.probe) for peer in ready},
    }
    took: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(settings.runs + 1):
        for name, (command, probe) in commands.items():
            with running(name, command, probe) as server:
                took[name].append(server.took)
    # The first round filled the caches of the disk and of compiled modules.
    found = {name: each[1:] for name, each in took.items()}
    return {"starts": found, "missing": missing, "versions": {peer.name: peer.version for peer in ready}}
