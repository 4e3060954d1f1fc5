"""Sessions for tests, without a socket."""

from collections.abc import Callable
from typing import Any

from emulator.http.upgrade import Output, Send
from emulator.services.spacetimedb.releases import PROFILES
from emulator.services.spacetimedb.websocket.protocols import PROTOCOLS
from emulator.services.spacetimedb.websocket.session import Client, Session, World
from tests.conftest import data

VECTORS = data("websocket_frames.json")
IDENTITY, CONNECTION_ID, TOKEN = VECTORS["identity"], VECTORS["connection_id"], VECTORS["token"]
DATABASE = "c200" + "d0" * 30

CLIENT = f"(Identity({IDENTITY}), ConnectionId({CONNECTION_ID}))"
"""As errors name it."""


def new_session(
    protocol: str,
    profile: str = "v2.8",
    *,
    token: str = TOKEN,
    compression: str = "Brotli",
    identity: str = IDENTITY,
    connection_id: str = CONNECTION_ID,
    micros: Callable[[], int] = lambda: 0,
    is_stubbed: Callable[[str], bool] = lambda _: False,
) -> Session:
    client = Client(identity, token, connection_id, DATABASE, compression)
    return PROTOCOLS[f"{protocol}.spacetimedb"](client, World(micros, is_stubbed), PROFILES[profile])


def message_of(outputs: Any) -> str | bytes:
    """The one message that is sent."""
    (sent,) = outputs
    assert isinstance(sent, Send), sent
    return sent.data


def messages_of(outputs: list[Output]) -> list[str | bytes]:
    return [each.data for each in outputs if isinstance(each, Send)]
