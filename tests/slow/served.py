"""A server in a process of its own, and what it costs that process."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

MEGABYTE = 1024 * 1024

_TELLS_OF_A_BUG = re.compile(
    r"Traceback|a bug in|never retrieved|Unhandled|^\S+ (WARNING|ERROR|CRITICAL)", re.MULTILINE
)


@dataclass(frozen=True)
class Served:
    url: str
    process: subprocess.Popen[str]
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def memory(self) -> float:
        """Megabytes of real memory."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE

    def peak_memory(self) -> float:
        """Megabytes of real memory when it had the most."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def bugs(self) -> list[str]:
        """Lines of the log that tell of one."""
        text = self.log.read_text(encoding="utf-8")
        return [text[max(0, found.start() - 200) : found.end() + 2000] for found in _TELLS_OF_A_BUG.finditer(text)][:3]


@contextmanager
def served(folder: Path, *options: str, descriptors: int | None = None) -> Iterator[Served]:
    """`identity-emulator serve`; its log goes to a file, since nothing reads a pipe here."""
    log = folder / "log"
    limited = [] if descriptors is None else ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh"]
    with log.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            [*limited, sys.executable, "-m", "emulator", "serve", "--port", "0", "--seed", "7", *options],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    with process:
        assert process.stdout
        try:
            yield Served(json.loads(process.stdout.readline())["url"], process, log)
        finally:
            process.kill()


class MemoryWatch:
    """Samples of a server's memory while the block lasts."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.samples: list[float] = [server.memory()]

    def _watch(self) -> None:
        while not self._over.wait(0.1) and self._server.process.poll() is None:
            self.samples.append(self._server.memory())

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def third(self, number: int) -> float:
        """The median of the first (0), middle (1) or last (2) third."""
        length = len(self.samples) // 3
        return median(self.samples[number * length : (number + 1) * length])


def percentile(seconds: list[float], share: float) -> float:
    """In milliseconds."""
    return sorted(seconds)[int(len(seconds) * share)] * 1000


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = monotonic()

    @property
    def seconds(self) -> float:
        return monotonic() - self._began
