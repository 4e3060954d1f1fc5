"""The command's cases, held against an emulator that has what they need: keys, a database, an API key."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from emulator import Config, Emulator, running_in_thread
from emulator.conformance.cases import Case, table
from emulator.conformance.run import Given, Outcome, run
from emulator.conformance.tokens import Keys
from emulator.services.spacetimedb import releases
from emulator.world import blueprint
from tests.conftest import API_KEY, write_key_pair
from tests.replaying import target_of
from tests.waiting import PATIENCE

DATABASE = "conformance"
NOW = datetime(2026, 11, 27, 5, 47, 17, 500_000, UTC)
_SCALAR = 2026
"""Of a key that is not the recordings'."""


@contextmanager
def serving(profile: str) -> Iterator[tuple[Emulator, Given]]:
    """An emulator whose clock stands still within a second, and what is given to the command with its URL."""
    with tempfile.TemporaryDirectory() as folder:
        private, public = write_key_pair(Path(folder), _SCALAR)
        config = Config(spacetime_profile=profile, jwt_priv_key_path=private, jwt_pub_key_path=public)
        with running_in_thread(config) as emulator:
            emulator.clock.freeze(NOW)
            emulator.spacetime.add_database(emulator.spacetime.create_identity().identity, DATABASE)
            yield emulator, Given(Keys.of(private.read_bytes(), public.read_bytes()), DATABASE, API_KEY)


def change_rules(patch: pytest.MonkeyPatch, profile: str, **fields: Any) -> None:
    """Give a profile other rules, for servers that are started then."""
    changed = msgspec.structs.replace(releases.PROFILES[profile], **fields)
    patch.setitem(releases.PROFILES, profile, changed)
    patch.setitem(blueprint._SPACETIME, profile, changed)


def sent(cases: Iterable[Case], emulator: Emulator, given: Given) -> Iterator[Outcome]:
    return run(cases, target_of(emulator.url), given, patience=PATIENCE)


def held(profile: str, against: str | None = None) -> list[Outcome]:
    """What an emulator of a profile makes of the table of a profile, by default its own."""
    with serving(profile) as (emulator, given):
        return list(sent(table(against or profile).cases, emulator, given))


def differing(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.state == "differs"]


def in_words(outcomes: list[Outcome]) -> dict[str, str]:
    """By name, what differs."""
    return {outcome.case.name: str(outcome.difference) for outcome in differing(outcomes)}
