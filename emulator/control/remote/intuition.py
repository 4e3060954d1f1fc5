"""Intuition of the other process."""

import msgspec

from emulator.control.intuition import Intuition
from emulator.control.remote.client import Control, seconds
from emulator.core.arguments import all_checked
from emulator.core.clock import Seconds
from emulator.services.intuition.model import Identity


@all_checked("intuition.", identity="jp")
class RemoteIntuition(Intuition):
    def __init__(self, control: Control) -> None:
        self._control = control

    def issue_api_key(self, wallet: str) -> str:
        key: str = self._control("POST", "/intuition/api-keys", {"wallet": wallet})["key"]
        return key

    def revoke_api_key(self, key: str) -> None:
        self._control("DELETE", "/intuition/api-keys", {"key": key})

    def lifecycle(self, *, pending: bool = True, complete_after: Seconds | None = None) -> None:
        after = seconds(complete_after)
        self._control("POST", "/intuition/lifecycle", {"pending": pending, "complete_after": after})

    def _move(self, identity: str, status: str) -> Identity:
        found = self._control("POST", "/intuition/status", {"identity": identity, "status": status})
        return msgspec.convert(found, Identity)
