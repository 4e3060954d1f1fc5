"""Clients written in other languages: installed once, run as processes, told what to do in JSON, one object a line."""

import json
import shutil
import subprocess
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import pytest

from emulator import Emulator
from tests.limits import LIMIT
from tests.waiting import PATIENCE, eventually


def command(name: str) -> str:
    """Its path; without it there is nothing to test."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} here")
    return found


def fetched(*arguments: str, folder: Path) -> None:
    """What downloads packages; without the registry there is nothing to test."""
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(arguments[:3])}: {done.stderr.strip()[-200:]}")


def once_per_session(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills, or skips. The workers of pytest-xdist share it: one makes it, the others wait."""
    base = factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    folder, done = shared / name, shared / f"{name}.done"
    try:
        folder.mkdir()
    except FileExistsError:
        assert any(eventually(done.exists) for _ in range(int(LIMIT / PATIENCE))), f"nobody made {name}"
        if why_not := done.read_text(encoding="utf-8"):
            pytest.skip(why_not)
        return folder
    why_not = "another worker could not make it"
    try:
        make(folder)
        why_not = ""
    finally:
        partial = done.with_suffix(".partial")
        partial.write_text(why_not, encoding="utf-8")
        partial.replace(done)
    return folder


class Happened(NamedTuple):
    """What a client reported. `text` is that of an error; `identity` and `token` are those of `connected`."""

    event: str
    text: str = ""
    identity: str = ""
    token: str = ""


class Client:
    """One connection of a program."""

    def __init__(self, program: "Program", number: int) -> None:
        self._program = program
        self._number = number

    def tell(self, command: str, **facts: Any) -> None:
        self._program.write({"command": command, "client": self._number, **facts})

    def next(self) -> Happened:
        """What happens next; waits for it."""
        return self._program.next_of(self._number)


class Program:
    """A process that has clients."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            arguments,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        self._count = 0
        self._happened: defaultdict[int | None, SimpleQueue[Happened]] = defaultdict(SimpleQueue)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def connect(self, emulator: Emulator, database: str = "chat", **facts: Any) -> Client:
        """A new client; `token` is its token, if it has one."""
        self._count += 1
        client = Client(self, self._count)
        client.tell("connect", uri=emulator.url, database=database, **facts)
        return client

    def write(self, told: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()

    def next_of(self, number: int) -> Happened:
        try:
            return self._happened[number].get(timeout=PATIENCE)
        except Empty:
            uncaught = self._happened[None]
            detail = uncaught.get().text if not uncaught.empty() else "the program is silent"
            raise AssertionError(f"nothing happened to client {number}: {detail}") from None

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            told = json.loads(line)
            self._happened[told.pop("client")].put(Happened(**told))
