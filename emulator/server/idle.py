"""When a server is no longer used."""

import asyncio
from typing import Protocol

_LOOKS, _LONGEST_PAUSE = 10, 1.0
"""How often it is looked at within the time of `until_unused`, and the most seconds between two looks."""


class Used(Protocol):
    """A server."""

    @property
    def uses(self) -> int:
        """How many requests came that are a use."""

    @property
    def in_use(self) -> bool:
        """Whether a request is under way, or a WebSocket open."""


async def until_unused(server: Used, seconds: float) -> None:
    """Return once it was not used for so long, or up to a tenth longer."""
    time = asyncio.get_running_loop().time
    seen, since = server.uses, time()
    while time() - since < seconds:
        await asyncio.sleep(min(seconds / _LOOKS, _LONGEST_PAUSE))
        if server.in_use or server.uses != seen:
            seen, since = server.uses, time()


class Together:
    """Several servers as one."""

    def __init__(self, *servers: Used) -> None:
        self._servers = servers

    @property
    def uses(self) -> int:
        return sum(each.uses for each in self._servers)

    @property
    def in_use(self) -> bool:
        return any(each.in_use for each in self._servers)
