"""The TypeScript SDK, from npm, with the bindings of a module of one table and one reducer."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from emulator import Emulator
from emulator.services.spacetimedb.model import identity_of
from tests.clients.conftest import Sdk
from tests.clients.programs import Client, Happened, Program, command, fetched
from tests.limits import LIMIT
from tests.waiting import PATIENCE, eventually

SUBSCRIBE = "GET /v1/database/*/subscribe"
EXCHANGE = "POST /v1/identity/websocket-token"
ROOT = Path(__file__).parents[2]
MESSAGES = ["SELECT * FROM message"]
REFUSED = Happened("connect error", "Failed to verify token: Unauthorized")
PROTOCOLS = {"1.12.0": "v1.bsatn", "2.0.0": "v2.bsatn", "2.8.3": "v3.bsatn", "2.10.1": "v3.bsatn"}

pytestmark = pytest.mark.usefixtures("chat")


def connected(sdk: Program, emulator: Emulator, token: str | None = None) -> Client:
    """A client that has connected."""
    client = sdk.connect(emulator, token=token)
    assert client.next().event == "connected"
    return client


def subscribed(sdk: Program, emulator: Emulator) -> Client:
    client = connected(sdk, emulator)
    client.tell("subscribe", query=MESSAGES)
    assert client.next().event == "applied"
    return client


def test_without_a_token_the_client_gets_a_new_identity(emulator: Emulator, sdk: Program) -> None:
    made = sdk.connect(emulator).next()

    verified = requests.get(
        f"{emulator.url}/v1/identity/{made.identity}/verify",
        headers={"Authorization": f"Bearer {made.token}"},
        timeout=PATIENCE,
    )
    assert (made.event, verified.status_code) == ("connected", 204)


def test_a_token_is_exchanged_and_its_identity_connects(emulator: Emulator, sdk: Program) -> None:
    alice = emulator.spacetime.create_identity()

    assert sdk.connect(emulator, token=alice.token).next() == Happened("connected", "", alice.identity, alice.token)
    emulator.journal.assert_order(EXCHANGE, SUBSCRIBE)


def test_every_version_gets_the_protocol_it_prefers(emulator: Emulator, sdk: Program, used: Sdk) -> None:
    connected(sdk, emulator)

    [connection] = emulator.spacetime.connections
    assert connection.protocol == f"{PROTOCOLS[used.version]}.spacetimedb"


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_first_message_of_many_fragments_arrives(emulator: Emulator, sdk: Program, compression: str) -> None:
    token = emulator.spacetime.issue_token(subject="alice", roles=[f"role {number}" for number in range(1000)])

    assert sdk.connect(emulator, token=token, compression=compression).next().token == token


def test_an_expired_token_is_a_connect_error(emulator: Emulator, sdk: Program) -> None:
    token = emulator.spacetime.issue_token(subject="alice", expires_in=-72)

    assert sdk.connect(emulator, token=token).next() == REFUSED
    assert emulator.journal.exchanges[-1].why.startswith("expiry: expired")


def test_a_token_of_a_played_clerk_connects(emulator: Emulator, sdk: Program) -> None:
    clerk = emulator.spacetime.issuer("https://clerk.example.com", algorithm="RS256")
    token = clerk.issue_token(subject="user_alice", audience="app", expires_in=60)

    happened = sdk.connect(emulator, token=token).next()

    assert happened == Happened("connected", "", identity_of(clerk.url, "user_alice"), token)


def test_a_token_of_a_clerk_that_is_down_is_a_connect_error(emulator: Emulator, sdk: Program) -> None:
    clerk = emulator.spacetime.issuer("https://clerk.example.com", algorithm="RS256")
    clerk.down()

    assert sdk.connect(emulator, token=clerk.issue_token(subject="user_alice")).next() == REFUSED


def test_a_token_of_a_rotated_key_is_a_connect_error(emulator: Emulator, sdk: Program) -> None:
    token = emulator.spacetime.issue_token(subject="alice")
    emulator.spacetime.rotate_key()

    assert sdk.connect(emulator, token=token).next() == REFUSED


def test_an_unknown_database_is_a_connect_error(emulator: Emulator, sdk: Program) -> None:
    assert sdk.connect(emulator, database="chats").next().event == "connect error"
    emulator.journal.assert_requested("GET", "/v1/database/chats/subscribe", status=404, times=1)


def test_a_client_of_2_x_finds_no_protocol_of_a_server_of_1_x(emulator: Emulator, sdk: Program, used: Sdk) -> None:
    emulator.reset(spacetime_profile="v1")
    owner = emulator.spacetime.create_identity()
    emulator.spacetime.add_database(owner.identity, name="chat")

    assert sdk.connect(emulator).next().event == ("connected" if used.version == "1.12.0" else "connect error")


def test_a_subscription_is_applied(emulator: Emulator, sdk: Program) -> None:
    client = connected(sdk, emulator)

    client.tell("subscribe", query=MESSAGES)

    assert client.next() == Happened("applied")


def test_two_subscriptions_at_once_are_applied(emulator: Emulator, sdk: Program) -> None:
    client = connected(sdk, emulator)

    client.tell("subscribe", query=MESSAGES, times=2)

    assert [client.next().event for _ in range(2)] == ["applied", "applied"]


def test_a_subscription_ends(emulator: Emulator, sdk: Program) -> None:
    client = subscribed(sdk, emulator)

    client.tell("unsubscribe")

    assert client.next() == Happened("unsubscribed")


def test_a_reducer_that_no_test_has_stubbed_is_unknown(emulator: Emulator, sdk: Program, used: Sdk) -> None:
    if used.version == "1.12.0":
        pytest.skip("this version reports no failed call whose arguments the server does not send back")
    client = connected(sdk, emulator)

    client.tell("call", argument="hello")

    assert client.next() == Happened("call failed", "no such reducer")


def test_a_stubbed_reducer_succeeds(emulator: Emulator, sdk: Program) -> None:
    emulator.stub_reducer("chat", "send")
    client = connected(sdk, emulator)

    client.tell("call", argument="hello")

    assert client.next() == Happened("called")


def test_a_close_of_the_server_disconnects(emulator: Emulator, sdk: Program) -> None:
    client = subscribed(sdk, emulator)

    [connection] = emulator.spacetime.connections
    connection.close(4000, "enough")

    assert client.next().event == "disconnected"


def test_a_reset_disconnects(emulator: Emulator, sdk: Program) -> None:
    client = connected(sdk, emulator)

    emulator.reset()

    assert client.next().event == "disconnected"


def test_a_client_that_connects_again_has_the_same_identity(emulator: Emulator, sdk: Program) -> None:
    first = sdk.connect(emulator)
    made = first.next()
    emulator.spacetime.connections[0].close(1001)
    assert first.next().event == "disconnected"

    again = sdk.connect(emulator, token=made.token)

    assert again.next() == made


def test_a_client_that_disconnects_is_no_open_connection(emulator: Emulator, sdk: Program) -> None:
    client = connected(sdk, emulator)

    client.tell("disconnect")

    assert client.next().event == "disconnected"
    assert eventually(lambda: not emulator.spacetime.connections)


# --- faults, as docs/faults.md has them -----------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "phrase"), [(401, "Unauthorized"), (503, "Service Unavailable")])
def test_a_status_of_the_exchange_is_a_connect_error(
    emulator: Emulator, sdk: Program, status: int, phrase: str
) -> None:
    token = emulator.spacetime.issue_token(subject="alice")
    emulator.faults.add(EXCHANGE, status=status)

    assert sdk.connect(emulator, token=token).next() == Happened("connect error", f"Failed to verify token: {phrase}")


@pytest.mark.parametrize("status", [401, 503])
def test_a_status_of_the_handshake_is_a_connect_error(emulator: Emulator, sdk: Program, status: int) -> None:
    emulator.faults.add(SUBSCRIBE, status=status)

    assert sdk.connect(emulator).next().event == "connect error"
    emulator.faults.assert_done()


@pytest.mark.parametrize("code", [1001, 1002, 1003, 1008, 4000])
def test_every_code_disconnects(emulator: Emulator, sdk: Program, code: int) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"close": code, "after_messages": 1})
    client = connected(sdk, emulator)

    client.tell("subscribe", query=MESSAGES)

    assert client.next().event == "applied"
    assert client.next().event == "disconnected"


def test_a_cut_before_the_first_message_is_a_connect_error_in_newer_websockets(
    emulator: Emulator, sdk: Program, used: Sdk
) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"cut": True, "first_message": False})

    first = sdk.connect(emulator).next()

    assert first.event == ("disconnected" if used.websockets == "undici-6" else "connect error")


def test_a_cut_of_a_standing_connection_has_an_error_since_2_10(emulator: Emulator, sdk: Program, used: Sdk) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"cut": True, "after_messages": 1})
    client = subscribed(sdk, emulator)

    if used.websockets == "undici-6":
        assert client.next() == Happened("disconnected")
    elif used.version == "2.10.1":
        assert client.next() == Happened("disconnected", "WebSocket error")
    else:
        assert [client.next().event for _ in range(2)] == ["connect error", "disconnected"]


def test_an_error_of_the_server_ends_subscriptions_or_since_2_8_the_connection(
    emulator: Emulator, sdk: Program, used: Sdk
) -> None:
    emulator.faults.add(SUBSCRIBE, websocket={"error": "out of memory", "after_messages": 1})
    client = subscribed(sdk, emulator)

    is_new = used.version in {"2.8.3", "2.10.1"}
    assert client.next() == (Happened("disconnected") if is_new else Happened("subscription error", "out of memory"))


def test_another_identity_is_reported_as_any_other(emulator: Emulator, sdk: Program) -> None:
    alice = emulator.spacetime.create_identity()
    emulator.faults.add(SUBSCRIBE, nth=2, websocket={"identity": True})
    assert sdk.connect(emulator, token=alice.token).next().identity == alice.identity

    again = sdk.connect(emulator, token=alice.token).next()

    assert again.event == "connected"
    assert again.identity != alice.identity


# --- the example -----------------------------------------------------------------------------------------------------


def test_the_example_passes(tmp_path: Path) -> None:
    node = command("node")
    folder = shutil.copytree(ROOT / "examples" / "typescript-sdk", tmp_path / "example")
    fetched(command("npm"), "install", "--no-audit", "--no-fund", "--prefer-offline", folder=folder)

    done = subprocess.run(
        [node, "--test-reporter=tap", "chat.test.mjs"],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )

    assert "# fail 0" in done.stdout, done.stdout
