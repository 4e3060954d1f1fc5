"""Everything the emulator remembers, in one object that is replaced, never cleaned."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import TypeVar

from emulator.clock import Clock, Entropy
from emulator.errors import Misconfigured
from emulator.intuition import credentials as intuition_credentials
from emulator.intuition import model as intuition
from emulator.intuition.store import Store as IntuitionStore
from emulator.journal import Journal
from emulator.spacetime import model as spacetime
from emulator.spacetime.credentials import SigningKey
from emulator.spacetime.store import Store as SpacetimeStore

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Config:
    """How worlds begin. The same config makes the same world, byte for byte once the clock is frozen.

    `seed` decides every key, token and id. `freeze_at` is the moment the clock stands at; without it the clock runs.
    `jwt_priv_key_path` and `jwt_pub_key_path` name a P-256 pair in PEM form, as the real server's options do.
    `journal_size` is how many exchanges are kept.
    """

    seed: int = 0
    spacetime_profile: str = "documented"
    intuition_profile: str = "documented"
    freeze_at: datetime | None = None
    jwt_priv_key_path: Path | None = None
    jwt_pub_key_path: Path | None = None
    journal_size: int = 10_000


@dataclass(frozen=True)
class Blueprint:
    """A config made ready: what all worlds built from it share, made once."""

    config: Config
    spacetime: spacetime.Profile
    intuition: intuition.Profile
    key: SigningKey = field(repr=False)

    @classmethod
    def of(cls, config: Config) -> "Blueprint":
        """Raises Misconfigured when the config names what isn't there."""
        return cls(
            config,
            _profile("spacetime", config.spacetime_profile, spacetime.PROFILES),
            _profile("intuition", config.intuition_profile, intuition.PROFILES),
            _signing_key(config),
        )


def _profile(api: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        raise Misconfigured(f"there is no {api} profile {name!r}; there is {', '.join(known)}")
    return known[name]


def _signing_key(config: Config) -> SigningKey:
    private, public = config.jwt_priv_key_path, config.jwt_pub_key_path
    if private is None and public is None:
        return SigningKey.from_entropy(Entropy(config.seed).draw("spacetime.key"))
    if private is None or public is None:
        raise Misconfigured("--jwt-priv-key-path and --jwt-pub-key-path go together; one of them is missing")
    return SigningKey.from_files(private, public)


class World:
    """One state of both services: clock, chance, stores, journal. A handler gets the world its request came into."""

    def __init__(self, blueprint: Blueprint) -> None:
        config = blueprint.config
        lock = RLock()
        self.blueprint = blueprint
        self.clock = Clock(config.freeze_at)
        self.entropy = Entropy(config.seed)
        self.journal = Journal(config.journal_size, lock)
        self.spacetime = SpacetimeStore(blueprint.spacetime, blueprint.key, self.clock, self.entropy)
        self.intuition = IntuitionStore(blueprint.intuition, self.clock, self.entropy, lock)
        self.intuition.issue_api_key(intuition_credentials.DEFAULT_WALLET, intuition_credentials.DEFAULT_KEY)

    @property
    def seed(self) -> int:
        return self.blueprint.config.seed


class Stage:
    """Where the world stands that requests see now. Resetting puts another in its place: one assignment."""

    def __init__(self, config: Config) -> None:
        self._origin = Blueprint.of(config)
        self.world = World(self._origin)

    def reset(self, config: Config | None = None) -> World:
        """A world as new, of the config the stage was made with unless another is given."""
        self.world = World(self._origin if config is None else Blueprint.of(config))
        return self.world

    @property
    def config(self) -> Config:
        """What a plain reset goes back to."""
        return self._origin.config
