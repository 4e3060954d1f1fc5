"""The current world: reset, invalid configs, snapshots."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from emulator import Config, Misconfigured
from emulator.control.new_world import blueprint
from emulator.core.context import Context
from emulator.core.deferred_free import DeferredFree
from emulator.faults.schedule import RequestFacts
from emulator.faults.step import made_step
from emulator.services.intuition.model import Draft
from emulator.world.blueprint import Blueprint
from emulator.world.stage import Stage
from tests.waiting import A_MOMENT
from tests.worlds import make_stage, world_of

FROZEN = Config(seed=7, freeze_at=datetime(2024, 2, 15, 5, 47, 17, 289011, tzinfo=UTC))
JP = Draft("JP", "0x81", description="It's me, JP")


def test_a_reset_puts_a_new_world_in_the_place_of_the_old() -> None:
    stage = make_stage(FROZEN)
    old = world_of(stage)
    old.intuition.create(JP)

    new = stage.reset()

    assert world_of(stage) is new is not old
    assert (len(old.intuition), len(new.intuition)) == (1, 0)


def test_a_token_from_before_a_reset_is_valid_after_it() -> None:
    stage = make_stage(FROZEN)
    _, token = world_of(stage).spacetime.create_identity()

    assert stage.reset().spacetime.read(token)


def test_a_rotated_key_comes_back_with_a_reset() -> None:
    stage = make_stage(FROZEN)
    first = world_of(stage).spacetime.keyring.key.public_pem
    world_of(stage).spacetime.rotate_key()
    rotated = world_of(stage).spacetime.keyring.key.public_pem

    assert rotated != first
    assert stage.reset().spacetime.keyring.key.public_pem == first


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            Config(spacetime_profile="v3"),
            "there is no spacetime profile 'v3'; there is documented, v1, v2.8, v2.14, v2",
        ),
        (Config(intuition_profile="v1"), "there is no intuition profile 'v1'; there is documented"),
        (Config(jwt_priv_key_path=Path("x")), "given together"),
        (Config(seed=10**5000), "seed has 16610 bits; at most 1024 are allowed"),
        (Config(scenario="two_freinds"), "there is no scenario 'two_freinds'"),
        (Config(journal_size=-1), "0 or more"),
        (Config(scenario={}), "version: missing"),
    ],
)
def test_a_config_that_names_what_is_not_there_is_refused(config: Config, message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        make_stage(config)


def test_large_worlds_are_forgotten_sooner_than_small_ones() -> None:
    made: list[Config] = []

    def make(config: Config, deferred: DeferredFree) -> Blueprint:
        made.append(config)
        return blueprint(config, deferred, Config())

    def crowd(count: int, seed: int) -> Config:
        return Config(seed=seed, scenario={"version": 1, "spacetime": {"crowd": {"count": count}}})

    stage = Stage(Config(), make)
    stage._MOST_ROWS = 1000
    for config in (*map(partial(crowd, 400), range(3)), *map(partial(crowd, 1), range(20))):
        stage.reset(config)
    made.clear()
    for config in (crowd(400, 0), crowd(400, 2), crowd(1, 5)):
        stage.reset(config)

    assert made == [crowd(400, 0)]


def test_no_row_is_made_between_a_snapshots_chance_and_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = make_stage(FROZEN)
    store, fork = world_of(stage).intuition, Context.fork
    maker = Thread(target=lambda: store.create(JP))

    def slow_fork(context: Context) -> Context:
        copy = fork(context)
        maker.start()
        maker.join(A_MOMENT)  # it has to wait for the snapshot
        return copy

    with monkeypatch.context() as patch:
        patch.setattr(Context, "fork", slow_fork)
        snapshot = stage.snapshot()
    maker.join()
    stage.restore(snapshot)
    made = [world_of(stage).intuition.create(JP).id for _ in range(2)]

    assert [row.id for row in world_of(stage).intuition.rows.merged().values()] == made


def test_a_copy_counts_a_limit_on_its_own() -> None:
    stage = make_stage(FROZEN)
    world_of(stage).add_step(made_step({"request": "GET /v1/ping", "do": {"rate_limit": {"requests": 1}}}))
    ping = RequestFacts("GET", ("/v1/ping",), "", "somebody", world_of(stage).clock.micros())
    snapshot = stage.snapshot()

    for _ in range(2):
        stage.restore(snapshot)
        assert world_of(stage).faults.decide(ping, world_of(stage).entropy) is None
        assert world_of(stage).faults.decide(ping, world_of(stage).entropy) is not None
