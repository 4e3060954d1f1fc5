"""Open WebSockets of the other process."""

from collections.abc import Mapping
from datetime import datetime

from emulator.control.connections import Connection
from emulator.control.judged import judged
from emulator.control.remote.client import Control
from emulator.core.arguments import checked
from emulator.core.clock import parse_rfc3339
from emulator.core.close_frame import NORMAL
from emulator.world.connections import check_close


class RemoteConnection(Connection):
    def __init__(self, control: Control, found: Mapping[str, str]) -> None:
        self._control = control
        self._found = found

    def __repr__(self) -> str:
        return f"<Connection {self.id} {self.protocol}>"

    @property
    def id(self) -> str:
        return self._found["id"]

    @property
    def identity(self) -> str:
        return self._found["identity"]

    @property
    def database(self) -> str:
        return self._found["database"]

    @property
    def protocol(self) -> str:
        return self._found["protocol"]

    @property
    def since(self) -> datetime:
        return parse_rfc3339(self._found["since"])

    @property
    def actor(self) -> str:
        return self._found["actor"]

    @checked("connection.close", reason="enough")
    def close(self, code: int = NORMAL, reason: str = "") -> None:
        with judged("connection.close"):
            check_close(code, reason)
        if any(each["id"] == self.id for each in self._control("GET", "/connections")["connections"]):
            self._control("DELETE", "/connections", {"id": self.id, "code": code, "reason": reason})
