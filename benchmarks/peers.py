"""The peers, each in an environment of its own under `benchmarks/.peers`, and how each is asked for a public key.

None of them knows the emulated routes, so each gives the answer most like the emulator's public key: moto and
oidc-provider-mock their own key set (JSON of about 450 bytes), pytest-httpserver and WireMock the emulator's bytes.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.load import request
from benchmarks.servers import HERE, OURS, PUBLIC_KEY, Answered, emulator, running

_CACHE = HERE / ".peers"


class Missing(Exception):
    """A peer is not available here; the text says why."""


class Peer(NamedTuple):
    """In a command for the shell, `{folder}` is the peer's own, and `{stub}` the file with the emulator's answer."""

    name: str
    package: str
    install: Callable[[Path, str], str]
    command: str
    target: str = PUBLIC_KEY


class Ready(NamedTuple):
    """A peer that can be started. `version` names its package too, which several may share."""

    name: str
    version: str
    command: list[str]
    probe: bytes


def _run(*command: str | Path) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise Missing(f"there is no `{command[0]}`") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or error.stdout.strip() or "no message").splitlines()[-1]
        raise Missing(f"`{Path(command[0]).name} {command[1]}` failed: {last[:200]}") from None
    return done.stdout


def by_pip(folder: Path, package: str) -> str:
    """Install a Python package once; its version."""
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        _run(sys.executable, "-m", "venv", folder)
        _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package)
        (folder / "installed").touch()
    return _run(python, "-c", f"import importlib.metadata as m; print(m.version({folder.name!r}))").strip()


def by_npm(folder: Path, package: str) -> str:
    """Install a Node package that carries a jar once; its version. Java has to be there already."""
    _run("java", "-version")
    if not (folder / "installed").exists():
        (folder / "package.json").write_text("{}")
        _run("npm", "install", "--prefix", folder, package)
        (folder / "installed").touch()
    manifest = folder / "node_modules" / package / "package.json"
    return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])


_MOTO = "{folder}/bin/moto_server -p {port}"
_HTTPSERVER = f"{{folder}}/bin/python {HERE}/peer_httpserver.py {{port}} {{stub}}"
_OIDC = "{folder}/bin/oidc-provider-mock -p {port}"
_WIREMOCK = "java -jar {folder}/node_modules/wiremock/build/*.jar --port {port} --root-dir {folder}"

PEERS = (
    Peer("moto", "moto[server]", by_pip, _MOTO, "/us-east-1_pool/.well-known/jwks.json"),
    Peer("pytest-httpserver", "pytest-httpserver", by_pip, _HTTPSERVER),
    Peer("oidc-provider-mock", "oidc-provider-mock", by_pip, _OIDC, "/jwks"),
    # Judged where it keeps as many requests as the emulator does; as shipped it keeps all of them.
    Peer("WireMock", "wiremock", by_npm, f"{_WIREMOCK} --max-request-journal-entries 10000"),
    Peer("WireMock as shipped", "wiremock", by_npm, _WIREMOCK),
)


def _prepare(peer: Peer, same: Answered) -> Ready:
    """Install it if need be. Raises Missing."""
    name = peer.package.partition("[")[0]
    folder, stub = _CACHE / name, _CACHE / name / "mappings" / "public-key.json"
    stub.parent.mkdir(parents=True, exist_ok=True)
    # As WireMock reads it.
    stub.write_text(json.dumps({"request": {"method": "GET", "urlPath": PUBLIC_KEY}, "response": same._asdict()}))
    version = f"{name} {peer.install(folder, peer.package)}"
    command = peer.command.replace("{folder}", str(folder)).replace("{stub}", str(stub))
    return Ready(peer.name, version, ["sh", "-c", f"exec {command}"], request("GET", peer.target))


def prepare_all() -> tuple[list[Ready], dict[str, str]]:
    """The peers that are available, and why the others are not."""
    probe = request("GET", PUBLIC_KEY)
    with running(OURS, emulator(), probe) as server:
        same = server.ask(probe)
    ready, missing = [], {}
    for peer in PEERS:
        try:
            ready.append(_prepare(peer, same))
        except Missing as why:
            missing[peer.name] = str(why)
    return ready, missing
