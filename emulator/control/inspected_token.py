"""A token and what servers say to it, as `POST /_emulator/spacetime/tokens/inspect` has it."""

from typing import Any

import msgspec

from emulator.core.clock import FIRST, LAST, rfc3339
from emulator.services.spacetimedb.releases import PROFILES
from emulator.services.spacetimedb.store import Store
from emulator.services.spacetimedb.token_chain import Chain, chain
from emulator.services.spacetimedb.token_validation import KeysOf, no_foreign_keys

_OF_A_PROFILE = ("accepted", "status", "text", "reason", "checks", "refused_from")


def inspected(token: str, store: Store, now: int, keys_of: KeysOf = no_foreign_keys) -> dict[str, Any]:
    """What the world says to it at `now` (microseconds), and what it would say in each profile, its own first.

    Raises what `keys_of` raises.
    """
    own = store.profile
    others = [each for each in PROFILES.values() if each.name != own.name]
    chains = {each.name: _shown(chain(token, store.keyring, now, each, keys_of)) for each in (own, *others)}
    verdicts = [{"profile": name, **{part: found[part] for part in _OF_A_PROFILE}} for name, found in chains.items()]
    return {"profile": own.name, **chains[own.name], "profiles": verdicts}


def _shown(found: Chain) -> dict[str, Any]:
    times = {"now": rfc3339(found.now), "refused_from": _moment(found.refused_from)}
    return {**msgspec.to_builtins(found), **times}


def _moment(micros: int | None) -> str | None:
    """None is never, as is what comes after the year 9999."""
    return None if micros is None or micros > LAST else rfc3339(max(FIRST, micros))
