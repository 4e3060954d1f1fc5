"""HTTP clients and JWT libraries of other languages, in programs that are built once and do one task at a time."""

import json
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from tests.clients.programs import command, fetched
from tests.limits import LIMIT
from tests.waiting import PATIENCE

PROBES = Path(__file__).parent / "probes"
AN_HOUR = 3600.0
"""Seconds after which a build is given up."""


class Probe:
    """A process that reads a task, and writes what came of it, one JSON object a line."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            arguments, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def __call__(self, **task: Any) -> str:
        """What a user sees: a status, `good`, or the error between backticks."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        outcome = json.loads(self._process.stdout.readline())
        return outcome["seen"] if "seen" in outcome else f"`{outcome['error']}`"

    def close(self) -> None:
        self._process.communicate(timeout=PATIENCE)


def built(language: str, folder: Path) -> Probe:
    """The program of this language, built in this folder. Skips where what it needs is not there."""
    shutil.copytree(PROBES / language, folder, dirs_exist_ok=True, copy_function=shutil.copy)
    return Probe(*BUILDS[language](folder), folder=folder)


def _node(folder: Path) -> tuple[str, ...]:
    node = command("node")
    fetched(command("npm"), "install", "--no-audit", "--no-fund", "--prefer-offline", folder=folder)
    return node, "probe.mjs"


def _go(folder: Path) -> tuple[str, ...]:
    fetched(command("go"), "mod", "download", folder=folder)
    _run(command("go"), "build", "-o", "probe", ".", folder=folder)
    return (str(folder / "probe"),)


def _java(folder: Path) -> tuple[str, ...]:
    java = command("java")
    fetched(command("mvn"), "-q", "-B", "dependency:copy-dependencies", folder=folder)
    _run(command("mvn"), "-q", "-B", "compile", folder=folder)
    return java, "-cp", os.pathsep.join(["target/classes", "target/dependency/*"]), "probe.Probe"


def _rust(folder: Path) -> tuple[str, ...]:
    default = Path(tempfile.gettempdir()) / "identity-emulator-examples" / "cargo"
    target = os.environ.get("CARGO_TARGET_DIR") or str(default)
    fetched(command("cargo"), "fetch", "--locked", folder=folder)
    # One crate at a time: the machine may have other work.
    environment = {"CARGO_BUILD_JOBS": "1", "CARGO_TARGET_DIR": target}
    _run(command("cargo"), "build", "--locked", "--offline", "--quiet", folder=folder, environment=environment)
    return (str(Path(target) / "debug" / "probe"),)


BUILDS: Mapping[str, Callable[[Path], tuple[str, ...]]] = {"node": _node, "go": _go, "java": _java, "rust": _rust}


def _run(*arguments: str, folder: Path, environment: Mapping[str, str] | None = None) -> None:
    subprocess.run(arguments, cwd=folder, env={**os.environ, **(environment or {})}, timeout=AN_HOUR, check=True)


# --- HTTP clients -----------------------------------------------------------------------------------------------------


class Probed(NamedTuple):
    """An HTTP client or a JWT library: its name on the page, its language, and the name by which its probe knows it."""

    title: str
    language: str
    by: str


CLIENTS = (
    Probed("curl", "", "curl"),
    Probed("Go net/http", "go", "net/http"),
    Probed("JDK HttpClient", "java", "HttpClient"),
    Probed("Node fetch", "node", "fetch"),
    Probed("reqwest", "rust", "reqwest"),
)


def sender(client: Probed, probes: Mapping[str, Probe]) -> Callable[..., str]:
    """Called with `method`, `url`, `before` (a URL that is fetched first, on the same connection), and `seconds`."""
    return partial(probes[client.language], by=client.by) if client.language else curl


def curl(method: str, url: str, before: str, seconds: float) -> str:
    """`curl` sends both requests when it has been told of both; its status says how the last one went."""
    first = ["--output", os.devnull, before, "--next"] if before else []
    told = ["-sS", "--noproxy", "*", "--max-time", str(seconds), "--output", os.devnull]
    arguments = [command("curl"), "-sS", "--noproxy", "*", *first, *told, "-X", method, "-w", "%{http_code}", url]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=LIMIT, check=False)
    return f"`exit status {done.returncode}`" if done.returncode else done.stdout


# --- JWT libraries ----------------------------------------------------------------------------------------------------


def _pyjwt(token: str, pem: str) -> None:
    import jwt

    jwt.decode(token, pem, algorithms=["ES256"], audience="spacetimedb", issuer="localhost")


def _joserfc(token: str, pem: str) -> None:
    from joserfc import jwt
    from joserfc.jwk import ECKey

    claims = jwt.decode(token, ECKey.import_key(pem), algorithms=["ES256"]).claims
    expected = {"aud": {"essential": True, "value": "spacetimedb"}, "iss": {"essential": True, "value": "localhost"}}
    jwt.JWTClaimsRegistry(**expected).validate(claims)  # type: ignore[arg-type]


def _authlib(token: str, pem: str) -> None:
    with warnings.catch_warnings(record=True):  # they advise joserfc
        authlib_jose: Any = import_module("authlib.jose")

        expected = {
            "aud": {"essential": True, "value": "spacetimedb"},
            "iss": {"essential": True, "value": "localhost"},
        }
        authlib_jose.JsonWebToken(["ES256"]).decode(token, pem, claims_options=expected).validate()


PYTHON: Mapping[str, Callable[[str, str], None]] = {"PyJWT": _pyjwt, "joserfc": _joserfc, "Authlib": _authlib}


LIBRARIES = (
    *(Probed(name, "", name) for name in PYTHON),
    Probed("jose (npm)", "node", "jose"),
    Probed("jsonwebtoken (npm)", "node", "jsonwebtoken"),
    Probed("golang-jwt", "go", "golang-jwt"),
    Probed("nimbus-jose-jwt", "java", "nimbus"),
    Probed("jsonwebtoken (Rust)", "rust", "jsonwebtoken"),
    Probed("the same, `exp` not required", "rust", "jsonwebtoken without exp"),
)


def verifier(library: Probed, probes: Mapping[str, Probe]) -> Callable[[str, str], str]:
    """From token and PEM of the public key to what the library says."""
    if library.language:
        return lambda token, pem: probes[library.language](by=library.by, token=token, pem=pem)
    return partial(_in_python, PYTHON[library.by])


def _in_python(verify: Callable[[str, str], None], token: str, pem: str) -> str:
    try:
        verify(token, pem)
    except Exception as error:  # noqa: BLE001 - what they raise is the question
        return f"`{type(error).__name__}: {error}`"
    return "good"
