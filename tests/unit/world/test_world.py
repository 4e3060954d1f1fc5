from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from emulator import Config, Misconfigured
from emulator.faults import Asked
from emulator.graveyard import Graveyard
from emulator.ground import Ground
from emulator.intuition.model import Draft, NotFound
from emulator.spacetime.model import Claims, identity_of
from emulator.stage import Stage
from emulator.steps import made_step
from emulator.world import Blueprint, World

FROZEN = Config(seed=7, freeze_at=datetime(2024, 2, 15, 5, 47, 17, 289011, tzinfo=UTC))
JP = Draft("JP", "0x81", description="It's me, JP")
ALICE = identity_of("localhost", "alice")


def world(config: Config = FROZEN) -> World:
    return Blueprint.of(config, Graveyard()).world()


def everything_of(each: World) -> list[object]:
    return [
        each.spacetime.create_identity(),
        each.spacetime.keyring.key.public_pem,
        each.spacetime.add_database(ALICE),
        each.intuition.create(JP),
        each.intuition.issue_api_key("0x01"),
    ]


def test_the_same_seed_makes_the_same_world() -> None:
    assert everything_of(world()) == everything_of(world())


def test_another_seed_shares_nothing() -> None:
    other = Config(seed=8, freeze_at=FROZEN.freeze_at)

    assert all(ours != theirs for ours, theirs in zip(everything_of(world()), everything_of(world(other)), strict=True))


def test_what_one_api_made_up_does_not_depend_on_the_other() -> None:
    first, second = world(), world()
    first.intuition.create(JP)

    assert first.spacetime.create_identity() == second.spacetime.create_identity()


def test_iat_is_rounded_half_up() -> None:
    half = Config(freeze_at=datetime(2024, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC))
    each = world(half)
    _, token = each.spacetime.create_identity()

    assert each.spacetime.read(token).issued_at == int(datetime(2024, 1, 1, 0, 0, 1, tzinfo=UTC).timestamp())


def test_a_websocket_token_lives_for_sixty_seconds_and_the_leeway() -> None:
    each = world()
    _, token = each.spacetime.create_identity()
    short = each.spacetime.create_websocket_token(each.spacetime.read(token))

    assert each.spacetime.read(short).expires_at == each.spacetime.read(short).issued_at + 60


def test_extra_claims_go_over_into_a_websocket_token() -> None:
    each = world()
    issuer = "https://auth.example.com"
    caller = Claims(identity_of(issuer, "alice"), "alice", issuer, ("a", "b"), 1, None, {"role": "admin"})
    found = each.spacetime.read(each.spacetime.create_websocket_token(caller))

    assert (found.issuer, found.audience, found.extra) == (issuer, ("a", "b"), {"role": "admin"})


def test_an_email_is_kept_in_lower_case_and_replaced() -> None:
    store = world().spacetime
    store.set_email(ALICE, "One@Example.com")
    store.set_email(ALICE, "Two@Example.com")

    assert store.emails.merged() == {ALICE: "two@example.com"}


def test_databases_are_listed_in_the_order_they_were_made() -> None:
    store = world().spacetime
    made = tuple(store.add_database(ALICE) for _ in range(3))

    assert store.databases_of(ALICE) == made
    assert store.databases_of(identity_of("localhost", "bob")) == ()


def test_an_identity_is_found_by_each_of_its_names() -> None:
    store = world().intuition
    store.create(Draft("first", "0x81"))
    jp = store.create(JP)

    assert store.find(jp.id) is store.find(jp.identity_id) is store.find("2") is jp


def test_equal_drafts_are_two_rows_and_the_older_is_found_by_content() -> None:
    store = world().intuition
    first, second = store.create(JP), store.create(JP)

    assert first.identity_id == second.identity_id
    assert (first.vault_id, second.vault_id) == ("1", "2")
    assert store.find(second.identity_id) is first


def test_one_wallet_is_one_user() -> None:
    store = world().intuition

    assert store.create(JP).creator is store.create(Draft("other", "0x81")).creator


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="Record not found"):
        world().intuition.find("did:intuition:ipfs:Qm")


def test_a_revoked_key_is_unknown() -> None:
    store = world().intuition
    key = store.issue_api_key("0x01").key

    store.revoke_api_key(key)

    assert store.api_key(key) is None


def test_threads_never_share_a_vault() -> None:
    store = world().intuition
    threads = [Thread(target=lambda: [store.create(JP) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(store) == 200
    assert store.find("200").vault_id == "200"


def test_a_reset_puts_a_new_world_in_the_place_of_the_old() -> None:
    stage = Stage(FROZEN)
    old = stage.world
    old.intuition.create(JP)

    new = stage.reset()

    assert stage.world is new is not old
    assert (len(old.intuition), len(new.intuition)) == (1, 0)


def test_a_token_from_before_a_reset_is_good_after_it() -> None:
    stage = Stage(FROZEN)
    _, token = stage.world.spacetime.create_identity()

    assert stage.reset().spacetime.read(token)


def test_a_token_is_good_on_a_fresh_server_of_the_same_seed() -> None:
    _, token = world().spacetime.create_identity()

    assert world().spacetime.read(token)


def test_a_rotated_key_comes_back_with_a_reset() -> None:
    stage = Stage(FROZEN)
    first = stage.world.spacetime.keyring.key.public_pem
    stage.world.spacetime.rotate_key()
    rotated = stage.world.spacetime.keyring.key.public_pem

    assert rotated != first
    assert stage.reset().spacetime.keyring.key.public_pem == first


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (Config(spacetime_profile="v3"), "there is no spacetime profile 'v3'; there is documented, v1, v2"),
        (Config(intuition_profile="v1"), "there is no intuition profile 'v1'; there is documented"),
        (Config(jwt_priv_key_path=Path("x")), "go together"),
        (Config(seed="x"), "seed is 'x'; it must be of type int"),  # type: ignore[arg-type]
        (Config(freeze_at="2024"), "freeze_at is '2024'; it must be of type datetime"),  # type: ignore[arg-type]
        (Config(scenario="two_freinds"), "there is no scenario 'two_freinds'"),
        (Config(freeze_at=datetime(2024, 1, 1)), "without an offset"),  # noqa: DTZ001 - that is the mistake
        (Config(journal_size=-1), "0 or more"),
        (Config(scenario={}), "version: missing"),
        (Config(scenario=5), "a scenario is a name, a path, a document or a function, not 5"),  # type: ignore[arg-type]
    ],
)
def test_a_config_that_names_what_is_not_there_is_refused(config: Config, message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        Stage(config)


def test_no_row_is_made_between_a_snapshots_chance_and_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(FROZEN)
    store, fork = stage.world.intuition, Ground.fork
    maker = Thread(target=lambda: store.create(JP))

    def slow_fork(ground: Ground) -> Ground:
        copy = fork(ground)
        maker.start()
        maker.join(0.1)  # it has to wait for the snapshot
        return copy

    with monkeypatch.context() as patch:
        patch.setattr(Ground, "fork", slow_fork)
        snapshot = stage.snapshot()
    maker.join()
    stage.restore(snapshot)
    made = [stage.world.intuition.create(JP).id for _ in range(2)]

    assert [row.id for row in stage.world.intuition.rows.merged().values()] == made


def test_a_copy_counts_a_limit_on_its_own() -> None:
    stage = Stage(FROZEN)
    stage.world.add_step(made_step({"request": "GET /v1/ping", "do": {"rate_limit": {"requests": 1}}}))
    ping = Asked("GET", ("/v1/ping",), "", "somebody", stage.world.clock.micros())
    snapshot = stage.snapshot()

    for _ in range(2):
        stage.restore(snapshot)
        assert stage.world.faults.decide(ping, stage.world.entropy) is None
        assert stage.world.faults.decide(ping, stage.world.entropy) is not None
