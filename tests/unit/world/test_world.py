from datetime import UTC, datetime
from threading import Thread

import pytest

from emulator import Config
from emulator.services.intuition.model import Draft
from emulator.services.intuition.refusals import NotFound
from emulator.services.spacetimedb.model import Claims, identity_of
from emulator.world.world import World
from tests.worlds import make_world

FROZEN = Config(seed=7, freeze_at=datetime(2024, 2, 15, 5, 47, 17, 289011, tzinfo=UTC))
JP = Draft("JP", "0x81", description="It's me, JP")
ALICE = identity_of("localhost", "alice")


def world(config: Config = FROZEN) -> World:
    return make_world(config)


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


def test_a_token_is_valid_on_a_new_server_of_the_same_seed() -> None:
    _, token = world().spacetime.create_identity()

    assert world().spacetime.read(token)


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
    with pytest.raises(NotFound, match="no identity has the id"):
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
