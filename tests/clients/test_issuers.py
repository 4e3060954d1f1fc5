"""npm's jose verifies the tokens of issuers that the emulator plays, by the documents that it serves."""

import json
import subprocess
from pathlib import Path

import pytest

from emulator import Emulator
from tests.clients.programs import command, fetched
from tests.limits import LIMIT

PROGRAM = """
import { createRemoteJWKSet, jwtVerify } from "jose";
const [token, issuer, discovery] = JSON.parse(process.argv[2]);
const { jwks_uri } = await (await fetch(discovery)).json();
const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwks_uri)), { audience: "app", issuer });
console.log(payload.sub);
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jose")
    (folder / "package.json").write_text('{"private": true}')
    (folder / "verify.mjs").write_text(PROGRAM)
    fetched(command("npm"), "install", "--no-audit", "--no-fund", "--prefer-offline", "jose@6", folder=folder)
    return folder


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_jose_verifies_a_played_issuers_token_by_its_key_set(emulator: Emulator, project: Path, algorithm: str) -> None:
    clerk = emulator.spacetime.issuer("https://clerk.example.com", algorithm=algorithm)
    token = clerk.issue_token(subject="alice", audience="app", expires_in=60)
    given = json.dumps([token, clerk.url, clerk.discovery_url])

    done = subprocess.run(
        [command("node"), "verify.mjs", given], cwd=project, capture_output=True, text=True, timeout=LIMIT, check=False
    )

    assert done.stdout.strip() == "alice", done.stderr
