"""Clients that `exec --tls` starts verify the emulator by its environment. No verification is ever switched off."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import execute
from tests.clients.programs import command

PROGRAMS = Path(__file__).parent / "tls"
TRUSTSTORE = "-Djavax.net.ssl.trustStore="

PYTHON = {
    "requests": "import os, requests; print(requests.get(os.environ['SPACETIMEDB_URI'] + '/v1/ping').status_code)",
    "httpx": "import os, httpx; print(httpx.get(os.environ['SPACETIMEDB_URI'] + '/v1/ping').status_code)",
    "urllib": "import os, urllib.request as r; print(r.urlopen(os.environ['SPACETIMEDB_URI'] + '/v1/ping').status)",
    "aiohttp": "import os, asyncio, aiohttp\n"
    "async def main():\n"
    "    async with aiohttp.request('GET', os.environ['SPACETIMEDB_URI'] + '/v1/ping') as answer:\n"
    "        print(answer.status)\n"
    "asyncio.run(main())",
}


def curl() -> list[str]:
    return ["sh", "-c", f"'{command('curl')}' -sS -o /dev/null -w '%{{http_code}}\n' $SPACETIMEDB_URI/v1/ping"]


def node() -> list[str]:
    return [command("node"), str(PROGRAMS / "ping.mjs")]


def go() -> list[str]:
    if sys.platform in {"win32", "darwin"}:
        pytest.skip("Go verifies with the system there, and reads no SSL_CERT_FILE")
    return [command("go"), "run", str(PROGRAMS / "ping.go")]


def java() -> list[str]:
    script = (
        f"'{command('java')}' {TRUSTSTORE}$IDENTITY_EMULATOR_TRUSTSTORE -Djavax.net.ssl.trustStorePassword=changeit"
    )
    return ["sh", "-c", f"{script} '{PROGRAMS / 'Ping.java'}'"]


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")
@pytest.mark.parametrize("client", [curl, node, go, java])
def test_a_client_verifies_it(client: Callable[[], list[str]]) -> None:
    done = execute("--tls", "--", *client())

    assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr


@pytest.mark.parametrize("library", PYTHON)
def test_a_library_of_python_verifies_it(library: str) -> None:
    done = execute("--tls", "--", sys.executable, "-c", PYTHON[library])

    assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")
def test_without_the_variables_a_client_refuses_it() -> None:
    unset = f"unset SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE; {curl()[2]}"

    done = execute("--tls", "--", "sh", "-c", unset)

    assert done.returncode == 60, done.stderr
