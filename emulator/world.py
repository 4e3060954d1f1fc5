"""Everything the emulator remembers, in one object that is replaced, never cleaned."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import TypedDict, TypeVar

from emulator.clock import Clock, Entropy
from emulator.errors import Misconfigured
from emulator.graveyard import Graveyard
from emulator.intuition import credentials as intuition_credentials
from emulator.intuition import model as intuition
from emulator.intuition.store import Store as IntuitionStore
from emulator.journal import Journal
from emulator.spacetime import model as spacetime
from emulator.spacetime.credentials import SigningKey
from emulator.spacetime.store import Store as SpacetimeStore

T = TypeVar("T")


class Settings(TypedDict, total=False):
    """The fields of `Config`, for functions that take them as keywords."""

    seed: int | None
    scenario: str | None
    spacetime_profile: str | None
    intuition_profile: str | None
    freeze_at: datetime | None
    jwt_priv_key_path: Path | None
    jwt_pub_key_path: Path | None
    journal_size: int | None


@dataclass(frozen=True, kw_only=True)
class Config:
    """How worlds begin. The same config makes the same world, byte for byte once the clock is frozen.

    None leaves a field to the next config below, and at last to its default:

    - `seed` (0) decides every key, token and id
    - `scenario` (none) names what the world holds at its beginning
    - `spacetime_profile`, `intuition_profile` ("documented") say whom the APIs speak for
    - `freeze_at` (the clock runs) is the moment the clock stands at
    - `jwt_priv_key_path`, `jwt_pub_key_path` (a pair from the seed) name P-256 keys in PEM form
    - `journal_size` (10,000) is how many exchanges are remembered
    """

    seed: int | None = None
    scenario: str | None = None
    spacetime_profile: str | None = None
    intuition_profile: str | None = None
    freeze_at: datetime | None = None
    jwt_priv_key_path: Path | None = None
    jwt_pub_key_path: Path | None = None
    journal_size: int | None = None

    def over(self, below: "Config") -> "Config":
        """This config, with `below` where it says nothing."""
        return Config(
            **{name: value for config in (below, self) for name, value in vars(config).items() if value is not None}
        )


_DEFAULTS = Config(seed=0, spacetime_profile="documented", intuition_profile="documented", journal_size=10_000)


@dataclass(frozen=True)
class Blueprint:
    """A config made ready: what all worlds built from it share, made once."""

    seed: int
    spacetime: spacetime.Profile
    intuition: intuition.Profile
    freeze_at: datetime | None
    journal_size: int
    key: SigningKey = field(repr=False)

    @classmethod
    def of(cls, config: Config) -> "Blueprint":
        """Raises Misconfigured when the config names what isn't there."""
        full = config.over(_DEFAULTS)
        seed, journal_size = _typed("seed", full.seed, int), _typed("journal_size", full.journal_size, int)
        freeze_at = None if full.freeze_at is None else _typed("freeze_at", full.freeze_at, datetime)
        if freeze_at is not None and freeze_at.tzinfo is None:
            raise Misconfigured(f"freeze_at is {freeze_at!r}, without an offset; give it tzinfo=datetime.UTC")
        if journal_size < 0:
            raise Misconfigured(f"journal_size is {journal_size}; it is 0 or more")
        if full.scenario is not None:
            raise Misconfigured(f"there is no scenario {full.scenario!r}; this version has none yet")
        return cls(
            seed,
            _profile("spacetime", full.spacetime_profile, spacetime.PROFILES),
            _profile("intuition", full.intuition_profile, intuition.PROFILES),
            freeze_at,
            journal_size,
            _signing_key(seed, config.jwt_priv_key_path, config.jwt_pub_key_path),
        )


def _typed(name: str, value: object, kind: type[T]) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Misconfigured(f"{name} is {value!r}; it must be of type {kind.__name__}")
    return value


def _profile(api: str, name: str | None, known: Mapping[str, T]) -> T:
    if name is None or name not in known:
        raise Misconfigured(f"there is no {api} profile {name!r}; there is {', '.join(known)}")
    return known[name]


def _signing_key(seed: int, private: Path | None, public: Path | None) -> SigningKey:
    if private is None and public is None:
        return SigningKey.from_entropy(Entropy(seed).draw("spacetime.key"))
    if private is None or public is None:
        raise Misconfigured("jwt_priv_key_path and jwt_pub_key_path go together; one of them is missing")
    return SigningKey.from_files(Path(private), Path(public))


class World:
    """One state of both services: clock, chance, stores, journal. A handler gets the world its request came into."""

    def __init__(self, blueprint: Blueprint, graveyard: Graveyard) -> None:
        lock = RLock()
        self.seed = blueprint.seed
        self.clock = Clock(blueprint.freeze_at)
        self.entropy = Entropy(blueprint.seed)
        self.journal = Journal(blueprint.journal_size, lock, graveyard)
        self.spacetime = SpacetimeStore(blueprint.spacetime, blueprint.key, self.clock, self.entropy, graveyard)
        self.intuition = IntuitionStore(blueprint.intuition, self.clock, self.entropy, lock, graveyard)
        self.intuition.issue_api_key(intuition_credentials.DEFAULT_WALLET, intuition_credentials.DEFAULT_KEY)


class Stage:
    """Where the world stands that requests see now. Resetting puts another in its place: one assignment."""

    _REMEMBERED = 32

    def __init__(self, config: Config) -> None:
        self.config = config
        """What a plain reset goes back to."""
        self.graveyard = Graveyard()
        self._blueprints: dict[Config, Blueprint] = {}
        self.world = World(self._blueprint(config), self.graveyard)

    def reset(self, config: Config | None = None) -> World:
        """A world as new, of the config the stage was made with unless another is given. Raises Misconfigured."""
        self.world = World(self._blueprint(config or self.config), self.graveyard)
        return self.world

    def _blueprint(self, config: Config) -> Blueprint:
        try:
            hash(config)
        except TypeError as error:
            raise Misconfigured(f"a field of the config is of a wrong type: {error}") from None
        if config not in self._blueprints:
            if len(self._blueprints) >= self._REMEMBERED:
                self._blueprints.clear()
            self._blueprints[config] = Blueprint.of(config)
        return self._blueprints[config]
