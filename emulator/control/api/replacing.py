"""Notices that two programs replace one world: tests that run side by side then spoil each other's data."""

import logging

from emulator.http.request import Request
from emulator.journal.masking import readable

logger = logging.getLogger("emulator")

CLIENT = "X-Emulator-Client"
"""The header with which a client says who it is: `host/pid`."""
_LONGEST = 100
_OPERATIONS = frozenset({"control.reset", "control.load_scenario", "control.restore"})


def client_of(request: Request) -> str:
    """Who sent a control call, as it says; empty when it does not."""
    return readable(request.header(CLIENT.lower()) or "", _LONGEST)


class Replacing:
    """Of one world's control routes."""

    def __init__(self) -> None:
        self._first = ""
        self._told = False

    def done(self, operation: str, request: Request) -> None:
        """An operation has succeeded."""
        if operation not in _OPERATIONS or self._told or not (client := client_of(request)):
            return
        self._first = self._first or client
        if client != self._first:
            self._told = True
            logger.warning(
                "%s and %s reset the same world, at %s; if they run side by side, give each a world of its own: "
                "POST /_emulator/worlds",
                self._first,
                client,
                readable(request.header("host") or "", _LONGEST),
            )
