"""The current world, and how it is replaced."""

from collections.abc import Callable

from emulator.core.deferred_free import DeferredFree
from emulator.core.errors import Misconfigured, is_misconfigured
from emulator.world.blueprint import Blueprint
from emulator.world.config import Config, Given
from emulator.world.snapshot import Snapshot
from emulator.world.world import World

__tracebackhide__ = is_misconfigured

Make = Callable[[Config, DeferredFree], Blueprint]
"""Makes the blueprint of a config. Raises Misconfigured."""


class Stage:
    """Holds the current world. A reset replaces it with one assignment; a request keeps the world it started in."""

    _REMEMBERED = 32
    """The most blueprints that are cached; the oldest is dropped first."""
    _MOST_ROWS = 300_000
    """The most rows in all of them, about 250 MB."""

    def __init__(
        self,
        config: Config,
        make: Make,
        deferred: DeferredFree | None = None,
        blueprints: dict[Config, Blueprint] | None = None,
    ) -> None:
        self.config = config
        """The config of `reset()`."""
        self._started = config
        self.shown_config = config
        """The config of the current world, or of that before a snapshot was restored."""
        self._make = make
        self.deferred = DeferredFree() if deferred is None else deferred
        self._blueprints = {} if blueprints is None else blueprints
        self._plain = self._blueprint(config)
        self._world = self._plain.world()
        self._world.is_shown()
        self.changes = 0
        """The number of control calls over HTTP that may have changed something."""
        self.health_checks = 0
        """The number of control calls over HTTP that asked for nothing but its health."""
        self.shown = 1
        """The number of worlds that were the current one."""
        self.on_shown: list[Callable[[World], object]] = []
        """Called with each new world."""

    def beside(self, config: Config) -> "Stage":
        """Another stage with a world of its own, of this config over that of the server's start.

        Both share what is made of configs. Raises Misconfigured.
        """
        return Stage(config.over(self._started), self._make, self.deferred, self._blueprints)

    @property
    def world(self) -> World:
        """The current world; changes that are due by its clock may not have happened yet."""
        return self._world

    def settled_world(self) -> World:
        """The current world, after the changes that are due by its clock."""
        world = self._world
        world.settle()
        return world

    def shows(self, world: World) -> bool:
        """Whether this is the current world."""
        return world is self._world

    def reset(self, config: Config | None = None) -> World:
        """Replace the world by a new one, of this config or else of the stage's own. Raises Misconfigured."""
        self.show((self._plain if config is None else self._blueprint(config)).world())
        self.shown_config = self.config if config is None else config
        return self._world

    def beginning(self, config: Config) -> World:
        """The start of a world of this config; callers must not change it. Raises Misconfigured."""
        return self._blueprint(config).beginning

    def begin(self, config: Config) -> None:
        """As `reset`; later calls of `reset()` use this config too."""
        self._plain = self._blueprint(config)
        self.config = config
        self.reset()

    def load(self, scenario: Given) -> None:
        """Begin with another scenario; its files are read again. Raises Misconfigured."""
        config = Config(scenario=scenario).over(self.config)
        known = self._blueprints.pop(config, None)
        try:
            self.begin(config)
        finally:
            if known is not None:
                self._blueprints.setdefault(config, known)

    def restart(self, config: Config | None = None) -> None:
        """Return to the config of the server's start; for this reset only, `config` overrides it."""
        wanted = (config or Config()).over(self._started)
        other = self._blueprint(wanted)
        self.begin(self._started)
        self.show(other.world())
        self.shown_config = wanted

    def snapshot(self) -> Snapshot:
        return Snapshot(self.settled_world())

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the world by that of a snapshot. The journal is kept."""
        self.show(snapshot.world(self._world.journal))

    def show(self, world: World) -> None:
        """Make this the current world.

        Requests that wait on the old world's clock stop waiting: it can't be moved any more. Its WebSockets are closed.
        """
        old, self._world = self._world, world
        self.shown += 1
        world.is_shown()
        for tell in tuple(self.on_shown):  # another thread may change it
            tell(world)
        old.clock.stop()
        old.connections.end()
        self.deferred.free_owner_later(old)

    def _blueprint(self, config: Config) -> Blueprint:
        try:
            known = self._blueprints.get(config)
        except TypeError as error:
            raise Misconfigured(f"a field of the config is of a wrong type: {error}") from None
        if known is None:
            known = self._make(config, self.deferred)
            self._blueprints[config] = known
            while len(self._blueprints) > 1 and not self._within_limits():
                del self._blueprints[next(iter(self._blueprints))]
        return known

    def _within_limits(self) -> bool:
        rows = sum(each.rows for each in self._blueprints.values())
        return len(self._blueprints) <= self._REMEMBERED and rows <= self._MOST_ROWS
