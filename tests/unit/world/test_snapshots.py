"""Snapshots of a world, in memory and as a document."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulator import Misconfigured
from emulator.faults.step import made_step
from emulator.services.intuition.model import Draft
from emulator.services.spacetimedb.model import identity_of
from emulator.world.snapshot_document import read, written
from emulator.world.stage import Stage
from emulator.world.stubs import made_stub
from tests.conftest import API_KEY
from tests.measuring import quickest
from tests.waiting import PATIENCE
from tests.worlds import make_stage, make_world, world_of

ALICE, BOB = identity_of("localhost", "alice"), identity_of("localhost", "bob")


def filled() -> Stage:
    """A stage whose world has every kind of stored object."""
    stage = make_stage(seed=7)
    world = world_of(stage)
    identity, _ = world.spacetime.create_identity()
    world.spacetime.set_email(identity, "Alice@example.com")
    world.spacetime.add_database(identity)
    world.spacetime.add_database(identity, "chat")
    world.spacetime.rotate_key()
    world.intuition.lifecycle = type(world.intuition.lifecycle)(pending=True, complete_after=30.0)
    world.intuition.create(Draft("JP", "0x81", external_reference="https://a.example"))
    world.intuition.add_position(0, "0x82", 5)
    world.intuition.revoke_api_key(API_KEY)
    world.intuition.issue_api_key("0x83")
    world.intuition.names["jp"] = 0
    step = {"request": "POST /identity", "do": {"rate_limit": {"requests": 1, "seconds": 5.0}}}
    world.add_step(made_step(step)).windows["key"] = (world.faults.begun, 3)
    stub = {"request": "GET /claims", "json": None, "headers": {"a": "b"}, "times": 3, "auth": "none"}
    world.stubs.count(world.add_stub(made_stub(stub)))
    world.add_stub(made_stub({"request": "GET /file", "base64": "/wA="}))
    world.spacetime.stub_reducer("chat", "send")
    world.clock.freeze()
    return stage


def row(found: Any) -> Any:
    return found["intuition"]["identities"][0]


def test_a_document_read_again_is_the_same_document() -> None:
    stage = filled()
    document = written(world_of(stage))

    assert written(read(document, make_world())) == document


def test_a_database_keeps_its_name() -> None:
    world = world_of(filled())
    again = read(written(world), make_world())

    assert again.spacetime.database("chat") == world.spacetime.database("chat") is not None


def test_a_document_without_names_of_databases_is_read_too() -> None:
    document = json.loads(written(world_of(filled())))
    for databases in document["spacetime"]["databases"].values():
        for each in databases:
            each.pop("name", None)
    again = read(json.dumps(document).encode(), make_world())

    assert [len(each) for each in again.spacetime.databases.merged().values()] == [2]
    assert again.spacetime.database("chat") is None


def test_a_document_keeps_names_locks_and_deletions() -> None:
    store = make_world().spacetime
    chat, shop = store.add_database(ALICE, "chat"), store.add_database(ALICE, "shop")
    store.add_name("of-bob", BOB, shop.identity)
    store.rename_database(chat, ["talk", "gossip"])
    store.lock_database(shop, locked=True)
    store.delete_database(store.add_database(BOB, "gone"))
    world = make_world()
    world.spacetime = store
    again = read(written(world), make_world()).spacetime

    assert again.names.records.merged() == store.names.records.merged()
    assert again.names.by_identity.merged() == store.names.by_identity.merged()
    assert again.locked.merged() == {shop.identity: True}
    assert again.databases_of(ALICE) == store.databases_of(ALICE)
    assert again.databases_of(BOB) == ()


def test_a_name_of_a_document_that_no_database_can_have_is_refused() -> None:
    document = json.loads(written(make_world()))
    document["spacetime"]["names"] = {"my_db": {"owner": ALICE}}

    with pytest.raises(Misconfigured, match="names: 'my_db': invalid characters in database name"):
        read(json.dumps(document).encode(), make_world())


@pytest.mark.parametrize(("name", "why"), [("my_db", "invalid characters"), ("chat", "'chat' is taken by a database")])
def test_a_name_that_a_database_can_not_have_is_refused(name: str, why: str) -> None:
    document = json.loads(written(world_of(filled())))
    (databases,) = document["spacetime"]["databases"].values()
    databases[0]["name"] = name

    with pytest.raises(Misconfigured, match=why):
        read(json.dumps(document).encode(), make_world())


def test_a_world_read_again_goes_on_as_the_first_would() -> None:
    stage = filled()
    again = read(written(world_of(stage)), make_world())

    assert again.spacetime.create_identity() == world_of(stage).spacetime.create_identity()
    assert again.intuition.create(Draft("B", "0x81")) == world_of(stage).intuition.create(Draft("B", "0x81"))
    assert [again.intuition.find(name).id for name in ("jp",) if again.intuition.names.get(name)] == []
    assert again.row_number("jp") == 0


def test_a_snapshot_says_the_profile_that_v2_stands_for() -> None:
    document = json.loads(written(make_world(spacetime_profile="v2")))

    assert document["spacetime"]["profile"] == "v2.14"


def test_a_snapshot_that_names_v2_is_read_as_the_newest() -> None:
    world = make_world()
    document = json.loads(written(world))
    document["spacetime"]["profile"] = "v2"

    assert read(json.dumps(document).encode(), world).spacetime.profile.name == "v2.14"


def test_a_new_row_gets_a_vault_that_is_free() -> None:
    stage = make_stage()
    for name in ("A", "B"):
        world_of(stage).intuition.create(Draft(name, "0x81"))
    found = json.loads(written(world_of(stage)))
    del found["intuition"]["identities"][0]
    again = read(json.dumps(found).encode(), world_of(stage))

    assert [again.intuition.create(Draft(name, "0x81")).vault_id for name in ("C", "D")] == ["3", "4"]


def test_a_skewed_clock_stays_as_far_ahead() -> None:
    stage = make_stage()
    world_of(stage).clock.skew(3600)

    assert read(written(world_of(stage)), world_of(stage)).clock.ahead == pytest.approx(3600, abs=PATIENCE)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda found: found.update(version=2), "version 2 of a snapshot"),
        (lambda found: found.pop("seed"), "seed: missing"),
        (lambda found: found.update(sede=1), "sede: unknown key, did you mean 'seed'"),
        (lambda found: found["spacetime"].update(profile="v9"), "no profile 'v9'"),
        (lambda found: found["spacetime"].update(keys=[]), "spacetime.keys is empty"),
        (lambda found: found["spacetime"].update(first_key="nowhere"), "no key has the origin 'nowhere'"),
        (lambda found: found["spacetime"].update(first_key="files"), "start with the same --jwt-priv-key-path"),
        (lambda found: found["spacetime"].update(emails={"c2": "a@b.c"}), "too few elements"),
        (
            lambda found: next(iter(found["spacetime"]["databases"].values()))[0].update(address="ab"),
            "'ab' is not an address",
        ),
        (
            lambda found: next(iter(found["spacetime"]["databases"].values()))[0].update(identity="c2"),
            "too few elements",
        ),
        (lambda found: found["intuition"]["identities"].append(found["intuition"]["identities"][0]), "is used twice"),
        (lambda found: found["intuition"]["identities"][0].update(status="zzz"), "Invalid enum value 'zzz'"),
        (lambda found: found["intuition"]["identities"][0].update(created_at="zzz"), "zzz"),
        (lambda found: found["intuition"]["identities"][0].update(assets_sum="zzz"), "matching regex"),
        (lambda found: row(found).update(assets_sum="5\n"), "matching regex"),
        (lambda found: row(found).update(assets_sum="٣"), "matching regex"),
        (lambda found: row(found).update(assets_sum="05"), "matching regex"),
        (lambda found: row(found).update(conviction_price="9" * 101), "matching regex"),
        (lambda found: row(found).update(vault_id="٣"), "matching regex"),
        (lambda found: row(found)["positions"][0].update(amount_staked="٣"), "amount_staked of a position is '٣'"),
        (lambda found: row(found)["positions"][0].update(conviction="5\n"), "conviction of a position is"),
        (lambda found: row(found)["positions"][0].update(assets="9" * 5000), "must be 1 to 100 digits"),
        (lambda found: row(found)["positions"][0].update(fee="-1"), "fee of a position is '-1'"),
        (lambda found: row(found)["positions"][0].update(vault_id=""), "vault_id of a position is ''"),
        (
            lambda found: found["intuition"]["identities"].extend(
                [row(found) | {"id": "a", "vault_id": "1"}, row(found) | {"id": "b", "vault_id": "1"}]
            ),
            r"identities\[2\]: the vault '1' is used twice",
        ),
        (
            lambda found: next(iter(found["spacetime"]["databases"].values()))[0].update(address=f"{'0 ' * 15}0000"),
            "is not an address",
        ),
        (lambda found: found.update(actors=[{"nme": "a"}]), r"actors\[0\]: Object missing required field `name`"),
        (lambda found: found["intuition"]["lifecycle"].update(complete_after=-1), "complete_after must be from 0"),
        (lambda found: found["script"][0]["step"].update(request="POST /identiy"), "no route matches"),
        (lambda found: found["script"][0]["step"].update(actor="nobody"), "no actor 'nobody'"),
        (lambda found: found["intuition"].update(users=[]), "no user has the wallet '0x81'"),
        (lambda found: found["clock"].update(freeze="yesterday"), "invalid snapshot"),
        (lambda found: found["script"][0]["step"].update(nth=0), "step 1: 0 is too small"),
        (lambda found: found["stubs"][0]["stub"].update(status=1), "stub 1: status: 1 is not a valid status"),
        (lambda found: found["stubs"][0]["stub"].update(nme=1), "nme: unknown key"),
        (lambda found: found["stubs"][0].update(answered=-1), r"stubs\[0\]\.answered"),
        (lambda found: found["stubs"].extend(found["stubs"] * 600), "there are 1000 stubs"),
        (lambda found: found["spacetime"]["reducers"].update(shop=["a"]), "no database 'shop'"),
    ],
)
def test_a_wrong_document_says_what_is_wrong(change: Any, text: str) -> None:
    stage = filled()
    found = json.loads(written(world_of(stage)))
    change(found)

    with pytest.raises(Misconfigured, match=text):
        read(json.dumps(found).encode(), world_of(stage))


def test_a_key_from_files_is_in_no_document(recorded_key_pair: tuple[Path, Path]) -> None:
    private, public = recorded_key_pair
    stage = make_stage(jwt_priv_key_path=private, jwt_pub_key_path=public)
    document = written(world_of(stage))

    assert b"PRIVATE" not in document
    assert read(document, world_of(stage)).spacetime.keyring.key.public_pem == public.read_bytes()


def test_a_document_keeps_stubs_their_counts_and_reducers() -> None:
    again = read(written(world_of(filled())), make_world())

    chat = again.spacetime.database("chat")
    assert chat is not None
    assert [(stub.request, stub.spec.content[0], stub.answered) for stub in again.stubs] == [
        ("GET /claims", b"null", 1),
        ("GET /file", b"\xff\x00", 0),
    ]
    assert again.spacetime.is_stubbed(chat.identity, "send")


def test_a_document_without_stubs_has_no_word_of_them() -> None:
    assert b"stub" not in written(make_world())
    assert b"reducers" not in written(make_world())


def test_a_stub_that_a_function_answers_is_in_no_document() -> None:
    world = make_world()
    world.add_stub(made_stub({"request": "GET /claims"}), lambda _: None)

    with pytest.raises(Misconfigured, match="the stub 'GET /claims' is answered by a function"):
        written(world)


# --- in memory --------------------------------------------------------------------------------------------------------


def test_a_restored_world_is_as_it_was() -> None:
    stage = filled()
    before = written(world_of(stage))
    snapshot = stage.snapshot()
    world_of(stage).intuition.create(Draft("B", "0x84"))
    world_of(stage).spacetime.rotate_key()
    world_of(stage).faults.clear()
    world_of(stage).clock.advance(60)

    stage.restore(snapshot)

    assert written(world_of(stage)) == before


def test_a_snapshot_can_be_gone_back_to_again_and_again() -> None:
    stage = filled()
    before = written(world_of(stage))
    snapshot = stage.snapshot()
    for _ in range(3):
        world_of(stage).intuition.create(Draft("B", "0x84"))
        stage.restore(snapshot)

    assert written(world_of(stage)) == before


def test_a_snapshot_costs_no_more_in_a_big_world_than_in_a_small_one() -> None:
    small, big = make_stage(), make_stage()
    for number in range(20_000):
        world_of(big).intuition.create(Draft(f"user {number}", "0x81"))

    in_small, in_big = quickest(lambda: small.restore(small.snapshot()), lambda: big.restore(big.snapshot()), times=100)

    assert in_big < 2 * in_small
