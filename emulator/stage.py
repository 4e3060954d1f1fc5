"""Where the world stands that requests see."""

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from emulator.config import Config
from emulator.errors import Misconfigured, told
from emulator.graveyard import Graveyard
from emulator.journal import Journal
from emulator.scenario.source import Given, sources
from emulator.world import Blueprint, World

__tracebackhide__ = told


class Snapshot:
    """A world put aside. It is never changed; any number of worlds can begin from it."""

    def __init__(self, world: World) -> None:
        with world.ground.lock:  # or a row could be made between its chance and itself
            self._kept = world.fork(world.ground.fork(), world.journal)

    def world(self, journal: Journal) -> World:
        return World.after(self._kept, self._kept.ground.fork(), journal)


class Stage:
    """Where the world stands that requests see now. Resetting puts another in its place: one assignment."""

    _REMEMBERED = 32

    def __init__(self, config: Config, below: Config | None = None, graveyard: Graveyard | None = None) -> None:
        self.config = config
        """What a plain reset goes back to."""
        self._started = config
        self._below = below
        self.graveyard = graveyard or Graveyard()
        self._blueprints: dict[Config, Blueprint] = {}
        self._plain = self._blueprint(config)
        self._ready: deque[tuple[Blueprint, World]] = deque(maxlen=1)
        self._world = self._plain.world()

    @property
    def world(self) -> World:
        """As it is by its clock now."""
        world = self._world
        world.settle()
        return world

    @property
    def unsettled(self) -> World:
        """As it was left, whatever is due by now."""
        return self._world

    def shows(self, world: World) -> bool:
        """Whether requests see this world now."""
        return world is self._world

    def reset(self, config: Config | None = None) -> World:
        """A world as new, of the config the stage was made with unless another is given. Raises Misconfigured."""
        self.show(self._next(self._plain if config is None else self._blueprint(config)))
        return self._world

    def make_ready(self) -> None:
        """Make the world of the next reset ahead; for who has time now."""
        if not self._ready:
            self._ready.append((self._plain, self._plain.world()))

    def _next(self, blueprint: Blueprint) -> World:
        with suppress(IndexError):
            made_of, world = self._ready.pop()
            if made_of is blueprint:
                world.begin()
                return world
        return blueprint.world()

    def beginning(self, config: Config) -> World:
        """What a world of this config begins as; not to be changed."""
        return self._blueprint(config).beginning

    def begin(self, config: Config) -> None:
        """As `reset`, and a plain reset goes back to this config from now on."""
        self._plain = self._blueprint(config)
        self.config = config
        self.reset()

    def load(self, scenario: Given) -> None:
        """Begin with another scenario, its files read anew. Raises Misconfigured."""
        config = Config(scenario=scenario).over(self.config)
        known = self._blueprints.pop(_key(config), None)
        try:
            self.begin(config)
        finally:
            if known is not None:
                self._blueprints.setdefault(_key(config), known)

    def restart(self, config: Config | None = None) -> None:
        """Forget what was loaded: begin as in the beginning, but once as `config` says."""
        other = self._blueprint((config or Config()).over(self._started))
        self.begin(self._started)
        self.show(other.world())

    def snapshot(self) -> Snapshot:
        return Snapshot(self.world)

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a snapshot. The journal goes on too: what was asked was asked."""
        self.show(snapshot.world(self._world.journal))

    def show(self, world: World) -> None:
        """Have requests see another world.

        Those that wait for a moment of the old one's clock wait no longer: nobody moves it any more.
        """
        old, self._world = self._world, world
        old.clock.stop()
        self.graveyard.leave(old)

    def _blueprint(self, config: Config) -> Blueprint:
        key = _key(config)
        if key not in self._blueprints:
            blueprint = Blueprint.of(config, self.graveyard, self._below)
            while len(self._blueprints) >= self._REMEMBERED:
                del self._blueprints[next(iter(self._blueprints))]
            self._blueprints[key] = blueprint
        return self._blueprints[key]


def _key(config: Config) -> Config:
    """Configs that make the same worlds have the same one. Raises Misconfigured for what can't be one."""
    key = replace(config, scenario=sources(config.scenario) or None)
    try:
        hash(key)
    except TypeError as error:
        raise Misconfigured(f"a field of the config is of a wrong type: {error}") from None
    return key


def located(config: Config, folders: Iterable[Path]) -> Config:
    """The same, the files of its scenario looked up in folders. Raises Misconfigured."""
    if not any(isinstance(each, str | Path) for each in sources(config.scenario)):
        return config
    from emulator.scenario.finding import located as found

    folders = tuple(folders)
    return replace(config, scenario=tuple(found(each, folders) for each in sources(config.scenario)))
