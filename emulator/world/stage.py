"""The world that requests see now, and how another takes its place."""

from collections.abc import Callable

from emulator.core.deferred_free import DeferredFree
from emulator.core.errors import Misconfigured, is_misconfigured
from emulator.world.blueprint import Blueprint
from emulator.world.config import Config, Given
from emulator.world.snapshot import Snapshot
from emulator.world.world import World

__tracebackhide__ = is_misconfigured

Make = Callable[[Config, DeferredFree], Blueprint]
"""How a config is made ready. Raises Misconfigured."""


class Stage:
    """Holds the world that requests see now. Resetting puts another in its place: one assignment."""

    _REMEMBERED = 32
    """Blueprints; the oldest is made again when it is needed again."""

    def __init__(self, config: Config, make: Make, deferred: DeferredFree | None = None) -> None:
        self.config = config
        """What a plain reset goes back to."""
        self._started = config
        self._make = make
        self.deferred = DeferredFree() if deferred is None else deferred
        self._blueprints: dict[Config, Blueprint] = {}
        self._plain = self._blueprint(config)
        self._world = self._plain.world()

    @property
    def world(self) -> World:
        """As it was left; what is due by its clock may not have happened yet."""
        return self._world

    def settled_world(self) -> World:
        """The world, once everything has happened in it that is due by its clock."""
        world = self._world
        world.settle()
        return world

    def shows(self, world: World) -> bool:
        """Whether requests see this world now."""
        return world is self._world

    def reset(self, config: Config | None = None) -> World:
        """A new world, of the config the stage was made with unless another is given. Raises Misconfigured."""
        self.show((self._plain if config is None else self._blueprint(config)).world())
        return self._world

    def beginning(self, config: Config) -> World:
        """What a world of this config begins as; not to be changed. Raises Misconfigured."""
        return self._blueprint(config).beginning

    def begin(self, config: Config) -> None:
        """As `reset`, and a plain reset goes back to this config from now on."""
        self._plain = self._blueprint(config)
        self.config = config
        self.reset()

    def load(self, scenario: Given) -> None:
        """Begin with another scenario, its files read anew. Raises Misconfigured."""
        config = Config(scenario=scenario).over(self.config)
        known = self._blueprints.pop(config, None)
        try:
            self.begin(config)
        finally:
            if known is not None:
                self._blueprints.setdefault(config, known)

    def restart(self, config: Config | None = None) -> None:
        """Forget what was loaded: begin as the server was started, but once as `config` says."""
        other = self._blueprint((config or Config()).over(self._started))
        self.begin(self._started)
        self.show(other.world())

    def snapshot(self) -> Snapshot:
        return Snapshot(self.settled_world())

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot. The journal goes on too: what was asked was asked."""
        self.show(snapshot.world(self._world.journal))

    def show(self, world: World) -> None:
        """Have requests see another world.

        Those that wait for a moment of the old one's clock wait no longer: nobody moves it any more.
        """
        old, self._world = self._world, world
        old.clock.stop()
        self.deferred.free_owner_later(old)

    def _blueprint(self, config: Config) -> Blueprint:
        try:
            known = self._blueprints.get(config)
        except TypeError as error:
            raise Misconfigured(f"a field of the config is of a wrong type: {error}") from None
        if known is None:
            known = self._make(config, self.deferred)
            while len(self._blueprints) >= self._REMEMBERED:
                del self._blueprints[next(iter(self._blueprints))]
            self._blueprints[config] = known
        return known
