"""A Python client as in public projects: the token in a header, no query, `v1.json.spacetimedb`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from emulator import Emulator
from tests.waiting import PATIENCE, eventually


@pytest.fixture(autouse=True)
def chat(emulator: Emulator) -> None:
    owner = emulator.spacetime.create_identity()
    emulator.spacetime.add_database(owner.identity, name="chat")


@contextmanager
def connected(emulator: Emulator, token: str | None = None) -> Iterator[ClientConnection]:
    url = emulator.url.replace("http", "ws") + "/v1/database/chat/subscribe"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    protocols = [Subprotocol("v1.json.spacetimedb")]
    with connect(url, additional_headers=headers, subprotocols=protocols, open_timeout=PATIENCE) as socket:
        yield socket


def received(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=PATIENCE))


def test_the_first_message_has_identity_and_token(emulator: Emulator) -> None:
    alice = emulator.spacetime.create_identity()

    with connected(emulator, alice.token) as socket:
        first = received(socket)["IdentityToken"]

    assert first["identity"] == {"__identity__": f"0x{alice.identity}"}
    assert first["token"] == alice.token


def test_without_a_token_the_client_gets_one_that_is_good(emulator: Emulator) -> None:
    with connected(emulator) as socket:
        first = received(socket)["IdentityToken"]

    with connected(emulator, first["token"]) as socket:
        assert received(socket)["IdentityToken"]["identity"] == first["identity"]


def test_a_subscription_is_applied(emulator: Emulator) -> None:
    with connected(emulator) as socket:
        received(socket)
        socket.send(json.dumps({"Subscribe": {"query_strings": ["SELECT * FROM message"], "request_id": 7}}))

        applied = received(socket)["InitialSubscription"]

    assert (applied["request_id"], applied["database_update"]) == (7, {"tables": []})


def test_an_expired_token_is_refused_in_the_handshake(emulator: Emulator) -> None:
    token = emulator.spacetime.issue_token(subject="alice", expires_in=-72)

    with pytest.raises(InvalidStatus) as refused, connected(emulator, token):
        pass

    assert (refused.value.response.status_code, refused.value.response.body) == (
        401,
        b"Invalid token: ExpiredSignature",
    )


def test_a_close_of_the_server_has_its_code_and_reason(emulator: Emulator) -> None:
    with connected(emulator) as socket:
        received(socket)
        emulator.spacetime.connections[0].close(4000, "enough")

        with pytest.raises(ConnectionClosed) as closed:
            received(socket)

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000, "enough")


def test_a_close_of_the_client_ends_the_connection(emulator: Emulator) -> None:
    with connected(emulator) as socket:
        received(socket)

    assert socket.protocol.close_code == 1000
    assert eventually(lambda: not emulator.spacetime.connections)
