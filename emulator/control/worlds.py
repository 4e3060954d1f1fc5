"""Worlds beside the first one of a server, each on a port of its own: what a server offers, and the handle."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Protocol, TypeVar, Unpack

import msgspec

from emulator.core.arguments import checked
from emulator.core.errors import Misconfigured
from emulator.world.config import Config, Settings
from emulator.world.stage import Stage


class NoRoom(Misconfigured):
    """No other world can be opened now; `hint` says what to do."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(f"{text}; {hint}")
        self.text = text
        self.hint = hint


class OpenWorld(msgspec.Struct, frozen=True, eq=False):
    """`url` is its own port's; `abort` closes the connections of its requests under way, from any thread.

    After `idle_exit` seconds of real time without a request it is closed; None never closes it.
    """

    id: str
    url: str
    stage: Stage
    abort: Callable[[], None]
    idle_exit: float | None


class WorldServers(Protocol):
    """Opens and closes worlds, from any thread, without waiting for the server's loop. Iterates oldest first."""

    def open(self, config: Config, idle_exit: float | None) -> OpenWorld:
        """A world of this config over that of the server's start. Raises NoRoom, and Misconfigured."""

    def close(self, id: str) -> Future[None] | None:  # noqa: A002 - its name in the answer
        """Done once its port refuses connections; None when there is no such world.

        WebSockets get 1001, requests under way are cut off as at the server's stop.
        """

    def __iter__(self) -> Iterator[OpenWorld]: ...

    @property
    def uses(self) -> int:
        """How many requests came to them; another number whenever one is opened, used or closed."""

    @property
    def in_use(self) -> bool:
        """Whether a request is under way at one of them, or a WebSocket open."""


class NoWorlds(WorldServers):
    """Of an emulator that has no port of its own to give."""

    def open(self, config: Config, idle_exit: float | None) -> OpenWorld:
        raise NoRoom("this emulator can't open other worlds", "use running_in_thread(), running(), or the command")

    def close(self, id: str) -> Future[None] | None:  # noqa: A002
        return None

    def __iter__(self) -> Iterator[OpenWorld]:
        return iter(())

    @property
    def uses(self) -> int:
        return 0

    @property
    def in_use(self) -> bool:
        return False


class HasUrl(Protocol):
    url: str


E = TypeVar("E", bound=HasUrl)


class Worlds(Protocol[E]):
    """The open worlds of the emulator's process but the first, oldest first; the same for each of them."""

    def open(self, config: Config | None = None, *, idle_exit: float | None = None, **settings: Unpack[Settings]) -> E:
        """Another world on a port of its own: `worlds.open(seed=7)`. Tests of its emulator touch no other world.

        What is not given is as at the start of the first world. It is closed with the process, by `close`, or after
        `idle_exit` seconds of real time without a request. Raises Misconfigured.
        """

    def close(self, world: E) -> None:
        """Close it: its WebSockets with 1001, its requests under way are cut off. Returns at once.

        Raises Misconfigured when it is not open.
        """

    def __iter__(self) -> Iterator[E]: ...


class LocalWorlds(Worlds[E]):
    """`located` has the scenarios of a config as files that exist."""

    def __init__(
        self, servers: WorldServers, emulator_of: Callable[[OpenWorld], E], located: Callable[[Config], Config]
    ) -> None:
        self._servers = servers
        self._emulator_of = emulator_of
        self._located = located

    @checked("worlds.open")
    def open(self, config: Config | None = None, *, idle_exit: float | None = None, **settings: Unpack[Settings]) -> E:
        wanted = self._located(Config(**settings).over(config or Config()))
        return self._emulator_of(self._servers.open(wanted, idle_exit))

    def close(self, world: E) -> None:
        found = next((each.id for each in self._servers if each.url == world.url), "")
        if self._servers.close(found) is None:
            raise not_open(world)

    def __iter__(self) -> Iterator[E]:
        return map(self._emulator_of, self._servers)


def not_open(world: HasUrl) -> Misconfigured:
    return Misconfigured(f"no world is open at {world.url} beside the first one, which ends with its server")
