"""The world of a config at its start; every new world of this config is a fork of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from emulator.core.clock import Clock
from emulator.core.context import Context
from emulator.core.deferred_free import DeferredFree
from emulator.core.entropy import Entropy
from emulator.core.errors import Misconfigured, is_misconfigured
from emulator.faults.schedule import Faults
from emulator.journal.journal import Journal
from emulator.journal.limits import KEPT_IN_ALL
from emulator.services.intuition import model as intuition
from emulator.services.intuition.store import Store as IntuitionStore
from emulator.services.spacetimedb import releases
from emulator.services.spacetimedb.signing_keys import SigningKey
from emulator.services.spacetimedb.store import Store as SpacetimeStore
from emulator.world.actors import ActorRegistry
from emulator.world.config import Config
from emulator.world.stubs import Stubs
from emulator.world.world import World

__tracebackhide__ = is_misconfigured

T = TypeVar("T")

_SPACETIME = {name: releases.PROFILES[releases.resolved(name)] for name in releases.NAMES}
_LONGEST_SEED = 1024
"""Bits."""
_DEFAULTS = Config(
    seed=0,
    spacetime_profile=releases.DEFAULT,
    intuition_profile="documented",
    journal_size=10_000,
    journal_bytes=KEPT_IN_ALL,
)


@dataclass(frozen=True)
class Blueprint:
    """The world of a config at its start, made once; new worlds share its data."""

    seed: int
    journal_size: int
    journal_bytes: int
    beginning: "World" = field(repr=False)

    @classmethod
    def of(cls, config: Config, deferred: DeferredFree) -> "Blueprint":
        """The blueprint of an empty world; the config's scenario is ignored. Raises Misconfigured."""
        full = config.over(_DEFAULTS)
        seed = full.seed or 0
        if seed.bit_length() > _LONGEST_SEED:
            raise Misconfigured(f"seed has {seed.bit_length()} bits; at most {_LONGEST_SEED} are allowed")
        journal_size = _not_below_0("journal_size", full.journal_size)
        journal_bytes = _not_below_0("journal_bytes", full.journal_bytes)
        context = Context(Clock(full.frozen_at), Entropy(seed), deferred)
        beginning = World(
            context,
            spacetime=SpacetimeStore(
                _profile("spacetime", full.spacetime_profile, _SPACETIME),
                _signing_key(seed, config.jwt_priv_key_path, config.jwt_pub_key_path),
                context,
            ),
            intuition=IntuitionStore(_profile("intuition", full.intuition_profile, intuition.PROFILES), context),
            faults=Faults(context.lock, context.clock.micros()),
            stubs=Stubs(context.lock),
            actors=ActorRegistry(deferred),
            journal=Journal(journal_size, context.lock, deferred),
        )
        return cls(seed, journal_size, journal_bytes, beginning)

    @property
    def rows(self) -> int:
        """How much it holds."""
        return len(self.beginning.intuition) + len(self.beginning.actors)

    def world(self) -> "World":
        """A new world, whose start is the current time."""
        context = self.beginning.context.fork()
        journal = Journal(self.journal_size, context.lock, context.deferred, most_bytes=self.journal_bytes)
        return self.beginning.fork(context, journal, begun=context.clock.micros())


def _not_below_0(name: str, number: int | None) -> int:
    if number is None or number < 0:
        raise Misconfigured(f"{name} is {number}; it must be 0 or more")
    return number


def _profile(api: str, name: str | None, known: Mapping[str, T]) -> T:
    if name is None or name not in known:
        raise Misconfigured(f"there is no {api} profile {name!r}; there is {', '.join(known)}")
    return known[name]


def _signing_key(seed: int, private: str | Path | None, public: str | Path | None) -> SigningKey:
    if private is None and public is None:
        return SigningKey.from_seed(seed)
    if private is None or public is None:
        raise Misconfigured("jwt_priv_key_path and jwt_pub_key_path must be given together; one is missing")
    return SigningKey.from_files(Path(private), Path(public))
