"""Libraries of other languages take the default profile's tokens: given key, algorithm and audience, nothing off."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from emulator import Emulator
from tests.limits import LIMIT

JOSE = """
import { importSPKI, jwtVerify } from "jose";
const [token, pem] = JSON.parse(process.argv[2]);
const { payload } = await jwtVerify(token, await importSPKI(pem, "ES256"), {
  algorithms: ["ES256"], audience: "spacetimedb", issuer: "localhost", clockTolerance: 1,
});
console.log(payload.hex_identity);
"""

JSONWEBTOKEN = """
import jsonwebtoken from "jsonwebtoken";
const [token, pem] = JSON.parse(process.argv[2]);
const payload = jsonwebtoken.verify(token, pem, {
  algorithms: ["ES256"], audience: "spacetimedb", issuer: "localhost", clockTolerance: 1,
});
console.log(payload.hex_identity);
"""

GOLANG_JWT = """
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func main() {
	var given []string
	if err := json.Unmarshal([]byte(os.Args[1]), &given); err != nil {
		panic(err)
	}
	key, err := jwt.ParseECPublicKeyFromPEM([]byte(given[1]))
	if err != nil {
		panic(err)
	}
	token, err := jwt.Parse(given[0], func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithAudience("spacetimedb"), jwt.WithIssuer("localhost"),
		jwt.WithIssuedAt(), jwt.WithLeeway(time.Second))
	if err != nil {
		panic(err)
	}
	fmt.Println(token.Claims.(jwt.MapClaims)["hex_identity"])
}
"""


def command(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} here")
    return found


def fetched(*arguments: str, folder: Path) -> None:
    """What downloads packages: without the registry there is nothing to test."""
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(arguments[:3])}: {done.stderr.strip()[-200:]}")


@pytest.fixture(scope="module")
def node_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("node")
    command("node")
    (folder / "package.json").write_text('{"private": true}')
    fetched(command("npm"), "install", "--no-audit", "--no-fund", "jose@6", "jsonwebtoken@9", folder=folder)
    return folder


@pytest.fixture(scope="module")
def go_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("go")
    (folder / "go.mod").write_text("module verify\n\ngo 1.21\n\nrequire github.com/golang-jwt/jwt/v5 v5.3.0\n")
    (folder / "main.go").write_text(GOLANG_JWT)
    fetched(command("go"), "mod", "tidy", folder=folder)
    subprocess.run([command("go"), "build", "-o", "verify", "."], cwd=folder, timeout=300, check=True)
    return folder / "verify"


def new_identity(emulator: Emulator) -> tuple[str, str]:
    """The identity; its token and the public key as a program's argument."""
    made = requests.post(f"{emulator.url}/v1/identity", timeout=LIMIT).json()
    pem = requests.get(f"{emulator.url}/v1/identity/public-key", timeout=LIMIT).text
    return made["identity"], json.dumps([made["token"], pem])


def printed(*arguments: str, folder: Path) -> str:
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("program", [pytest.param(JOSE, id="jose"), pytest.param(JSONWEBTOKEN, id="jsonwebtoken")])
def test_libraries_of_node_take_the_token_of_a_new_identity(
    emulator: Emulator, node_project: Path, program: str
) -> None:
    identity, given = new_identity(emulator)
    (node_project / "verify.mjs").write_text(program)

    assert printed(command("node"), "verify.mjs", given, folder=node_project) == identity


def test_golang_jwt_takes_the_token_of_a_new_identity(emulator: Emulator, go_program: Path) -> None:
    identity, given = new_identity(emulator)

    assert printed(str(go_program), given, folder=go_program.parent) == identity
