"""The sessions of all protocols."""

from collections.abc import Mapping

from emulator.services.spacetimedb.websocket.session import Session
from emulator.services.spacetimedb.websocket.v1 import V1, V1Json
from emulator.services.spacetimedb.websocket.v2 import V2, V3

PROTOCOLS: Mapping[str, type[Session]] = {each.subprotocol: each for each in (V3, V2, V1, V1Json)}
"""By the names that are negotiated."""
