"""The server's cache of issuers' keys, tick by tick on the emulator's clock."""

from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.services.spacetimedb.issuers.cache import MOST
from emulator.services.spacetimedb.issuers.played import PlayedProvider
from emulator.services.spacetimedb.issuers.registry import KeysNeeded
from emulator.services.spacetimedb.refusals import TokenRefused
from emulator.services.spacetimedb.store import Store
from emulator.world.world import World
from tests.worlds import make_stage, make_world, world_of

URL, OTHER = "https://auth.example.com", "https://other.example.com"
NOT_FOUND = "Specified key ID not found in JWKs"
OUT_OF_REACH = "Error fetching public key for issuer "


def frozen_world() -> World:
    return make_world(freeze_at=datetime(2026, 11, 27, tzinfo=UTC), spacetime_profile="v2.14")


def played(world: World, url: str = URL) -> PlayedProvider:
    found = world.spacetime.issuers.register(url)
    assert isinstance(found, PlayedProvider)
    return found


def judged(store: Store, token: str) -> str:
    """`valid`, or the text of the refusal."""
    try:
        store.read(token)
    except TokenRefused as refused:
        return refused.text
    return "valid"


def token(issuer: PlayedProvider, **changes: Any) -> str:
    return issuer.issue_token(subject="alice", **changes)


# --- the refresh ------------------------------------------------------------------------------------------------------


def test_a_rotated_key_is_valid_and_the_old_one_is_not_from_the_next_tick_on() -> None:
    world = frozen_world()
    issuer = played(world)
    old = token(issuer)
    seen = [judged(world.spacetime, old)]

    issuer.rotate_key()
    new = token(issuer)
    for seconds in (0, 299, 1):
        world.clock.advance(seconds)
        seen += [judged(world.spacetime, old), judged(world.spacetime, new)]

    assert seen == ["valid", "valid", NOT_FOUND, "valid", NOT_FOUND, NOT_FOUND, "valid"]


def test_keys_that_were_never_asked_for_are_fetched_at_the_first_token() -> None:
    world = frozen_world()
    issuer = played(world)
    old = token(issuer)
    issuer.rotate_key()

    assert (judged(world.spacetime, token(issuer)), judged(world.spacetime, old)) == ("valid", NOT_FOUND)


def test_a_tick_that_nobody_saw_had_the_keys_of_its_time() -> None:
    world = frozen_world()
    issuer = played(world)
    old = token(issuer)
    judged(world.spacetime, old)

    world.clock.advance(310)
    issuer.rotate_key()

    assert judged(world.spacetime, old) == "valid"
    world.clock.advance(290)
    assert judged(world.spacetime, old) == NOT_FOUND


@pytest.mark.parametrize("back", [100, 10**8])
def test_the_ticks_go_on_when_the_clock_is_set_back(back: int) -> None:
    world = frozen_world()
    issuer = played(world)
    world.clock.advance(200)
    old = token(issuer)
    judged(world.spacetime, old)
    issuer.rotate_key()

    world.clock.advance(-back)
    seen = [judged(world.spacetime, old)]
    for seconds in (99, 1):
        world.clock.advance(seconds)
        seen.append(judged(world.spacetime, old))

    assert seen == ["valid", "valid", NOT_FOUND]


def test_the_ticks_count_from_the_begin_of_the_world() -> None:
    world = frozen_world()
    world.clock.advance(299)
    issuer = played(world)
    old = token(issuer)
    judged(world.spacetime, old)
    issuer.rotate_key()

    world.clock.advance(1)

    assert judged(world.spacetime, old) == NOT_FOUND


def test_a_key_that_is_kept_stays_valid_beside_the_new_one() -> None:
    world = frozen_world()
    issuer = played(world)
    old = token(issuer)

    issuer.rotate_key(keep=True)

    assert (judged(world.spacetime, old), judged(world.spacetime, token(issuer))) == ("valid", "valid")


# --- an issuer that is down or hangs ----------------------------------------------------------------------------------


def test_an_issuer_that_is_down_is_out_of_reach_and_found_once_it_is_up() -> None:
    world = frozen_world()
    issuer = played(world)
    issuer.down()
    assert judged(world.spacetime, token(issuer)) == OUT_OF_REACH + URL

    issuer.up()

    assert judged(world.spacetime, token(issuer)) == "valid"


def test_the_keys_of_an_issuer_that_is_down_are_kept_over_the_ticks() -> None:
    world = frozen_world()
    issuer = played(world)
    kept = token(issuer)
    judged(world.spacetime, kept)
    issuer.down()

    seen = []
    for _ in range(3):
        world.clock.advance(300)
        seen.append(judged(world.spacetime, kept))

    assert seen == ["valid"] * 3


def test_an_issuer_that_publishes_a_broken_set_keeps_its_keys() -> None:
    world = frozen_world()
    issuer = played(world)
    kept = token(issuer)
    judged(world.spacetime, kept)
    issuer.publish({"keys": [{"kty": "XX"}]})

    world.clock.advance(300)

    assert judged(world.spacetime, kept) == "valid"


def test_no_issuer_is_refreshed_while_one_hangs() -> None:
    world = frozen_world()
    issuer, hanging = played(world), played(world, OTHER)
    old = token(issuer)
    assert [judged(world.spacetime, old), judged(world.spacetime, token(hanging))] == ["valid", "valid"]
    issuer.rotate_key()
    hanging.hang()

    seen = []
    for _ in range(3):
        world.clock.advance(300)
        seen.append(judged(world.spacetime, old))
    hanging.up()

    assert seen == ["valid"] * 3
    assert judged(world.spacetime, old) == NOT_FOUND


def test_ticks_that_a_hanging_issuer_held_up_come_right_after_it() -> None:
    world = frozen_world()
    issuer, hanging = played(world), played(world, OTHER)
    judged(world.spacetime, token(issuer))
    judged(world.spacetime, token(hanging))
    hanging.hang()
    world.clock.advance(300)
    issuer.rotate_key()
    world.clock.advance(300)

    hanging.down()

    assert judged(world.spacetime, token(issuer)) == "valid"


def test_a_token_of_an_issuer_that_hangs_has_to_wait() -> None:
    world = frozen_world()
    issuer = played(world)
    issuer.hang()

    with pytest.raises(KeysNeeded):
        world.spacetime.read(token(issuer))


# --- the expiry -------------------------------------------------------------------------------------------------------


def test_keys_without_use_are_dropped_at_the_second_tick() -> None:
    world = frozen_world()
    issuer = played(world)
    old = token(issuer)
    judged(world.spacetime, old)
    issuer.down()

    world.clock.advance(14_399)
    assert list(world.spacetime.issuers.cache.entries) == [URL]
    world.clock.advance(1)

    assert judged(world.spacetime, old) == OUT_OF_REACH + URL


def test_a_use_after_the_first_tick_keeps_keys_for_two_more() -> None:
    world = frozen_world()
    issuer = played(world)
    old = token(issuer)
    judged(world.spacetime, old)
    issuer.down()

    seen = []
    for _ in range(3):
        world.clock.advance(7200)
        seen.append(judged(world.spacetime, old))
    world.clock.advance(14_400)

    assert seen == ["valid"] * 3
    assert judged(world.spacetime, old) == OUT_OF_REACH + URL


def test_a_refresh_is_no_use() -> None:
    world = frozen_world()
    issuer = played(world)
    judged(world.spacetime, token(issuer))

    for _ in range(48):
        world.clock.advance(300)
        world.spacetime.issuers.find(URL)
        issuer.up()

    assert not world.spacetime.issuers.cache.entries


def test_a_clock_that_goes_back_brings_no_tick() -> None:
    world = frozen_world()
    issuer = played(world)
    old = token(issuer)
    judged(world.spacetime, old)
    issuer.rotate_key()

    world.clock.advance(-1000)

    assert judged(world.spacetime, old) == "valid"


# --- spellings --------------------------------------------------------------------------------------------------------


def test_with_and_without_a_slash_are_two_identities_of_one_provider() -> None:
    world = frozen_world()
    issuer = played(world)

    plain, slash = (world.spacetime.read(token(issuer, iss=iss)) for iss in (URL, f"{URL}/"))

    assert plain.identity != slash.identity
    assert list(world.spacetime.issuers.cache.entries) == [URL, f"{URL}/"]


def test_the_cache_is_bounded() -> None:
    world = frozen_world()
    issuer = played(world)

    for count in range(MOST + 5):
        judged(world.spacetime, token(issuer, iss=URL + "/" * count))

    assert len(world.spacetime.issuers.cache.entries) == MOST


# --- worlds -----------------------------------------------------------------------------------------------------------


def test_a_reset_forgets_issuers_and_their_keys() -> None:
    stage = make_stage()
    played(world_of(stage))

    stage.reset()

    assert not world_of(stage).spacetime.has_issuers


def test_a_snapshot_keeps_issuers_and_cached_keys() -> None:
    stage = make_stage(freeze_at=datetime(2026, 11, 27, tzinfo=UTC), spacetime_profile="v2.14")
    issuer = played(world_of(stage))
    old = token(issuer)
    judged(world_of(stage).spacetime, old)
    world_of(stage).clock.advance(100)
    issuer.rotate_key()
    snapshot = stage.snapshot()
    stage.reset()

    stage.restore(snapshot)

    world = world_of(stage)
    again = world.spacetime.issuers.find(URL)
    assert isinstance(again, PlayedProvider)
    assert again is not issuer
    assert [judged(world.spacetime, old), judged(world.spacetime, token(again))] == ["valid", NOT_FOUND]
    world.clock.advance(200)
    assert [judged(world.spacetime, old), judged(world.spacetime, token(again))] == [NOT_FOUND, "valid"]


def test_a_change_in_one_world_is_none_in_another() -> None:
    stage = make_stage(freeze_at=datetime(2026, 11, 27, tzinfo=UTC), spacetime_profile="v2.14")
    issuer = played(world_of(stage))
    judged(world_of(stage).spacetime, token(issuer))
    snapshot = stage.snapshot()
    stage.restore(snapshot)

    issuer.rotate_key()
    world_of(stage).clock.advance(300)

    again = world_of(stage).spacetime.issuers.find(URL)
    assert isinstance(again, PlayedProvider)
    assert (issuer.generation, again.generation) == (2, 1)
    assert judged(world_of(stage).spacetime, token(again)) == "valid"


def test_a_state_that_is_restored_is_the_same_state() -> None:
    world = frozen_world()
    store = world.spacetime
    issuer, hanging = played(world), played(world, OTHER)
    given = store.issuers.register("https://inline.example.com", jwks=[issuer.jwk(issuer.keys[0])])
    store.issuers.register("http://localhost:1", fetch=True)
    judged(store, token(issuer))
    judged(store, token(hanging))
    issuer.rotate_key(keep=True)
    given.down()
    hanging.hang()
    world.clock.advance(300)
    state = store.issuers.state()

    other = make_world(freeze_at=world.clock.now(), spacetime_profile="v2.14")
    other.spacetime.issuers.restore(state)

    assert other.spacetime.issuers.state() == state
    assert state.hanging == [OTHER]


def test_a_reset_starts_the_ticks_anew() -> None:
    stage = make_stage()
    world_of(stage).spacetime.issuers.register(URL)
    snapshot = stage.snapshot()

    stage.reset()
    world_of(stage).clock.advance(100)
    begun = world_of(stage).faults.begun
    assert world_of(stage).spacetime.issuers.cache.started == begun

    stage.restore(snapshot)
    assert world_of(stage).spacetime.issuers.cache.started == world_of(stage).faults.begun
