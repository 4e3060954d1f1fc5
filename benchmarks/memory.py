"""What each identity costs in memory, each kind weighed in a process of its own."""

import subprocess
from typing import Any

from benchmarks.servers import ROOT, python
from benchmarks.settings import Settings
from benchmarks.weigh import KINDS


def memory(settings: Settings) -> dict[str, Any]:
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(settings.runs):
        for kind, weights in found.items():
            count = settings.posted if kind.startswith("bare") else settings.weighed
            weights.append(_weighed(kind, count))
    return {"memory": found}


def _weighed(kind: str, count: int) -> float:
    command = python("benchmarks.weigh", kind, str(count))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)
