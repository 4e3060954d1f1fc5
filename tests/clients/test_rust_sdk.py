"""The Rust SDK of crates.io. Its 245 crates are built once, in minutes; `CARGO_TARGET_DIR` says where to keep them."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator import Emulator
from tests.clients.programs import Client, Happened, Program, command
from tests.waiting import eventually

PROJECT = Path(__file__).parent / "rust"
AN_HOUR = 3600.0
"""Seconds after which a build is given up."""


@pytest.fixture(scope="session")
def rust_sdk() -> Iterator[Program]:
    target = os.environ.get("CARGO_TARGET_DIR") or str(Path(tempfile.gettempdir()) / "identity-emulator-rust-client")
    # One crate at a time: the machine may have other work.
    environment = {"CARGO_BUILD_JOBS": "1", **os.environ, "CARGO_TARGET_DIR": target}
    cargo = command("cargo")
    fetched = subprocess.run([cargo, "fetch", "--locked"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip(f"cargo fetch: {fetched.stderr.strip()[-200:]}")
    build = [cargo, "build", "--locked", "--offline", "--quiet"]
    subprocess.run(build, cwd=PROJECT, env=environment, timeout=AN_HOUR, check=True)
    with Program(str(Path(target) / "debug" / "client"), folder=PROJECT) as program:
        yield program


@pytest.fixture(autouse=True)
def chat(emulator: Emulator) -> None:
    owner = emulator.spacetime.create_identity()
    emulator.spacetime.add_database(owner.identity, name="chat")


def subscribed(rust_sdk: Program, emulator: Emulator) -> Client:
    client = rust_sdk.connect(emulator)
    assert client.next().event == "connected"
    client.tell("subscribe", query="SELECT * FROM message")
    assert client.next() == Happened("applied")
    return client


def test_a_client_with_a_token_is_its_identity(emulator: Emulator, rust_sdk: Program) -> None:
    alice = emulator.spacetime.create_identity()

    made = rust_sdk.connect(emulator, token=alice.token).next()

    assert made == Happened("connected", "", alice.identity, alice.token)
    [connection] = emulator.spacetime.connections
    assert connection.protocol == "v2.bsatn.spacetimedb"


def test_a_client_without_a_token_connects_again_with_the_one_it_got(emulator: Emulator, rust_sdk: Program) -> None:
    made = rust_sdk.connect(emulator).next()

    assert rust_sdk.connect(emulator, token=made.token).next() == made


def test_a_compressed_first_message_of_many_fragments_arrives(emulator: Emulator, rust_sdk: Program) -> None:
    token = emulator.spacetime.issue_token(subject="alice", roles=[f"role {number}" for number in range(1000)])

    assert rust_sdk.connect(emulator, token=token).next().token == token


def test_a_subscription_is_applied_and_the_server_closes(emulator: Emulator, rust_sdk: Program) -> None:
    client = subscribed(rust_sdk, emulator)

    emulator.spacetime.connections[0].close(1001, "module exited")

    assert client.next().event == "disconnected"


def test_a_cut_disconnects(emulator: Emulator, rust_sdk: Program) -> None:
    emulator.faults.add("GET /v1/database/*/subscribe", websocket={"cut": True, "after_messages": 1})
    client = subscribed(rust_sdk, emulator)

    assert client.next().event == "disconnected"


def test_an_expired_token_is_a_connect_error(emulator: Emulator, rust_sdk: Program) -> None:
    token = emulator.spacetime.issue_token(subject="alice", expires_in=-72)

    refused = rust_sdk.connect(emulator, token=token).next()

    assert refused.event == "connect error"
    assert "401" in refused.text


def test_a_reducer_that_no_test_has_stubbed_is_unknown(emulator: Emulator, rust_sdk: Program) -> None:
    client = subscribed(rust_sdk, emulator)

    client.tell("call", argument="hello")

    assert client.next() == Happened("call failed", "no such reducer")


def test_a_stubbed_reducer_succeeds(emulator: Emulator, rust_sdk: Program) -> None:
    emulator.stub_reducer("chat", "send")
    client = subscribed(rust_sdk, emulator)

    client.tell("call", argument="hello")

    assert client.next() == Happened("called")


def test_a_client_that_disconnects_is_no_open_connection(emulator: Emulator, rust_sdk: Program) -> None:
    client = subscribed(rust_sdk, emulator)

    client.tell("disconnect")

    assert client.next() == Happened("disconnected")
    assert eventually(lambda: not emulator.spacetime.connections)
