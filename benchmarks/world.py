"""An emulator with a filled world: `python -m benchmarks.world PORT COUNT`, until stdin ends.

It takes commands on stdin, a line each, and answers each with a line of JSON: `fill COUNT` adds identities, `ids PATH`
writes their ids into a file, `reset` resets and tells the milliseconds that took.
"""

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from emulator import Emulator, running_in_thread

WALLETS = 100
"""Identities are spread over that many creators."""


def fill(emulator: Emulator, count: int, first: int = 0) -> list[str]:
    """Identities as a test's author would make them; their ids."""
    create = emulator.intuition.create_identity
    return [
        create(
            display_name=f"Identity {number}", creator=f"0x{number % WALLETS:040x}", description=f"It is {number}."
        ).id
        for number in range(first, first + count)
    ]


def main(port: int, count: int) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with running_in_thread(seed=7, port=port) as emulator:
        ids = fill(emulator, count)

        def more(argument: str) -> dict[str, float]:
            ids.extend(fill(emulator, int(argument)))
            return {"identities": len(ids)}

        def write(argument: str) -> dict[str, float]:
            Path(argument).write_text("\n".join(ids), encoding="utf-8")
            return {"identities": len(ids)}

        def reset(_: str) -> dict[str, float]:
            ids.clear()
            begin = time.perf_counter()
            emulator.reset()
            return {"ms": (time.perf_counter() - begin) * 1000}

        commands: dict[str, Callable[[str], dict[str, float]]] = {"fill": more, "ids": write, "reset": reset}
        for line in sys.stdin:
            name, _, argument = line.strip().partition(" ")
            print(json.dumps(commands[name](argument)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
